//! `HarmonicBondForce`, `HarmonicAngleForce`, `PeriodicTorsionForce`.

use std::f64::consts::PI;

use roxmltree::Node;

use super::document::{Reader, tag};
use super::system::{Angle, Bond, MAX_PERIODICITY, Torsion};

/// Checks the frame of a bonded force and hands out its items.
fn open<'a, 'i>(reader: &mut Reader<'_>, force: Node<'a, 'i>, list: &str, item: &str) -> Vec<Node<'a, 'i>> {
    reader.attributes(force, &["type", "version"], &["name", "forceGroup", "usesPeriodic"]);
    reader.children(force, &[list]);
    if reader.flag(force, "usesPeriodic") {
        let class = force.attribute("type").unwrap_or_default();
        let remedy = "nothing periodic is supported yet; for a molecule in vacuum or implicit solvent call \
                      force.setUsesPeriodicBoundaryConditions(False) on it before serialising";
        reader.refuse(&format!("{class} with usesPeriodic=\"1\""), tag(force), remedy);
    }
    let list = reader.child(force, list);
    reader.items(list, item)
}

pub(super) fn bonds(reader: &mut Reader<'_>, force: Node<'_, '_>, atoms: usize) -> Vec<Bond> {
    let mut out = Vec::new();
    for node in open(reader, force, "Bonds", "Bond") {
        reader.attributes(node, &["p1", "p2", "d", "k"], &[]);
        reader.children(node, &[]);
        let length = reader.number_that(node, "d", "at least 0", |v| v >= 0.0);
        let k = reader.number_that(node, "k", "at least 0", |v| v >= 0.0);
        if let Some(atoms) = reader.particles(node, ["p1", "p2"], atoms) {
            out.push(Bond { atoms, length, k });
        }
    }
    out
}

pub(super) fn angles(reader: &mut Reader<'_>, force: Node<'_, '_>, atoms: usize) -> Vec<Angle> {
    let mut out = Vec::new();
    for node in open(reader, force, "Angles", "Angle") {
        reader.attributes(node, &["p1", "p2", "p3", "a", "k"], &[]);
        reader.children(node, &[]);
        // A hair above pi: 180 degrees converted with few digits.
        let angle = reader.number_that(node, "a", "an angle from 0 to pi, in radians", |v| (0.0..=PI + 1e-4).contains(&v));
        let k = reader.number_that(node, "k", "at least 0", |v| v >= 0.0);
        if let Some(atoms) = reader.particles(node, ["p1", "p2", "p3"], atoms) {
            out.push(Angle { atoms, angle, k });
        }
    }
    out
}

pub(super) fn torsions(reader: &mut Reader<'_>, force: Node<'_, '_>, atoms: usize) -> Vec<Torsion> {
    let mut out = Vec::new();
    for node in open(reader, force, "Torsions", "Torsion") {
        reader.attributes(node, &["p1", "p2", "p3", "p4", "periodicity", "phase", "k"], &[]);
        reader.children(node, &[]);
        let periodicity = reader.whole(node, "periodicity", 1, MAX_PERIODICITY);
        let phase = reader.number_that(node, "phase", "a phase in radians, not beyond 1000", |v| v.abs() <= 1e3);
        let k = reader.number(node, "k");
        if let Some(atoms) = reader.particles(node, ["p1", "p2", "p3", "p4"], atoms) {
            out.push(Torsion { atoms, periodicity, phase, k });
        }
    }
    out
}
