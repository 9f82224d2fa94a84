//! `CustomGBForce`, when its formulas are those of a known generalised-Born model. Nothing is interpreted: the texts are
//! compared with those that `openmm.app.internal.customgbforces` writes (OpenMM 8, and 7 where it differs: `q` for `charge`,
//! `step(..)*` for `select(step(..), .., 0)`), and anything else is refused.

use roxmltree::Node;

use super::document::{Reader, short, tag};
use super::formula::{Formula, close};
use super::nonbonded::{cutoff, method};
use super::system::{Implicit, ImplicitKind, Method, Neck};

/// Descreening integral, without and with necks.
const I_PLAIN: &str = "select(step(r+sr2-or1), 0.5*(1/L-1/U+0.25*(r-sr2^2/r)*(1/(U^2)-1/(L^2))+0.5*log(L/U)/r), 0);\
    U=r+sr2;L=max(or1, D);D=abs(r-sr2)";
const I_STEP: &str = "step(r+sr2-or1)*0.5*(1/L-1/U+0.25*(r-sr2^2/r)*(1/(U^2)-1/(L^2))+0.5*log(L/U)/r);U=r+sr2;L=max(or1, D);D=abs(r-sr2)";
const NECK: &str = "Ivdw+neckScale*Ineck;Ineck=step(radius1+radius2+neckCut-r)*getm0(radindex1,radindex2)/\
    (1+100*(r-getd0(radindex1,radindex2))^2+0.3*1000000*(r-getd0(radindex1,radindex2))^6);radius1=or1+offset;radius2=or2+offset;Ivdw=";
const NECK_CONSTANTS: [&str; 3] = ["neckScale", "neckCut", "offset"];

/// Born radius. The last three numbers are alpha, beta, gamma (none: one per particle, or none needed).
const BORN: [(ImplicitKind, &str, Option<[f64; 3]>); 5] = [
    (ImplicitKind::Hct, "1/(1/or-I)", None),
    (ImplicitKind::Obc1, "1/(1/or-tanh(0.8*psi+2.909125*psi^3)/radius);psi=I*or;radius=or+offset", Some([0.8, 0.0, 2.909125])),
    (ImplicitKind::Obc2, "1/(1/or-tanh(psi-0.8*psi^2+4.85*psi^3)/radius);psi=I*or;radius=or+offset", Some([1.0, 0.8, 4.85])),
    (
        ImplicitKind::Gbn,
        "1/(1/or-tanh(1.09511284*psi-1.907992938*psi^2+2.50798245*psi^3)/radius);psi=I*or;radius=or+offset",
        Some([1.09511284, 1.907992938, 2.50798245]),
    ),
    (ImplicitKind::Gbn2, "1/(1/or-tanh(alpha*psi-beta*psi^2+gamma*psi^3)/radius);psi=I*or;radius=or+offset", None),
];

/// Energies; `#` catches the Coulomb constant, the surface coefficient and the probe, the shift.
const SELF: [&str; 2] = [
    "-0.5*#*(1/soluteDielectric-1/solventDielectric)*charge^2/B",
    "-0.5*#*(1/soluteDielectric-exp(-kappa*B)/solventDielectric)*charge^2/B",
];
const SURFACE: &str = "#*(radius+#)^2*(radius/B)^6;radius=or+offset";
const PAIR: [&str; 4] = [
    "-#*(1/soluteDielectric-1/solventDielectric)*charge1*charge2/f;f=sqrt(r^2+B1*B2*exp(-r^2/(4*B1*B2)))",
    "-#*(1/soluteDielectric-1/solventDielectric)*charge1*charge2*(1/f-#);f=sqrt(r^2+B1*B2*exp(-r^2/(4*B1*B2)))",
    "-#*(1/soluteDielectric-exp(-kappa*f)/solventDielectric)*charge1*charge2/f;f=sqrt(r^2+B1*B2*exp(-r^2/(4*B1*B2)))",
    "-#*(1/soluteDielectric-exp(-kappa*f)/solventDielectric)*charge1*charge2*(1/f-#);f=sqrt(r^2+B1*B2*exp(-r^2/(4*B1*B2)))",
];
const CONSTANTS: [&str; 5] = ["solventDielectric", "soluteDielectric", "kappa", "offset", "cutoff"];

