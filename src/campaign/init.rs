//! `ergodica init`: a first campaign for a system, every line explained, that runs in under a minute.

use super::config::Propagator;
use super::units::UnitSystem;

/// Where the system of a new campaign comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitSystem {
    /// A folder of systems/, or its path.
    Name(String),
    /// OpenMM System XML and PDB.
    Files {
        /// XML.
        file: String,
        /// PDB.
        coordinates: String,
    },
}

/// What a new campaign says; start from [`Suggestion::molecular`] or [`Suggestion::reduced`] and put the system's own defaults in.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The system.
    pub system: InitSystem,
    /// Its units.
    pub units: UnitSystem,
    /// How it is sampled.
    pub propagator: Propagator,
    /// Time step as it stands in the file: "1 fs", "0.005".
    pub timestep: String,
    /// Friction, the same way; used if the propagator has one.
    pub friction: String,
    /// Temperature, the same way.
    pub temperature: String,
    /// Replicas.
    pub replicas: u64,
    /// Steps of the sampling.
    pub steps: u64,
    /// Steps between frames.
    pub every: u64,
    /// Stored columns.
    pub columns: Vec<String>,
    /// Columns whose means are estimated.
    pub means: Vec<String>,
    /// One or two columns of a free-energy surface; empty for none.
    pub surface: Vec<String>,
}

impl Suggestion {
    /// For a molecule; `dihedrals` tells whether it has phi and psi.
    pub fn molecular(system: InitSystem, dihedrals: bool) -> Self {
        let texts = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let mut columns = texts(&["positions", "energy", "kinetic_temperature", "radius_of_gyration"]);
        let surface = if dihedrals { texts(&["phi", "psi"]) } else { Vec::new() };
        columns.extend(surface.iter().map(|angle| format!("dihedral:{angle}")));
        Suggestion {
            system,
            units: UnitSystem::Molecular,
            propagator: Propagator::Baoab,
            timestep: "1 fs".to_owned(),
            friction: "1 /ps".to_owned(),
            temperature: "300 K".to_owned(),
            replicas: 32,
            steps: 100_000,
            every: 100,
            columns,
            means: texts(&["energy", "radius_of_gyration"]),
            surface,
        }
    }

    /// For a system in reduced units.
    pub fn reduced(system: InitSystem) -> Self {
        Suggestion {
            system,
            units: UnitSystem::Reduced,
            propagator: Propagator::Baoab,
            timestep: "0.005".to_owned(),
            friction: "1.0".to_owned(),
            temperature: "1.0".to_owned(),
            replicas: 32,
            steps: 200_000,
            every: 100,
            columns: vec!["energy".to_owned(), "configurational_temperature".to_owned()],
            means: vec!["energy".to_owned(), "configurational_temperature".to_owned()],
            surface: Vec::new(),
        }
    }
}

