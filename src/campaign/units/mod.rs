//! Quantities with units, as people write them in a campaign: "300 K", "2 fs", "10 kJ/mol/nm".
//!
//! A text is a number and a unit; a unit is a product of known names with exponents ("kcal/mol/A^2", "/ps"). Whether a unit is
//! wanted depends on the system: molecules need one, systems in reduced units must not have one. So a campaign keeps [`Quantity`]
//! as written and turns it into a number only when the [`UnitSystem`] is known.
//!
//! Internal units of a molecule: nm, ps, amu, K, kJ/mol, e, rad.

mod table;

use std::fmt;

use table::Unit;

/// Boltzmann's constant in kJ/(mol K): k N_A = 1.380649e-23 J/K x 6.02214076e23 /mol, exact since the SI of 2019
/// (BIPM, The International System of Units, 9th edition).
pub const KB: f64 = 0.008_314_462_618_153_24;

/// How bare numbers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitSystem {
    /// nm, ps, amu, K, kJ/mol, e: quantities with dimensions need a unit.
    Molecular,
    /// The system's own units with k = 1: quantities are bare numbers.
    Reduced,
}

impl UnitSystem {
    /// Boltzmann's constant: kJ/(mol K), or 1.
    pub fn kb(self) -> f64 {
        match self {
            UnitSystem::Molecular => KB,
            UnitSystem::Reduced => 1.0,
        }
    }

    /// Name of the internal unit of a kind: "ps", "kJ/mol"; "" in reduced units.
    pub fn unit(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (_, Kind::WallClock) => "s",
            (UnitSystem::Molecular, kind) => kind.internal(),
            (UnitSystem::Reduced, Kind::Angle) => "rad",
            (UnitSystem::Reduced, _) => "",
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Time of the simulation, ps.
    Time,
    /// Friction, rates, 1/ps.
    InverseTime,
    /// K.
    Temperature,
    /// kJ/mol.
    Energy,
    /// mol/kJ.
    InverseEnergy,
    /// nm.
    Length,
    /// rad.
    Angle,
    /// kJ/mol/nm.
    Force,
    /// kJ/mol/nm^2.
    Stiffness,
    /// kJ/mol/rad^2.
    AngularStiffness,
    /// amu.
    Mass,
    /// Time on the clock, s.
    WallClock,
    /// A plain number.
    Dimensionless,
}

impl Kind {
    /// In words: "a time".
    pub fn words(self) -> &'static str {
        match self {
            Kind::Time => "a time",
            Kind::InverseTime => "an inverse time",
            Kind::Temperature => "a temperature",
            Kind::Energy => "an energy",
            Kind::InverseEnergy => "an inverse energy",
            Kind::Length => "a length",
            Kind::Angle => "an angle",
            Kind::Force => "a force",
            Kind::Stiffness => "a force constant",
            Kind::AngularStiffness => "a force constant of an angle",
            Kind::Mass => "a mass",
            Kind::WallClock => "a time on the clock",
            Kind::Dimensionless => "a plain number",
        }
    }

    /// The internal unit of molecules.
    pub fn internal(self) -> &'static str {
        match self {
            Kind::Time => "ps",
            Kind::InverseTime => "/ps",
            Kind::Temperature => "K",
            Kind::Energy => "kJ/mol",
            Kind::InverseEnergy => "mol/kJ",
            Kind::Length => "nm",
            Kind::Angle => "rad",
            Kind::Force => "kJ/mol/nm",
            Kind::Stiffness => "kJ/mol/nm^2",
            Kind::AngularStiffness => "kJ/mol/rad^2",
            Kind::Mass => "amu",
            Kind::WallClock => "s",
            Kind::Dimensionless => "",
        }
    }

    /// The unit that people would write here, for messages.
    fn usual(self) -> &'static str {
        match self {
            Kind::Time => "fs",
            Kind::Angle => "deg",
            Kind::WallClock => "min",
            kind => kind.internal(),
        }
    }
}

/// A number with its unit as written; `unit` is none for a bare number.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// The number before the unit; finite or, where a bound may be open, infinite.
    pub number: f64,
    /// The unit as written: "kJ/mol/nm".
    pub unit: Option<String>,
}

/// Why a text is no quantity, or not of the kind wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// What is wrong, starting with the value: "\"2 nm\" is a length".
    pub what: String,
    /// What to write instead.
    pub remedy: String,
}

