//! Chemical elements: symbols, masses, covalent radii.

/// Symbols and standard atomic weights (amu) of the elements 1 to 94, in order of their number; the longest-lived
/// isotope's mass number where there is none. Source: IUPAC standard atomic weights 2021, abridged.
#[rustfmt::skip]
const ELEMENTS: [(&str, f64); 94] = [
    ("H", 1.008), ("He", 4.0026), ("Li", 6.94), ("Be", 9.0122), ("B", 10.81), ("C", 12.011), ("N", 14.007), ("O", 15.999),
    ("F", 18.998), ("Ne", 20.180), ("Na", 22.990), ("Mg", 24.305), ("Al", 26.982), ("Si", 28.085), ("P", 30.974), ("S", 32.06),
    ("Cl", 35.45), ("Ar", 39.95), ("K", 39.098), ("Ca", 40.078), ("Sc", 44.956), ("Ti", 47.867), ("V", 50.942), ("Cr", 51.996),
    ("Mn", 54.938), ("Fe", 55.845), ("Co", 58.933), ("Ni", 58.693), ("Cu", 63.546), ("Zn", 65.38), ("Ga", 69.723), ("Ge", 72.630),
    ("As", 74.922), ("Se", 78.971), ("Br", 79.904), ("Kr", 83.798), ("Rb", 85.468), ("Sr", 87.62), ("Y", 88.906), ("Zr", 91.224),
    ("Nb", 92.906), ("Mo", 95.95), ("Tc", 97.0), ("Ru", 101.07), ("Rh", 102.91), ("Pd", 106.42), ("Ag", 107.87), ("Cd", 112.41),
    ("In", 114.82), ("Sn", 118.71), ("Sb", 121.76), ("Te", 127.60), ("I", 126.90), ("Xe", 131.29), ("Cs", 132.91), ("Ba", 137.33),
    ("La", 138.91), ("Ce", 140.12), ("Pr", 140.91), ("Nd", 144.24), ("Pm", 145.0), ("Sm", 150.36), ("Eu", 151.96), ("Gd", 157.25),
    ("Tb", 158.93), ("Dy", 162.50), ("Ho", 164.93), ("Er", 167.26), ("Tm", 168.93), ("Yb", 173.05), ("Lu", 174.97), ("Hf", 178.49),
    ("Ta", 180.95), ("W", 183.84), ("Re", 186.21), ("Os", 190.23), ("Ir", 192.22), ("Pt", 195.08), ("Au", 196.97), ("Hg", 200.59),
    ("Tl", 204.38), ("Pb", 207.2), ("Bi", 208.98), ("Po", 209.0), ("At", 210.0), ("Rn", 222.0), ("Fr", 223.0), ("Ra", 226.0),
    ("Ac", 227.0), ("Th", 232.04), ("Pa", 231.04), ("U", 238.03), ("Np", 237.0), ("Pu", 244.0),
];

/// Covalent radii in nm of the elements that bonds in molecules are made of. Source: Cordero et al., Dalton Trans. 2832 (2008).
const COVALENT: [(&str, f64); 13] = [
    ("H", 0.031),
    ("B", 0.084),
    ("C", 0.076),
    ("N", 0.071),
    ("O", 0.066),
    ("F", 0.057),
    ("Si", 0.111),
    ("P", 0.107),
    ("S", 0.105),
    ("Cl", 0.102),
    ("Se", 0.120),
    ("Br", 0.120),
    ("I", 0.139),
];
/// Stands for the metals and the rest.
const OTHER_COVALENT: f64 = 0.15;

/// A chemical element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Element(u8);

impl Element {
    /// Hydrogen.
    pub const H: Element = Element(0);

    /// The element of a symbol, in any case (`CL`, `Cl`, `cl`); `D` is hydrogen.
    pub fn of_symbol(symbol: &str) -> Option<Element> {
        if symbol.eq_ignore_ascii_case("D") {
            return Some(Element::H);
        }
        let at = ELEMENTS.iter().position(|(s, _)| s.eq_ignore_ascii_case(symbol))?;
        u8::try_from(at).ok().map(Element)
    }

    /// The element of an atomic number, 1 for hydrogen.
    pub fn of_number(number: u32) -> Option<Element> {
        let at = usize::try_from(number).ok()?.checked_sub(1).filter(|k| *k < ELEMENTS.len())?;
        u8::try_from(at).ok().map(Element)
    }

    /// The element whose standard mass is nearest to `mass` (amu), if it is within 1 %.
    pub fn of_mass(mass: f64) -> Option<Element> {
        let mut best: Option<(f64, usize)> = None;
        for (k, (_, m)) in ELEMENTS.iter().enumerate() {
            let off = (mass - m).abs() / m;
            if off < best.map_or(0.01, |b| b.0) {
                best = Some((off, k));
            }
        }
        best.and_then(|(_, k)| u8::try_from(k).ok()).map(Element)
    }

    /// `H`, `C`, `Cl`.
    pub fn symbol(self) -> &'static str {
        ELEMENTS[self.0 as usize].0
    }

    /// Standard atomic weight, amu.
    pub fn mass(self) -> f64 {
        ELEMENTS[self.0 as usize].1
    }

    /// Atomic number, 1 for hydrogen.
    pub fn number(self) -> u32 {
        u32::from(self.0) + 1
    }

    /// Covalent radius, nm; 0.15 for elements that are rare in molecules.
    pub fn covalent_radius(self) -> f64 {
        COVALENT.iter().find(|(s, _)| *s == self.symbol()).map_or(OTHER_COVALENT, |(_, r)| *r)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_masses_find_their_element() {
        assert_eq!(Element::of_symbol("CL").map(|e| (e.symbol(), e.number())), Some(("Cl", 17)));
        assert_eq!(Element::of_symbol("D"), Some(Element::H));
        assert_eq!(Element::of_symbol("Xx"), None);
        assert_eq!(Element::of_mass(14.01).map(Element::symbol), Some("N"));
        assert_eq!(Element::of_mass(3.02), None);
        assert_eq!(Element::of_mass(f64::NAN), None);
    }
}