/// The text of a first campaign called `name`.
pub fn campaign_text(name: &str, suggestion: &Suggestion) -> String {
    let s = suggestion;
    let molecular = s.units == UnitSystem::Molecular;
    let quantity = |text: &str| if molecular { quote(text) } else { text.to_owned() };
    let list = |texts: &[String]| format!("[{}]", texts.iter().map(|t| quote(t)).collect::<Vec<_>>().join(", "));
    let say = |key: &str, value: String, why: &str| format!("{:<44} # {why}", format!("{key} = {value}"));
    let head = [
        say("name", quote(name), "the run directory is runs/NAME"),
        say("seed", "1".to_owned(), "same seed, same results, bit for bit; without one a seed is drawn and stored"),
    ];
    let system = match &s.system {
        InitSystem::Name(name) => vec![say("name", quote(name), "`ergodica list systems` shows all, `ergodica describe NAME` one")],
        InitSystem::Files { file, coordinates } => vec![
            say("file", quote(file), "an OpenMM System, written by openmm.XmlSerializer.serialize"),
            say("coordinates", quote(coordinates), "its PDB: atom names and a start"),
        ],
    };
    let mut sample: Vec<String> = Vec::new();
    let mut set = |key: &str, value: String, why: &str| sample.push(say(key, value, why));
    set("propagator", quote(s.propagator.name()), "how replicas move: `ergodica list samplers`");
    set("timestep", quantity(&s.timestep), "`ergodica check` compares it with the fastest vibration");
    if s.propagator.has_friction() {
        set("friction", quantity(&s.friction), "coupling to the heat bath");
    }
    set("temperature", quantity(&s.temperature), if molecular { "or beta = \"... mol/kJ\"" } else { "kT in the system's units" });
    set("replicas", s.replicas.to_string(), "independent copies: they give the error bars");
    set("steps", s.steps.to_string(), "of each replica; `ergodica extend` adds more later");
    if molecular {
        set("start", quote("stage:relax"), "where the stage above ended");
    }
    set("discard", quote("auto"), "what estimates leave out at the start; or a time, or a number of steps");
    let every = say("every", s.every.to_string(), "steps between stored frames; divides steps");
    let observe = [every, "# what is stored of each frame".to_owned(), format!("columns = {}", list(&s.columns))];

    let mut out = vec![
        "# A first campaign for Ergodica. `ergodica check FILE` shows its plan, `ergodica run FILE` runs it.".to_owned(),
        "# All keys: `ergodica schema`.".to_owned(),
        String::new(),
        "[campaign]".to_owned(),
    ];
    out.extend(head);
    out.extend([String::new(), "# What is sampled.".to_owned(), "[system]".to_owned()]);
    out.extend(system);
    if molecular {
        out.extend(
            ["", "# Stages run in order. The first takes bad contacts out of the structure.", "[[stage]]", "name = \"relax\""]
                .map(str::to_owned),
        );
        out.push("minimise = { tolerance = \"10 kJ/mol/nm\", max_steps = 500 }".to_owned());
    }
    let which = if molecular { "# The second samples." } else { "# Stages run in order. The first samples." };
    out.extend([String::new(), which.to_owned(), "[[stage]]".to_owned(), "name = \"production\"".to_owned(), "[stage.sample]".to_owned()]);
    out.extend(sample);
    out.push("[stage.observe]".to_owned());
    out.extend(observe);
    out.extend(["", "# Means with standard errors.", "[[stage]]", "name = \"means\""].map(str::to_owned));
    out.push(format!("estimate = {{ method = \"mean\", from = \"production\", of = {} }}", list(&s.means)));
    if !s.surface.is_empty() {
        out.extend(["", "# A free-energy surface with error bars.", "[[stage]]", "name = \"surface\""].map(str::to_owned));
        out.push(format!("estimate = {{ method = \"fes\", from = \"production\", of = {} }}", list(&s.surface)));
    }
    out.extend(["", "# To repeat all of it at several temperatures, take the # away:", "# [sweep]"].map(str::to_owned));
    let temperatures = if molecular { "[\"300 K\", \"350 K\"]" } else { "[0.5, 1.0]" };
    out.push(format!("# \"production.temperature\" = {temperatures}"));
    out.join("\n") + "\n"
}

fn quote(text: &str) -> String {
    super::config::quote(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Campaign;
    use crate::error::Source;

    #[test]
    fn first_campaigns_are_good_campaigns() {
        let named = |name: &str| InitSystem::Name(name.to_owned());
        let files = InitSystem::Files { file: "my \"own\".xml".to_owned(), coordinates: "C:\\my.pdb".to_owned() };
        let suggestions =
            [Suggestion::molecular(named("ala2"), true), Suggestion::molecular(files, false), Suggestion::reduced(named("lj13-efm"))];
        for suggestion in suggestions {
            let text = campaign_text("first", &suggestion);
            let campaign = Campaign::parse(&Source::new("first.toml", text.clone()), &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
            let resolved = campaign.resolve(suggestion.units).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert!(resolved.warnings.is_empty());
            assert!(text.matches('#').count() > 12);
            let swept = text.replace("# [sweep]", "[sweep]").replace("# \"production", "\"production");
            let campaign = Campaign::parse(&Source::new("first.toml", swept), &[]).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(campaign.points().len(), 2);
        }
    }
}