impl Misfit {
    fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Misfit { what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            None => write!(f, "{}", number_text(self.number)),
            Some(unit) => write!(f, "{} {unit}", number_text(self.number)),
        }
    }
}

/// The shortest text that reads back as the same number; plain between 1e-5 and 1e15, scientific beyond.
pub(crate) fn number_text(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 {
        // "-0" would read back as the whole number 0
        return "0".to_owned();
    }
    if !x.is_finite() || (1e-5..1e15).contains(&size) { format!("{x}") } else { format!("{x:e}") }
}

impl Quantity {
    /// A bare number.
    pub fn bare(number: f64) -> Self {
        // -0.0 + 0.0 is 0.0: there is one zero only
        Quantity { number: number + 0.0, unit: None }
    }

    /// A number with a unit of our own choice (defaults).
    pub fn of(number: f64, unit: &str) -> Self {
        Quantity { number, unit: if unit.is_empty() { None } else { Some(unit.to_owned()) } }
    }

    /// Reads "2 fs", "1 /ps", "1.5e-3 nm", "90 deg", "12".
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        let trimmed = text.trim();
        let split = number_end(trimmed);
        let (number, unit) = trimmed.split_at(split);
        let unit = unit.split_whitespace().collect::<Vec<_>>().join(" ");
        let value = number.replace('_', "").parse::<f64>().map_err(|_| {
            Misfit::new(
                format!("\"{}\" does not start with a number", shown(text)),
                "write a number and a unit, for example \"2 fs\" or \"300 K\"",
            )
        })?;
        if !value.is_finite() {
            return Err(Misfit::new(format!("\"{}\" is not a finite number", shown(text)), "write a finite number"));
        }
        if unit.is_empty() {
            return Ok(Quantity::bare(value));
        }
        Unit::parse(&unit)?;
        Ok(Quantity { number: value + 0.0, unit: Some(unit) })
    }

    /// As a JSON or TOML value would be written: a bare number, or a quoted text.
    pub fn written(&self) -> String {
        match self.unit {
            None => number_text(self.number),
            Some(_) => format!("\"{self}\""),
        }
    }

    /// The number in internal units of `system`. `key` names the place in messages.
    pub fn resolve(&self, key: &str, kind: Kind, system: UnitSystem) -> Result<f64, Misfit> {
        let Some(text) = &self.unit else { return self.resolve_bare(key, kind, system) };
        if system == UnitSystem::Reduced && !matches!(kind, Kind::WallClock | Kind::Angle) {
            let remedy = format!("write the bare number in the system's own units: {key} = {}", number_text(self.number));
            return Err(Misfit::new(format!("`{key}` is \"{self}\", but this system is in reduced units"), remedy));
        }
        let unit = Unit::parse(text)?;
        unit.check(self, key, kind)?;
        if kind == Kind::WallClock {
            // 1 s is 1e12 ps; the factor first, so that seconds stay exact
            return Ok(self.number * (unit.up / (unit.down * 1e12)));
        }
        Ok(self.number * unit.up / unit.down)
    }

    fn resolve_bare(&self, key: &str, kind: Kind, system: UnitSystem) -> Result<f64, Misfit> {
        let open = self.number.is_infinite();
        if kind == Kind::Dimensionless || open || (system == UnitSystem::Reduced && kind != Kind::WallClock) {
            return Ok(self.number);
        }
        let number = number_text(self.number);
        // 0.002 was meant in ps, 2 in fs
        let usual = if kind == Kind::Time && self.number.abs() < 0.1 && self.number != 0.0 { "ps" } else { kind.usual() };
        let what = format!("`{key}` is the bare number {number}: {} needs a unit", kind.words());
        let others = match kind {
            Kind::Time if usual == "ps" => " (or fs, ns)",
            Kind::Time => " (or ps, ns)",
            Kind::Energy => " (or kcal/mol)",
            Kind::Length => " (or A)",
            Kind::Angle => " (or rad)",
            Kind::WallClock => " (or s, h)",
            _ => "",
        };
        Err(Misfit::new(what, format!("write {key} = \"{number} {usual}\"{others}")))
    }

    /// The number in internal units when the kind is not known beforehand (parameters of a system).
    pub fn resolve_any(&self) -> Result<f64, Misfit> {
        match &self.unit {
            None => Ok(self.number),
            Some(text) => Unit::parse(text).map(|unit| self.number * unit.up / unit.down),
        }
    }
}

