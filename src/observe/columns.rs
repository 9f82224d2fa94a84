//! The columns a campaign can ask for, measured on positions, velocities and forces.

use super::{Observer, geometry};
use crate::Result;
use crate::batch::{Ensemble, Phase};
use crate::energy::collective::Collective;
use crate::energy::{Evaluation, Potential};
use crate::io::sink::{Column, Frame, Kind};
use crate::real::Octet;
use std::sync::Arc;

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// All positions.
    Positions,
    /// All velocities.
    Velocities,
    /// All forces.
    Forces,
    /// Potential energy.
    Energy,
    /// The energy of every term.
    Terms,
    /// The energy of one term.
    Term(usize),
    /// 2 K / (k N_f): from the O step where the propagator has one.
    KineticTemperature,
    /// From the virial theorem, sum (x - x_cm) . dU/dx = N_f k T on average (not in a single frame), for bound systems.
    ConfigurationalTemperature,
    /// Mass-weighted.
    RadiusOfGyration,
    /// Dihedral angle of four atoms, radians in (-pi, pi].
    Dihedral([usize; 4]),
    /// Distance of two particles.
    Distance(usize, usize),
    /// One coordinate.
    Coordinate(usize),
    /// Any collective variable.
    Collective(Along),
}

/// A collective variable that is measured; the same one when it is the same object.
#[derive(Clone)]
pub struct Along(pub Arc<dyn Collective>);

impl std::fmt::Debug for Along {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a collective variable of {} coordinates", self.0.support().len())
    }
}

impl PartialEq for Along {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What the measures need to know about the system.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Dimensions of space; `dof` itself when the system has no particles.
    pub dimension: usize,
    /// Particles; 0 for a density on R^n.
    pub particles: usize,
    /// Boltzmann's constant in the system's units.
    pub kb: f64,
    /// Is the centre of mass at rest (then it carries no temperature)?
    pub com_removed: bool,
}

/// Measures a list of columns.
pub struct Columns {
    potential: Arc<dyn Potential>,
    setting: Setting,
    measures: Vec<Measure>,
    evaluation: Evaluation,
}

impl Columns {
    /// An observer of these measures.
    pub fn new(potential: Arc<dyn Potential>, setting: Setting, measures: Vec<Measure>) -> Self {
        let terms = measures.iter().any(|m| matches!(m, Measure::Terms | Measure::Term(_)));
        let evaluation = if terms { Evaluation::with_terms() } else { Evaluation::new() };
        Columns { potential, setting, measures, evaluation }
    }

    /// Does it evaluate the potential at each frame?
    pub fn evaluates(&self) -> bool {
        use Measure::{ConfigurationalTemperature, Energy, Forces, Term, Terms};
        self.measures.iter().any(|m| matches!(m, Energy | Terms | Term(_) | Forces | ConfigurationalTemperature))
    }

    /// Headers of the columns; `names` and `units` go with the measures, `double` is the width of stored arrays.
    pub fn headers(&self, names: &[String], units: &[Option<String>], double: bool) -> Vec<Column> {
        let dof = self.potential.dof();
        let mut columns = Vec::with_capacity(self.measures.len());
        for ((measure, name), unit) in self.measures.iter().zip(names).zip(units) {
            let (kind, width, labels) = match measure {
                Measure::Positions => (Kind::Positions, dof, Vec::new()),
                Measure::Velocities => (Kind::Velocities, dof, Vec::new()),
                Measure::Forces => (Kind::Forces, dof, Vec::new()),
                Measure::Terms => {
                    let labels = self.potential.terms();
                    (Kind::Observable, labels.len(), labels)
                }
                _ => (Kind::Observable, 1, Vec::new()),
            };
            let double = double || kind == Kind::Observable;
            columns.push(Column { name: name.clone(), kind, width, unit: unit.clone(), labels, double });
        }
        columns
    }

    /// Thermal degrees of freedom of one replica.
    fn thermal_dof(&self) -> f64 {
        let all = self.potential.dof();
        (if self.setting.com_removed { all - self.setting.dimension } else { all }) as f64
    }
}

impl Observer<Phase> for Columns {
    fn observe(&mut self, ens: &Ensemble<Phase>, kinetic: Option<&[f64]>, out: &mut Frame) -> Result<()> {
        let phase = ens.state();
        if self.evaluates() {
            self.potential.eval(&phase.x, ens.thermo(), &mut self.evaluation)?;
        }
        let dof = self.potential.dof();
        let dimension = self.setting.dimension.max(1);
        let thermal = self.thermal_dof();
        out.values.resize_with(self.measures.len(), Vec::new);
        let mut x = vec![0.0; dof];
        let mut f = vec![0.0; dof];
        for (measure, values) in self.measures.iter().zip(&mut out.values) {
            values.clear();
            if let Measure::Collective(Along(xi)) = measure {
                let mut gradient = vec![Octet::of(0.0); xi.support().len()];
                for b in 0..phase.x.blocks() {
                    values.extend(xi.value_gradient_block(phase.x.block(b), &mut gradient).0);
                }
                values.truncate(ens.replicas());
                continue;
            }
            for r in 0..ens.replicas() {
                match measure {
                    Measure::Positions | Measure::Velocities | Measure::Forces => {
                        let source = match measure {
                            Measure::Positions => &phase.x,
                            Measure::Velocities => &phase.v,
                            _ => &self.evaluation.f,
                        };
                        source.row(r, &mut x);
                        values.extend_from_slice(&x);
                    }
                    Measure::Energy => values.push(self.evaluation.u.get(r, 0)),
                    Measure::Terms | Measure::Term(_) => {
                        let Some(terms) = &self.evaluation.terms else { continue };
                        let range = if let Measure::Term(t) = measure { *t..t + 1 } else { 0..terms.dof() };
                        for t in range {
                            values.push(terms.get(r, t));
                        }
                    }
                    Measure::KineticTemperature => {
                        let k = kinetic.map_or_else(|| phase.kinetic(r), |k| k[r]);
                        values.push(2.0 * k / (thermal * self.setting.kb));
                    }
                    Measure::ConfigurationalTemperature => {
                        phase.x.row(r, &mut x);
                        self.evaluation.f.row(r, &mut f);
                        values.push(virial(&x, &f, phase.mass(), dimension, self.setting.com_removed) / (thermal * self.setting.kb));
                    }
                    Measure::RadiusOfGyration => {
                        phase.x.row(r, &mut x);
                        values.push(geometry::radius_of_gyration(&x, phase.mass(), dimension));
                    }
                    Measure::Dihedral(atoms) => {
                        phase.x.row(r, &mut x);
                        values.push(geometry::dihedral(&x, *atoms));
                    }
                    Measure::Distance(a, b) => {
                        phase.x.row(r, &mut x);
                        values.push(geometry::distance(&x, dimension, *a, *b));
                    }
                    Measure::Coordinate(d) => values.push(phase.x.get(r, *d)),
                    Measure::Collective(_) => {} // in lanes, above
                }
            }
        }
        Ok(())
    }
}

/// -sum (x - x_cm) . f, or -sum x . f where the centre of mass is free.
fn virial(x: &[f64], f: &[f64], mass: &[f64], dimension: usize, about_centre: bool) -> f64 {
    let centre = if about_centre { geometry::centre_of_mass(x, mass, dimension) } else { vec![0.0; dimension] };
    let mut sum = 0.0;
    for (d, (x, f)) in x.iter().zip(f).enumerate() {
        sum -= (x - centre[d % dimension]) * f;
    }
    sum
}
