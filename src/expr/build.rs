//! Tree to graph: names become inputs and constants.

use super::graph::{Id, One, Two};
use super::mistake::nearest;
use super::tree::{Operator, Part, Tree};
use super::{Function, Graph, MAX_NODES, Mistake};
use std::f64::consts::PI;
use std::ops::Range;

/// What the names of a formula stand for. `pi` is known beside them.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Names of the inputs, in the order in which their values will be given.
    pub inputs: Vec<String>,
    /// Names with values.
    pub constants: Vec<(String, f64)>,
}

/// Whether a name may stand for an input or a constant.
///
/// # Errors
/// What is wrong and what would be right, for a name that the grammar cannot read or that it has taken.
pub fn check_name(name: &str) -> Result<(), (String, String)> {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let good: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let good = if good.starts_with(|c: char| c.is_ascii_digit()) || good.is_empty() { format!("x{good}") } else { good };
        return Err((
            format!("\"{name}\" cannot be a name in a formula"),
            format!("use letters, digits and _, a letter first: \"{good}\""),
        ));
    }
    if name == "pi" || Function::named(name).is_some() {
        return Err((format!("the name \"{name}\" is taken by the grammar"), format!("use another one, such as \"{name}_\"")));
    }
    Ok(())
}

impl Graph {
    /// Adds a formula; the number of its node.
    ///
    /// # Errors
    /// A [`Mistake`] for an unknown name (with the nearest known one), for a part that has no finite value whatever the inputs
    /// (`log(-1)`), and for a graph of more than [`MAX_NODES`] nodes.
    pub fn add(&mut self, tree: &Tree, scope: &Scope) -> Result<u32, Mistake> {
        let mut ids: Vec<Id> = Vec::with_capacity(tree.twigs.len());
        for twig in &tree.twigs {
            let id = match &twig.part {
                Part::Number(value) => self.constant(*value),
                Part::Name(name) => self.name(name, scope, &twig.span)?,
                Part::Negative(of) => self.one(One::Negative, ids[*of]),
                Part::Binary(operator, a, b) => {
                    let operation = match operator {
                        Operator::Add => Two::Add,
                        Operator::Sub => Two::Sub,
                        Operator::Mul => Two::Mul,
                        Operator::Div => Two::Div,
                        Operator::Pow => Two::Power,
                    };
                    self.two(operation, ids[*a], ids[*b])
                }
                Part::Call(function, arguments) => {
                    let mut id = ids[arguments[0]];
                    match kind(*function) {
                        Kind::One(operation) => id = self.one(operation, id),
                        Kind::Two(operation) => {
                            for argument in &arguments[1..] {
                                id = self.two(operation, id, ids[*argument]);
                            }
                        }
                    }
                    id
                }
            };
            if self.full() {
                let what = format!("the formula makes more than {MAX_NODES} operations");
                return Err(Mistake::new(twig.span.clone(), what, "split it, or write it as a formula in Rust"));
            }
            if let Some(value) = self.value(id).filter(|v| !v.is_finite()) {
                let what = if value.is_nan() { "has no value" } else { "is infinite" };
                return Err(Mistake::new(twig.span.clone(), format!("this part {what} ({value}) whatever the variables"), "change it"));
            }
            ids.push(id);
        }
        Ok(ids[tree.root()])
    }

    fn name(&mut self, name: &str, scope: &Scope, span: &Range<usize>) -> Result<Id, Mistake> {
        if let Some(index) = scope.inputs.iter().position(|n| n == name) {
            return Ok(self.input(index as u32));
        }
        if let Some((_, value)) = scope.constants.iter().find(|(n, _)| n == name) {
            return Ok(self.constant(*value));
        }
        if name == "pi" {
            return Ok(self.constant(PI));
        }
        if let Some(function) = Function::named(name) {
            let what = format!("`{name}` is a function and has no argument here");
            return Err(Mistake::new(span.clone(), what, format!("write {}", function.example())));
        }
        let known = || {
            scope.inputs.iter().chain(scope.constants.iter().map(|(n, _)| n)).map(String::as_str).chain(["pi"]).filter(|n| !n.is_empty())
        };
        let list = known().collect::<Vec<_>>().join(", ");
        let list = if list.len() > 200 { format!("{} names are known", known().count()) } else { format!("known names: {list}") };
        let hint = nearest(name, known()).map(|n| format!("did you mean `{n}`? ")).unwrap_or_default();
        Err(Mistake::new(span.clone(), format!("unknown name `{name}`"), format!("{hint}{list}")))
    }
}

enum Kind {
    One(One),
    Two(Two),
}

fn kind(function: Function) -> Kind {
    match function {
        Function::Sin => Kind::One(One::Sin),
        Function::Cos => Kind::One(One::Cos),
        Function::Tan => Kind::One(One::Tan),
        Function::Exp => Kind::One(One::Exp),
        Function::Log => Kind::One(One::Log),
        Function::Sqrt => Kind::One(One::Sqrt),
        Function::Sinh => Kind::One(One::Sinh),
        Function::Cosh => Kind::One(One::Cosh),
        Function::Tanh => Kind::One(One::Tanh),
        Function::Acos => Kind::One(One::Acos),
        Function::Abs => Kind::One(One::Abs),
        Function::Sgn => Kind::One(One::Sgn),
        Function::Step => Kind::One(One::Step),
        Function::Floor => Kind::One(One::Floor),
        Function::Atan2 => Kind::Two(Two::Atan2),
        Function::Min => Kind::Two(Two::Min),
        Function::Max => Kind::Two(Two::Max),
        Function::Mod => Kind::Two(Two::Mod),
    }
}
