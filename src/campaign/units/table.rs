//! Known units, and products of them.

use super::{Kind, Misfit, Quantity, number_text, shown};
use crate::campaign::nearest;

/// Exponents of length, time, mass, temperature, amount of substance.
type Dims = [i32; 5];

impl Kind {
    const ALL: [Kind; 13] = [
        Kind::Time,
        Kind::InverseTime,
        Kind::Temperature,
        Kind::Energy,
        Kind::InverseEnergy,
        Kind::Length,
        Kind::Angle,
        Kind::Force,
        Kind::Stiffness,
        Kind::AngularStiffness,
        Kind::Mass,
        Kind::WallClock,
        Kind::Dimensionless,
    ];

    fn dims(self) -> Dims {
        match self {
            Kind::Time | Kind::WallClock => [0, 1, 0, 0, 0],
            Kind::InverseTime => [0, -1, 0, 0, 0],
            Kind::Temperature => [0, 0, 0, 1, 0],
            Kind::Energy | Kind::AngularStiffness => [2, -2, 1, 0, 0],
            Kind::InverseEnergy => [-2, 2, -1, 0, 0],
            Kind::Length => [1, 0, 0, 0, 0],
            Kind::Angle | Kind::Dimensionless => [0; 5],
            Kind::Force => [1, -2, 1, 0, 0],
            Kind::Stiffness => [0, -2, 1, 0, 0],
            Kind::Mass => [0, 0, 1, 0, 0],
        }
    }
}

/// One known name: factor up/down to the internal unit, dimensions.
struct Known {
    name: &'static str,
    up: f64,
    down: f64,
    dims: Dims,
    /// Belongs to the clock ("h"), to the simulation ("fs"), or to both.
    clock: Option<bool>,
}

const fn known(name: &'static str, up: f64, down: f64, dims: Dims) -> Known {
    Known { name, up, down, dims, clock: None }
}

const fn timed(name: &'static str, up: f64, down: f64, clock: Option<bool>) -> Known {
    Known { name, up, down, dims: [0, 1, 0, 0, 0], clock }
}

const ENERGY_MOL: Dims = [2, -2, 1, 0, 1];

/// Factors: SI prefixes; 1 cal = 4.184 J (thermochemical); 1 eV = 96.48533212331001 kJ/mol (e N_A, exact in the SI of 2019);
/// 1 bohr = 0.0529177210544 nm (CODATA 2022). Products such as kJ without /mol carry a mole, so they are told from kJ/mol.
const KNOWN: &[Known] = &[
    timed("fs", 1.0, 1e3, Some(false)),
    timed("ps", 1.0, 1.0, Some(false)),
    timed("ns", 1e3, 1.0, Some(false)),
    timed("us", 1e6, 1.0, Some(false)),
    timed("µs", 1e6, 1.0, Some(false)),
    timed("ms", 1e9, 1.0, None),
    timed("s", 1e12, 1.0, None),
    timed("min", 60e12, 1.0, Some(true)),
    timed("h", 3600e12, 1.0, Some(true)),
    timed("d", 86400e12, 1.0, Some(true)),
    known("K", 1.0, 1.0, [0, 0, 0, 1, 0]),
    known("mK", 1.0, 1e3, [0, 0, 0, 1, 0]),
    known("nm", 1.0, 1.0, [1, 0, 0, 0, 0]),
    known("A", 1.0, 10.0, [1, 0, 0, 0, 0]),
    known("Å", 1.0, 10.0, [1, 0, 0, 0, 0]),
    known("angstrom", 1.0, 10.0, [1, 0, 0, 0, 0]),
    known("pm", 1.0, 1e3, [1, 0, 0, 0, 0]),
    known("um", 1e3, 1.0, [1, 0, 0, 0, 0]),
    known("bohr", 0.052_917_721_054_4, 1.0, [1, 0, 0, 0, 0]),
    known("kJ", 1.0, 1.0, ENERGY_MOL),
    known("J", 1.0, 1e3, ENERGY_MOL),
    known("kcal", 4.184, 1.0, ENERGY_MOL),
    known("cal", 4.184, 1e3, ENERGY_MOL),
    known("eV", 96.485_332_123_310_01, 1.0, [2, -2, 1, 0, 0]),
    known("meV", 96.485_332_123_310_01, 1e3, [2, -2, 1, 0, 0]),
    known("mol", 1.0, 1.0, [0, 0, 0, 0, 1]),
    known("amu", 1.0, 1.0, [0, 0, 1, 0, 0]),
    known("u", 1.0, 1.0, [0, 0, 1, 0, 0]),
    known("Da", 1.0, 1.0, [0, 0, 1, 0, 0]),
    known("g", 1.0, 1.0, [0, 0, 1, 0, 1]),
    known("rad", 1.0, 1.0, [0; 5]),
    known("deg", std::f64::consts::PI, 180.0, [0; 5]),
    known("°", std::f64::consts::PI, 180.0, [0; 5]),
];

