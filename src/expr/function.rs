//! The functions of the grammar.

/// A function that a formula may call.
///
/// At the places where a derivative does not exist, the one given (in reverse and by dual numbers alike) is: of `abs` that of
/// x >= 0; of `min` and `max` that of the first argument where both are equal; of `sgn`, `step` and `floor` 0 everywhere; of
/// `mod(x, y)` 1 and -floor(x/y). NaN in an argument makes NaN of the value, of `min`, `max`, `sgn` and `step` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Function {
    Sin,
    Cos,
    /// sin / cos, within 4 units in the last place.
    Tan,
    Exp,
    /// Natural logarithm.
    Log,
    Sqrt,
    /// Within 4 units in the last place.
    Sinh,
    /// Within 4 units in the last place.
    Cosh,
    Tanh,
    /// In [0, pi], within 4 units in the last place.
    Acos,
    /// `atan2(y, x)`, the angle of the point (x, y) in (-pi, pi].
    Atan2,
    Abs,
    /// -1, 0 or 1.
    Sgn,
    /// 1 for x > 0, else 0.
    Step,
    /// Of two arguments or more.
    Min,
    /// Of two arguments or more.
    Max,
    Floor,
    /// `mod(x, y)` = x - y floor(x/y), with the sign of y.
    Mod,
}

impl Function {
    /// All of them.
    pub const ALL: [Function; 18] = [
        Function::Sin,
        Function::Cos,
        Function::Tan,
        Function::Exp,
        Function::Log,
        Function::Sqrt,
        Function::Sinh,
        Function::Cosh,
        Function::Tanh,
        Function::Acos,
        Function::Atan2,
        Function::Abs,
        Function::Sgn,
        Function::Step,
        Function::Min,
        Function::Max,
        Function::Floor,
        Function::Mod,
    ];

    /// Its name in a formula.
    pub fn name(self) -> &'static str {
        match self {
            Function::Sin => "sin",
            Function::Cos => "cos",
            Function::Tan => "tan",
            Function::Exp => "exp",
            Function::Log => "log",
            Function::Sqrt => "sqrt",
            Function::Sinh => "sinh",
            Function::Cosh => "cosh",
            Function::Tanh => "tanh",
            Function::Acos => "acos",
            Function::Atan2 => "atan2",
            Function::Abs => "abs",
            Function::Sgn => "sgn",
            Function::Step => "step",
            Function::Min => "min",
            Function::Max => "max",
            Function::Floor => "floor",
            Function::Mod => "mod",
        }
    }

    /// The function of a name.
    pub fn named(name: &str) -> Option<Function> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }

    /// How many arguments: the least and the most.
    pub fn arity(self) -> (usize, usize) {
        match self {
            Function::Min | Function::Max => (2, usize::MAX),
            Function::Atan2 | Function::Mod => (2, 2),
            _ => (1, 1),
        }
    }

    /// A call as it should be written.
    pub(super) fn example(self) -> String {
        let name = self.name();
        match self {
            Function::Min | Function::Max => format!("{name}(a, b, ...)"),
            Function::Atan2 => "atan2(y, x)".to_owned(),
            Function::Mod => "mod(x, y)".to_owned(),
            _ => format!("{name}(x)"),
        }
    }
}

/// What to write for a function of another language.
pub(super) fn instead(name: &str) -> Option<&'static str> {
    Some(match name {
        "ln" => "write log(x), the natural logarithm",
        "log10" => "write log(x)/log(10)",
        "log2" => "write log(x)/log(2)",
        "pow" | "power" => "write x^y",
        "fabs" | "Abs" => "write abs(x)",
        "sign" | "signum" => "write sgn(x)",
        "heaviside" | "Heaviside" | "theta" => "write step(x), 1 for x > 0 and else 0",
        "asin" | "arcsin" => "write pi/2 - acos(x)",
        "arccos" => "write acos(x)",
        "atan" | "arctan" => "write atan2(x, 1)",
        "cbrt" => "write sgn(x)*abs(x)^(1/3)",
        "sech" => "write 1/cosh(x)",
        "cot" => "write 1/tan(x)",
        "square" => "write x^2",
        "ceil" => "write -floor(-x)",
        "round" => "write floor(x + 0.5)",
        "fmod" => "write mod(x, y), which has the sign of y",
        _ => return None,
    })
}
