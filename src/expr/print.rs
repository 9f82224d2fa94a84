//! Tree to text, with no more parentheses than the grammar needs.

use super::Tree;
use super::tree::{Operator, Part, Place, SIGN};
use std::fmt;

/// What is left to print.
enum Piece {
    Text(&'static str),
    /// A node in a place that wants it to bind at least so tightly.
    Twig(Place, u8),
}

/// How tightly a whole node holds together.
fn strength(part: &Part) -> u8 {
    match part {
        Part::Binary(operator, ..) => operator.binding().0,
        Part::Negative(_) => SIGN,
        Part::Number(_) | Part::Name(_) | Part::Call(..) => u8::MAX,
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // a stack of our own: sums of thousands of terms are trees as deep
        let mut left = vec![Piece::Twig(self.root(), 0)];
        while let Some(piece) = left.pop() {
            let (place, least) = match piece {
                Piece::Text(text) => {
                    f.write_str(text)?;
                    continue;
                }
                Piece::Twig(place, least) => (place, least),
            };
            let part = &self.twigs[place].part;
            if strength(part) < least {
                f.write_str("(")?;
                left.push(Piece::Text(")"));
            }
            match part {
                Part::Number(value) => write!(f, "{value:?}")?,
                Part::Name(name) => f.write_str(name)?,
                Part::Negative(of) => {
                    f.write_str("-")?;
                    left.push(Piece::Twig(*of, SIGN));
                }
                Part::Binary(operator, a, b) => {
                    let (binds, right) = operator.binding();
                    // a minus may follow an operator without parentheses: 2^-x, a*-b
                    let bare = matches!(self.twigs[*b].part, Part::Negative(_)) && *operator == Operator::Pow;
                    left.push(Piece::Twig(*b, if bare { 0 } else { right }));
                    left.push(Piece::Text(operator.symbol()));
                    // the left operand of ^ has to hold together more tightly than ^ itself
                    left.push(Piece::Twig(*a, if *operator == Operator::Pow { u8::MAX } else { binds }));
                }
                Part::Call(function, arguments) => {
                    write!(f, "{}(", function.name())?;
                    left.push(Piece::Text(")"));
                    for (i, argument) in arguments.iter().enumerate().rev() {
                        left.push(Piece::Twig(*argument, 0));
                        if i > 0 {
                            left.push(Piece::Text(", "));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