/// Units in full, and their signs.
const LONG: [(&str, &str); 14] = [
    ("femtosecond", "fs"),
    ("picosecond", "ps"),
    ("nanosecond", "ns"),
    ("second", "s"),
    ("sec", "s"),
    ("minute", "min"),
    ("hour", "h"),
    ("day", "d"),
    ("kelvin", "K"),
    ("nanometer", "nm"),
    ("nanometre", "nm"),
    ("degree", "deg"),
    ("radian", "rad"),
    ("dalton", "Da"),
];

/// A parsed unit: value in internal units = number * up / down.
pub(super) struct Unit {
    pub(super) up: f64,
    pub(super) down: f64,
    dims: Dims,
    angle: bool,
    clock: Option<bool>,
}

impl Unit {
    /// Products with `/`, `*` or a space, exponents with `^`: "kJ/mol/nm", "kcal/mol/A^2", "/ps", "ps^-1".
    pub(super) fn parse(text: &str) -> Result<Self, Misfit> {
        let mut unit = Unit { up: 1.0, down: 1.0, dims: [0; 5], angle: false, clock: None };
        let normal = text.replace("**", "^").replace(['·', '*'], " ");
        let mut below = false;
        let mut token = String::new();
        for c in normal.chars().chain(std::iter::once(' ')) {
            if c == '/' || c.is_whitespace() {
                if !token.is_empty() {
                    unit.take(&token, below, text)?;
                    token.clear();
                    below = false;
                }
                below |= c == '/';
            } else {
                token.push(c);
            }
        }
        if below {
            return Err(Misfit::new(format!("the unit \"{}\" ends in `/`", shown(text)), "write for example \"1 /ps\" or \"kJ/mol/nm\""));
        }
        Ok(unit)
    }

    fn take(&mut self, token: &str, below: bool, text: &str) -> Result<(), Misfit> {
        if token == "1" {
            return Ok(());
        }
        // "ps^-1", and as GROMACS writes it "ps-1"
        let end = token.find(|c: char| c == '^' || c == '-' || c.is_ascii_digit()).unwrap_or(token.len());
        let (name, tail) = token.split_at(end);
        let exponent = if tail.is_empty() { "1" } else { tail.strip_prefix('^').unwrap_or(tail) };
        let power = exponent.parse::<i32>().ok().filter(|p| (1..=6).contains(&p.unsigned_abs()));
        let Some(power) = power else {
            let what = format!("the exponent of \"{}\" in the unit \"{}\" is not a whole number from -6 to 6", shown(token), shown(text));
            return Err(Misfit::new(what, "write for example nm^2 or ps^-1"));
        };
        let known = KNOWN.iter().find(|k| k.name == name).ok_or_else(|| unknown(name, text))?;
        let sign = if below { -power } else { power };
        for _ in 0..sign.abs() {
            let (up, down) = if sign > 0 { (known.up, known.down) } else { (known.down, known.up) };
            self.up *= up;
            self.down *= down;
        }
        for (d, k) in self.dims.iter_mut().zip(known.dims) {
            *d += sign * k;
        }
        self.angle |= matches!(known.name, "rad" | "deg" | "°");
        self.clock = self.clock.or(known.clock);
        Ok(())
    }