const REMEDY: &str = "recognised are HCT, OBC1, OBC2, GBn and GBn2 as openmm.app writes them: \
    ForceField('amber14-all.xml', 'implicit/obc1.xml') or prmtop.createSystem(implicitSolvent=OBC1); no other formula is interpreted";

/// The model in the formulas of the computed values I and B.
struct Model {
    kind: ImplicitKind,
    /// Scale and cut of the necks, and the offset in their formula.
    neck: Option<[f64; 3]>,
    /// Offset in the formula of B (HCT has none).
    offset: Option<f64>,
    coefficients: Option<[f64; 3]>,
}

/// What the energy terms say.
#[derive(Default)]
struct Energies {
    coulomb: Option<f64>,
    solvent: Option<f64>,
    solute: Option<f64>,
    offset: Option<f64>,
    surface: Option<[f64; 2]>,
    self_terms: usize,
    pair_terms: usize,
    shift: f64,
}

pub(super) fn custom_gb(reader: &mut Reader<'_>, force: Node<'_, '_>, atoms: usize, term: usize) -> Option<Implicit> {
    reader.attributes(force, &["type", "version", "method", "cutoff"], &["name", "forceGroup"]);
    let sections = ["PerParticleParameters", "GlobalParameters", "EnergyParameterDerivatives", "ComputedValues", "EnergyTerms"];
    let known: Vec<&str> = sections.iter().chain(&["Particles", "Exclusions", "Functions"]).copied().collect();
    reader.children(force, &known);
    for (name, thing) in [
        ("GlobalParameters", "global parameter of CustomGBForce"),
        ("EnergyParameterDerivatives", "parameter derivative of CustomGBForce"),
        ("Exclusions", "exclusion of CustomGBForce"),
    ] {
        reader.must_be_empty(force, name, thing, REMEDY);
    }
    let method = method(reader, force, "CustomGBForce");
    let cutoff = cutoff(reader, force, method);
    let model = model(reader, force)?;
    let (charge, columns) = columns(reader, force, model.kind)?;
    let energies = energies(reader, force, charge)?;

    let offset = model.offset.or(energies.offset)?;
    let offsets = [model.neck.map(|n| n[2]), energies.offset];
    if offsets.iter().flatten().any(|&o| !close(o, offset)) {
        reader.complain(tag(force), "the formulas of this CustomGBForce have different offsets", REMEDY);
    }
    let shift_fits = energies.shift == 0.0 || (energies.shift * cutoff - 1.0).abs() < 1e-9;
    if method == Method::CutoffNonPeriodic && (energies.shift == 0.0 || !shift_fits) {
        let what =
            format!("the pair energy of this CustomGBForce is not shifted by 1/cutoff (cutoff {cutoff} nm, shift {} /nm)", energies.shift);
        reader.complain(tag(force), what, "re-create the System with the cutoff given to createSystem, not set afterwards");
    }
    let neck_tables = match model.neck {
        Some(_) => [table(reader, force, "getd0"), table(reader, force, "getm0")],
        None => {
            reader.must_be_empty(force, "Functions", "tabulated function of CustomGBForce", REMEDY);
            [None, None]
        }
    };

    let list = reader.child(force, "Particles");
    let particles = reader.items(list, "Particle");
    reader.one_each(force, "CustomGBForce", particles.len(), atoms);
    let size = neck_tables[0].as_ref().map_or(0, |t| t.0);
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); columns.len()];
    let mut index = Vec::new();
    let names: Vec<String> = (1..=columns.len()).map(|k| format!("param{k}")).collect();
    let required: Vec<&str> = names.iter().map(String::as_str).collect();
    for node in particles {
        reader.attributes(node, &required, &[]);
        reader.children(node, &[]);
        for (k, (column, name)) in columns.iter().zip(&required).enumerate() {
            match *column {
                "or" => values[k].push(reader.number_that(node, name, "positive (a radius less its offset, nm)", |v| v > 0.0)),
                "radindex" => index.push(reader.whole(node, name, 0, u32::try_from(size.saturating_sub(1)).unwrap_or(0)) as usize),
                _ => values[k].push(reader.number(node, name)),
            }
        }
    }
    let mut take = |name: &str| columns.iter().position(|c| *c == name).map(|k| std::mem::take(&mut values[k]));
    let (charges, offset_radii, scaled_radii) = (take("charge")?, take("or")?, take("sr")?);
    let n = charges.len();
    let [alpha, beta, gamma] = match (model.kind, model.coefficients) {
        (ImplicitKind::Gbn2, _) => [take("alpha")?, take("beta")?, take("gamma")?],
        (_, Some(c)) => c.map(|v| vec![v; n]),
        (_, None) => [vec![0.0; n], vec![0.0; n], vec![0.0; n]],
    };
    let neck = match (model.neck, neck_tables) {
        (Some([scale, cut, _]), [Some((size, d0)), Some((other, m0))]) => {
            if other != size {
                reader.complain(tag(force), "the tables getd0 and getm0 of this CustomGBForce have different sizes", REMEDY);
            }
            Some(Neck { index, size, d0, m0, scale, cut })
        }
        _ => None,
    };
    let [surface, probe] = energies.surface.unwrap_or([0.0, 0.14]);
    Some(Implicit {
        term,
        kind: model.kind,
        charges,
        radii: offset_radii.iter().map(|v| v + offset).collect(),
        offset_radii,
        scaled_radii,
        alpha,
        beta,
        gamma,
        engulfed: false,
        neck,
        offset,
        solvent_dielectric: energies.solvent?,
        solute_dielectric: energies.solute?,
        coulomb: energies.coulomb?,
        surface,
        probe,
        method,
        cutoff,
        pair_shift: energies.shift,
    })
}

