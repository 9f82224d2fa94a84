//! Text to tree, by precedence climbing (Pratt, "Top down operator precedence", POPL 1973).

use super::function::instead;
use super::mistake::nearest;
use super::token::{Token, Word, words};
use super::tree::{Operator, Part, Place, SIGN, Tree, Twig};
use super::{Function, MAX_DEPTH, MAX_NODES, MAX_TEXT, Mistake};
use std::ops::Range;

/// Reads a formula.
///
/// # Errors
/// The first [`Mistake`] that makes the text no formula: an unknown character or function, a missing operand, operator or
/// parenthesis, a wrong number of arguments, too long or too deeply nested. Unknown names are not looked at here.
pub fn parse(text: &str) -> Result<Tree, Mistake> {
    if text.len() > MAX_TEXT {
        let what = format!("the formula has {} bytes, {MAX_TEXT} at most can be read", text.len());
        return Err(Mistake::new(0..text.len().min(1), what, "split it into several formulas"));
    }
    let words = words(text)?;
    if words.len() == 1 {
        return Err(Mistake::new(0..text.len(), "the formula is empty", "write an expression, such as x^2/2"));
    }
    let mut parser = Parser { text, words, next: 0, twigs: Vec::new(), depth: 0 };
    parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(Tree { twigs: parser.twigs }),
        Token::Symbol(b')') => Err(Mistake::new(parser.span(), "this `)` closes nothing", "remove it, or add the `(` that it belongs to")),
        _ => Err(Mistake::new(parser.span(), "a `,` stands outside of a call", "commas separate arguments, as in min(a, b)")),
    }
}

