//! Formulas given as text: parsed once, evaluated on lanes, differentiated exactly.
//!
//! ```text
//! text -> Tree (parse, print) -> Graph (one node for equal subexpressions, constants folded)
//!      -> gradient (reverse, again a graph) -> Program (steps over slots, generic over the scalar)
//! ```
//!
//! The grammar: numbers, names, `+ - * / ^`, parentheses and calls. `^` is right associative and binds tighter than unary minus
//! (`-x^2` is -(x^2), `2^-x` is 2^(-x)); `1/3` is real division. `pi` is known; `t` and `lambda` where the caller offers them.
//! Functions: sin cos tan exp log sqrt sinh cosh tanh acos atan2 abs sgn step min max floor mod, see [`Function`].
//!
//! A text is never trusted: it may have [`MAX_TEXT`] bytes, nest [`MAX_DEPTH`] deep and make [`MAX_NODES`] nodes, and whatever is
//! wrong with it is a [`Mistake`] that points into it.

mod build;
mod compiled;
mod elementary;
mod function;
mod gradient;
mod graph;
mod lower;
mod mistake;
mod parse;
mod print;
mod program;
mod run;
mod token;
mod tree;

pub use build::{Scope, check_name};
pub use compiled::Compiled;
pub use function::Function;
pub use graph::Graph;
pub use mistake::Mistake;
pub use parse::parse;
pub use program::Program;
pub use tree::Tree;

/// The longest text, in bytes.
pub const MAX_TEXT: usize = 100_000;
/// The deepest nesting of parentheses, calls, powers and signs.
pub const MAX_DEPTH: usize = 200;
/// The largest graph, derivatives included.
pub const MAX_NODES: usize = 200_000;