/// Refuses a formula that is not recognised, showing it.
fn unknown(reader: &mut Reader<'_>, node: Node<'_, '_>, role: &str) {
    let text = node.attribute("expression").unwrap_or_default();
    let span = node.attribute_node("expression").map_or(tag(node), |a| a.range());
    let text = text.char_indices().nth(300).map_or(text, |(i, _)| &text[..i]);
    reader.complain(span, format!("not supported: CustomGBForce with an unknown {role}: {text}"), REMEDY);
}

/// Reads the computed values: I, then B.
fn model(reader: &mut Reader<'_>, force: Node<'_, '_>) -> Option<Model> {
    let list = reader.child(force, "ComputedValues");
    let values = reader.items(list, "Value");
    for v in &values {
        reader.attributes(*v, &["expression", "name", "type"], &[]);
        reader.children(*v, &[]);
    }
    let [i, b] = values[..] else {
        let what = format!("not supported: CustomGBForce with {} computed values; the known models have I and B", values.len());
        reader.complain(tag(force), what, REMEDY);
        return None;
    };
    if i.attribute("name") != Some("I") || i.attribute("type") != Some("2") {
        unknown(reader, i, "first computed value (known: I, over all pairs)");
        return None;
    }
    if b.attribute("name") != Some("B") || b.attribute("type") != Some("0") {
        unknown(reader, b, "second computed value (known: B, per particle)");
        return None;
    }
    let Some((kind, coefficients, offset)) = Formula::read(b.attribute("expression")?).and_then(|f| {
        BORN.iter().find(|(_, known, _)| f.matches(known, &["offset"]).is_some()).map(|(kind, _, c)| (*kind, *c, f.constant("offset")))
    }) else {
        unknown(reader, b, "Born radius");
        return None;
    };
    let f = Formula::read(i.attribute("expression")?);
    let neck = match kind {
        ImplicitKind::Gbn | ImplicitKind::Gbn2 => f.and_then(|f| {
            [I_PLAIN, I_STEP].iter().find_map(|plain| f.matches(&format!("{NECK}{plain}"), &NECK_CONSTANTS))?;
            Some(Some([f.constant("neckScale")?, f.constant("neckCut")?, f.constant("offset")?]))
        }),
        _ => f.and_then(|f| f.matches(I_PLAIN, &[]).or_else(|| f.matches(I_STEP, &[])).map(|_| None)),
    };
    let Some(neck) = neck else {
        unknown(reader, i, "descreening integral");
        return None;
    };
    if kind != ImplicitKind::Hct && offset.is_none() {
        unknown(reader, b, "Born radius");
        return None;
    }
    Some(Model { kind, neck, offset, coefficients })
}