/// Texts in messages are kept short.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short}...") } else { short }
}

/// Where the number at the start of `text` ends. "2e3 nm": an `e` belongs to the number only if digits follow.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut i = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    while i < bytes.len() && (bytes[i].is_ascii_digit() || matches!(bytes[i], b'.' | b'_')) {
        i += 1;
    }
    if i < bytes.len() && matches!(bytes[i], b'e' | b'E') {
        let sign = usize::from(matches!(bytes.get(i + 1), Some(b'+' | b'-')));
        if bytes.get(i + 1 + sign).is_some_and(u8::is_ascii_digit) {
            i += 2 + sign;
            while i < bytes.len() && bytes[i].is_ascii_digit() {
                i += 1;
            }
        }
    }
    i
}

#[cfg(test)]
mod tests {
    use super::*;

    fn molecular(text: &str, kind: Kind) -> Result<f64, Misfit> {
        Quantity::parse(text)?.resolve("key", kind, UnitSystem::Molecular)
    }

    #[test]
    fn units_become_internal_numbers() {
        let cases = [
            ("2 fs", Kind::Time, 0.002),
            ("2fs", Kind::Time, 0.002),
            ("50 ps", Kind::Time, 50.0),
            ("1 /ps", Kind::InverseTime, 1.0),
            ("1/ps", Kind::InverseTime, 1.0),
            ("0.3 ps^-1", Kind::InverseTime, 0.3),
            ("0.3 ps-1", Kind::InverseTime, 0.3),
            ("0.001 /fs", Kind::InverseTime, 1.0),
            ("300 K", Kind::Temperature, 300.0),
            ("1 kcal/mol", Kind::Energy, 4.184),
            ("10 kJ/mol/nm", Kind::Force, 10.0),
            ("1 kcal/mol/A", Kind::Force, 41.84),
            ("1.5 A", Kind::Length, 0.15),
            ("1.5 Å", Kind::Length, 0.15),
            ("180 deg", Kind::Angle, std::f64::consts::PI),
            ("12 g/mol", Kind::Mass, 12.0),
            ("0.4 mol/kJ", Kind::InverseEnergy, 0.4),
            ("12", Kind::Dimensionless, 12.0),
            ("1_000 fs", Kind::Time, 1.0),
            ("-1.5e2 deg", Kind::Angle, -150.0 * std::f64::consts::PI / 180.0),
        ];
        for (text, kind, want) in cases {
            assert_eq!(molecular(text, kind), Ok(want), "{text}");
        }
        assert_eq!(molecular("2h", Kind::WallClock), Ok(7200.0));
    }

    #[test]
    fn wrong_dimensions_name_both() {
        let misfit = molecular("2 nm", Kind::Time).unwrap_err();
        assert_eq!(misfit.what, "`key` is \"2 nm\", a length; a time is expected");
        assert_eq!(molecular("2 kJ", Kind::Energy).unwrap_err().remedy, "energies and masses are per mole: write key = \"2 kJ/mol\"");
        assert_eq!(molecular("2 min", Kind::Time).unwrap_err().remedy, "use fs, ps, ns or us");
        assert_eq!(molecular("2 PS", Kind::Time).unwrap_err().remedy, "did you mean \"ps\"?");
        assert!(molecular("2 nm^-2147483648", Kind::Length).unwrap_err().what.contains("is not a whole number from -6 to 6"));
        assert_eq!(molecular("2", Kind::Time).unwrap_err().remedy, "write key = \"2 fs\" (or ps, ns)");
    }

    #[test]
    fn reduced_units_refuse_units() {
        let quantity = Quantity::of(2.0, "fs");
        assert_eq!(
            quantity.resolve("timestep", Kind::Time, UnitSystem::Reduced).unwrap_err().remedy,
            "write the bare number in the system's own units: timestep = 2"
        );
        assert_eq!(Quantity::bare(0.5).resolve("timestep", Kind::Time, UnitSystem::Reduced), Ok(0.5));
    }

    #[test]
    fn written_numbers_read_back() {
        for x in [0.002, 1e-12, 2.0943951023931953, 1e15, 1e22, -0.1, 5e-324, f64::MAX] {
            assert_eq!(Quantity::parse(&format!("{} ps", number_text(x))).map(|q| q.number), Ok(x));
        }
    }
}