struct Parser<'a> {
    text: &'a str,
    words: Vec<Word>,
    next: usize,
    twigs: Vec<Twig>,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Token {
        self.words[self.next].token
    }

    fn span(&self) -> Range<usize> {
        self.words[self.next].span.clone()
    }

    /// Goes past a word; `End` stays.
    fn step(&mut self) -> Range<usize> {
        let span = self.span();
        self.next = (self.next + 1).min(self.words.len() - 1);
        span
    }

    fn push(&mut self, part: Part, span: Range<usize>) -> Result<Place, Mistake> {
        if self.twigs.len() >= MAX_NODES {
            return Err(Mistake::new(span, format!("the formula has more than {MAX_NODES} parts"), "split it into several formulas"));
        }
        self.twigs.push(Twig { part, span });
        Ok(self.twigs.len() - 1)
    }

    fn deeper(&mut self) -> Result<(), Mistake> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let what = format!("the formula is nested more than {MAX_DEPTH} deep here");
            return Err(Mistake::new(self.span(), what, "name a part of it and use the name, or write it flatter"));
        }
        Ok(())
    }

    /// An operand and all operators after it that bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Place, Mistake> {
        self.deeper()?;
        let start = self.span().start;
        let mut left = self.operand()?;
        loop {
            let operator = match self.peek() {
                Token::Symbol(b'+') => Operator::Add,
                Token::Symbol(b'-') => Operator::Sub,
                Token::Symbol(b'*') => Operator::Mul,
                Token::Symbol(b'/') => Operator::Div,
                Token::Symbol(b'^') => Operator::Pow,
                Token::Number(_) | Token::Name | Token::Symbol(b'(') => return Err(self.no_operator(start)),
                _ => break,
            };
            let (binds, right) = operator.binding();
            if binds < least {
                break;
            }
            self.step();
            let operand = self.expression(right)?;
            let end = self.twigs[operand].span.end.max(self.words[self.next - 1].span.end);
            left = self.push(Part::Binary(operator, left, operand), start..end)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Place, Mistake> {
        match self.peek() {
            Token::Number(value) => {
                let span = self.step();
                self.push(Part::Number(value), span)
            }
            Token::Name => {
                let span = self.step();
                if self.peek() == Token::Symbol(b'(') {
                    return self.call(span);
                }
                let name = self.text[span.clone()].to_owned();
                self.push(Part::Name(name), span)
            }
            Token::Symbol(b'-') => {
                let start = self.step().start;
                let of = self.expression(SIGN)?;
                let end = self.words[self.next - 1].span.end;
                self.push(Part::Negative(of), start..end)
            }
            Token::Symbol(b'(') => {
                let open = self.step();
                let inner = self.expression(0)?;
                self.close(open)?;
                Ok(inner)
            }
            _ => Err(self.no_operand()),
        }
    }

    fn call(&mut self, name: Range<usize>) -> Result<Place, Mistake> {
        let word = &self.text[name.clone()];
        let function = Function::named(word).ok_or_else(|| unknown_function(word, name.clone()))?;
        let open = self.step();
        let mut arguments = Vec::new();
        loop {
            arguments.push(self.expression(0)?);
            if self.peek() != Token::Symbol(b',') {
                break;
            }
            self.step();
        }
        let end = self.close(open)?;
        let (least, most) = function.arity();
        if arguments.len() < least || arguments.len() > most {
            let count = |n: usize| if n == 1 { "1 argument".to_owned() } else { format!("{n} arguments") };
            let takes = if most == usize::MAX { format!("{} or more", count(least)) } else { count(least) };
            let what = format!("{word} takes {takes}, not {}", arguments.len());
            return Err(Mistake::new(name.start..end, what, format!("write {}", function.example())));
        }
        self.push(Part::Call(function, arguments), name.start..end)
    }

    /// Expects the `)` of the `(` at `open`; the end of the pair.
    fn close(&mut self, open: Range<usize>) -> Result<usize, Mistake> {
        match self.peek() {
            Token::Symbol(b')') => Ok(self.step().end),
            Token::End => Err(Mistake::new(open, "this `(` is never closed", "add the `)` that belongs to it")),
            _ => Err(Mistake::new(self.span(), "a `,` stands outside of a call", "commas separate arguments, as in min(a, b)")),
        }
    }

    fn no_operator(&self, start: usize) -> Mistake {
        let left = &self.text[start..self.words[self.next - 1].span.end];
        let right = &self.text[self.span()];
        let left = if left.len() > 20 { "..." } else { left };
        let span = self.words[self.next - 1].span.start..self.span().end;
        Mistake::new(span, format!("there is no operator before `{right}`"), format!("for a product write {left}*{right}"))
    }

    fn no_operand(&self) -> Mistake {
        let before = self.next.checked_sub(1).map(|i| &self.words[i]);
        let shown = before.map(|w| &self.text[w.span.clone()]);
        match (self.peek(), shown) {
            (Token::End, Some(before)) => {
                let span = self.words[self.next - 1].span.clone();
                Mistake::new(span, format!("the formula ends after `{before}`"), format!("write an operand after `{before}`, or remove it"))
            }
            (Token::Symbol(b')'), Some("(")) => Mistake::new(
                self.words[self.next - 1].span.start..self.span().end,
                "nothing stands between these parentheses",
                "write an expression between them",
            ),
            (_, before) => {
                let here = &self.text[self.span()];
                let place = before.map_or_else(|| "at the beginning".to_owned(), |b| format!("after `{b}`"));
                let remedy = if here == "+" { "remove the `+`, or write an operand before it" } else { "write an operand here" };
                Mistake::new(self.span(), format!("`{here}` cannot stand {place}"), remedy)
            }
        }
    }
}

fn unknown_function(word: &str, span: Range<usize>) -> Mistake {
    let all = || Function::ALL.iter().map(|f| f.name());
    let list = all().collect::<Vec<_>>().join(" ");
    let remedy = match (instead(word), nearest(word, all())) {
        (Some(remedy), _) => remedy.to_owned(),
        (None, Some(near)) => format!("did you mean {near}? Functions: {list}"),
        (None, None) => format!("functions: {list}; for a product write {word}*(...)"),
    };
    Mistake::new(span, format!("there is no function `{word}`"), remedy)
}