/// Reads the energy terms, in any order: one self term, one pair term, at most one surface term; `charge` is the name of
/// the charge in them.
fn energies(reader: &mut Reader<'_>, force: Node<'_, '_>, charge: &str) -> Option<Energies> {
    let list = reader.child(force, "EnergyTerms");
    let terms = reader.items(list, "Term");
    if terms.len() > 3 {
        let what = format!(
            "not supported: CustomGBForce with {} energy terms; the known models have two, or three with a surface term",
            terms.len()
        );
        reader.complain(tag(force), what, REMEDY);
        return None;
    }
    let mut all = Energies::default();
    for node in terms {
        reader.attributes(node, &["expression", "type"], &[]);
        reader.children(node, &[]);
        let Some(f) = node.attribute("expression").and_then(Formula::read) else {
            unknown(reader, node, "energy term");
            return None;
        };
        let first = |known: &[&str]| known.iter().find_map(|k| f.matches(&k.replace("charge", charge), &CONSTANTS));
        let known = match node.attribute("type") {
            Some("0") => match (first(&SELF), f.matches(SURFACE, &CONSTANTS)) {
                (Some(c), _) => {
                    all.self_terms += 1;
                    agree(&mut all.coulomb, c.first().copied())
                }
                (None, Some(c)) if all.surface.is_none() => {
                    all.surface = <[f64; 2]>::try_from(c).ok();
                    agree(&mut all.offset, f.constant("offset"))
                }
                _ => false,
            },
            Some("2") => first(&PAIR).is_some_and(|c| {
                all.pair_terms += 1;
                all.shift = c.get(1).copied().unwrap_or(0.0);
                agree(&mut all.coulomb, c.first().copied())
            }),
            _ => false,
        };
        if !known {
            unknown(reader, node, "energy term");
            return None;
        }
        if let Some(kappa) = f.constant("kappa").filter(|k| *k != 0.0) {
            let span = node.attribute_node("expression").map_or(tag(node), |a| a.range());
            let remedy =
                "salt is not supported yet; re-create the System with implicitSolventKappa=0 (and without implicitSolventSaltConc)";
            reader.complain(span, format!("not supported: CustomGBForce with kappa={kappa} /nm (ionic strength)"), remedy);
            return None;
        }
        let surface = f.matches(SURFACE, &CONSTANTS).is_some();
        let constants_agree = (surface && f.constant("solventDielectric").is_none()
            || agree(&mut all.solvent, f.constant("solventDielectric")))
            && (surface && f.constant("soluteDielectric").is_none() || agree(&mut all.solute, f.constant("soluteDielectric")))
            && (f.constant("offset").is_none() || agree(&mut all.offset, f.constant("offset")));
        if !constants_agree {
            unknown(reader, node, "energy term, or one that disagrees with the terms before it");
            return None;
        }
    }
    if all.self_terms != 1 || all.pair_terms != 1 {
        let what = format!("CustomGBForce has {} self terms and {} pair terms; it needs one of each", all.self_terms, all.pair_terms);
        reader.complain(tag(force), what, REMEDY);
        return None;
    }
    let fine = |v: Option<f64>| v.is_some_and(|v| v > 0.0 && v.is_finite());
    if !(fine(all.solvent) && fine(all.solute) && fine(all.coulomb)) {
        reader.complain(tag(force), "the dielectric constants of this CustomGBForce must be positive", REMEDY);
        return None;
    }
    Some(all)
}