    pub(super) fn check(&self, quantity: &Quantity, key: &str, kind: Kind) -> Result<(), Misfit> {
        let example = format!("write for example {key} = \"{} {}\"", number_text(quantity.number), kind.usual());
        let fits = self.dims == kind.dims() && self.angle == matches!(kind, Kind::Angle | Kind::AngularStiffness);
        if !fits {
            let remedy = if self.dims[4] != 0 && matches!(kind, Kind::Energy | Kind::Force | Kind::Mass | Kind::InverseEnergy) {
                let per_mole = quantity.unit.as_deref().map_or(String::new(), |unit| match unit.split_once('/') {
                    Some((energy, rest)) => format!("{energy}/mol/{rest}"),
                    None => format!("{unit}/mol"),
                });
                format!("energies and masses are per mole: write {key} = \"{} {per_mole}\"", number_text(quantity.number))
            } else if kind == Kind::Dimensionless {
                format!("write {key} = {}", number_text(quantity.number))
            } else {
                example
            };
            return Err(Misfit::new(format!("`{key}` is \"{quantity}\", {}; {} is expected", self.words(), kind.words()), remedy));
        }
        match (kind, self.clock) {
            (Kind::Time | Kind::InverseTime, Some(true)) => {
                let what = format!("`{key}` is \"{quantity}\": minutes, hours and days measure the clock, not the simulation");
                Err(Misfit::new(what, "use fs, ps, ns or us"))
            }
            (Kind::WallClock, Some(false)) => {
                let what = format!("`{key}` is \"{quantity}\", a time of the simulation; a time on the clock is expected");
                Err(Misfit::new(what, "use s, min or h, for example \"5 min\""))
            }
            _ => Ok(()),
        }
    }

    fn words(&self) -> String {
        if self.angle && self.dims == [0; 5] {
            return Kind::Angle.words().to_owned();
        }
        let named = Kind::ALL.iter().find(|k| k.dims() == self.dims && !matches!(k, Kind::Angle | Kind::WallClock));
        if let Some(kind) = named {
            return kind.words().to_owned();
        }
        let per_mole = [self.dims[0], self.dims[1], self.dims[2], self.dims[3], 0];
        if self.dims[4] == 1
            && let Some(kind) =
                Kind::ALL.iter().find(|k| k.dims() == per_mole && !matches!(k, Kind::Dimensionless | Kind::Angle | Kind::WallClock))
        {
            return format!("{} that is not per mole", kind.words());
        }
        let names = ["length", "time", "mass", "temperature", "amount"];
        let parts: Vec<String> = names
            .iter()
            .zip(self.dims)
            .filter(|(_, d)| *d != 0)
            .map(|(n, d)| if d == 1 { (*n).to_owned() } else { format!("{n}^{d}") })
            .collect();
        format!("of dimension {}", parts.join(" "))
    }
}

fn unknown(name: &str, text: &str) -> Misfit {
    let what = if name == text {
        format!("unknown unit \"{}\"", shown(name))
    } else {
        format!("unknown unit \"{}\" in \"{}\"", shown(name), shown(text))
    };
    if matches!(name, "C" | "°C" | "celsius" | "F" | "°F") {
        return Misfit::new(what, "temperatures are in kelvin: 25 degrees Celsius are \"298.15 K\"");
    }
    if name == "steps" || name == "step" {
        return Misfit::new(what, "a number of steps is a bare whole number");
    }
    if let Some((_, short)) = LONG.iter().find(|(long, _)| name.strip_suffix('s').unwrap_or(name).eq_ignore_ascii_case(long)) {
        return Misfit::new(what, format!("write \"{short}\""));
    }
    let same_letters = KNOWN.iter().find(|k| k.name.eq_ignore_ascii_case(name)).map(|k| k.name);
    match same_letters.or_else(|| nearest(name, KNOWN.iter().map(|k| k.name))) {
        Some(near) => Misfit::new(what, format!("did you mean \"{near}\"?")),
        None => Misfit::new(what, "known units: fs ps ns us, K, nm A pm, kJ/mol kcal/mol eV, amu, deg rad, s min h"),
    }
}