/// Keeps the first value, and says whether a later one is the same.
fn agree(kept: &mut Option<f64>, new: Option<f64>) -> bool {
    match (*kept, new) {
        (_, None) => false,
        (None, Some(_)) => {
            *kept = new;
            true
        }
        (Some(a), Some(b)) => close(a, b),
    }
}

/// The name of the charge (`charge`, in OpenMM 7 `q`), and what the per-particle parameters are, checked against the model.
fn columns(reader: &mut Reader<'_>, force: Node<'_, '_>, kind: ImplicitKind) -> Option<(&'static str, &'static [&'static str])> {
    let expected: &[&str] = match kind {
        ImplicitKind::Gbn => &["charge", "or", "sr", "radindex"],
        ImplicitKind::Gbn2 => &["charge", "or", "sr", "alpha", "beta", "gamma", "radindex"],
        _ => &["charge", "or", "sr"],
    };
    let list = reader.child(force, "PerParticleParameters");
    let items = reader.items(list, "Parameter");
    for p in &items {
        reader.attributes(*p, &["name"], &[]);
        reader.children(*p, &[]);
    }
    let names: Vec<&str> = items.iter().filter_map(|p| p.attribute("name")).collect();
    let charge = if names.first() == Some(&"q") { "q" } else { "charge" };
    if names.first() != Some(&charge) || names[1..] != expected[1..] {
        let found: Vec<String> = names.iter().take(12).map(|n| short(n)).collect();
        let what = format!("not supported: CustomGBForce with the parameters {found:?} instead of {expected:?}");
        reader.complain(tag(force), what, REMEDY);
        return None;
    }
    Some((charge, expected))
}

/// A square table of `Discrete2DFunction`, as (size, row-major values): OpenMM stores value(i, j) at `i + size * j`.
fn table(reader: &mut Reader<'_>, force: Node<'_, '_>, name: &str) -> Option<(usize, Vec<f64>)> {
    let list = reader.child(force, "Functions")?;
    let functions = reader.items(Some(list), "Function");
    let named: Vec<&Node<'_, '_>> = functions.iter().filter(|f| f.attribute("name") == Some(name)).collect();
    let (&[&node], 2) = (&named[..], functions.len()) else {
        reader.complain(tag(list), format!("CustomGBForce has not one table {name} and one other"), REMEDY);
        return None;
    };
    if node.attribute("type") != Some("Discrete2DFunction") {
        let what = format!("not supported: table {name} of type {:?}", short(node.attribute("type").unwrap_or_default()));
        reader.complain(tag(node), what, REMEDY);
        return None;
    }
    reader.attributes(node, &["name", "type", "xsize", "ysize"], &["version"]);
    reader.children(node, &["Values"]);
    let (x, y) = (reader.whole(node, "xsize", 1, 10_000) as usize, reader.whole(node, "ysize", 1, 10_000) as usize);
    let list = reader.child(node, "Values");
    let mut values = Vec::new();
    for v in reader.items(list, "Value") {
        reader.attributes(v, &["v"], &[]);
        reader.children(v, &[]);
        values.push(reader.number(v, "v"));
    }
    if x != y || values.len() != x * y {
        let what = format!("table {name} has {} values and sizes {x} x {y}; a square one is needed", values.len());
        reader.complain(tag(node), what, "the file is damaged; write it again with openmm.XmlSerializer.serialize(system)");
        return None;
    }
    let mut rows = Vec::with_capacity(values.len());
    for i in 0..x {
        for j in 0..x {
            rows.push(values[i + x * j]);
        }
    }
    Some((x, rows))
}
