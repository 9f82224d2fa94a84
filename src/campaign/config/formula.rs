//! A system given as a formula: `[system] formula = "..."`.

use std::ops::Range;

use super::campaign::Campaign;
use super::check_stage::need;
use super::leaf::{Number, Word};
use super::map::mapped;
use super::path::{LinearBase, Path};
use super::placed::Placed;
use super::raw;
use super::shape::Named;
use super::stage::Stage;
use super::system::{System, SystemFrom, Value};
use super::texts::{Drafts, Texts};
use crate::campaign::units::Quantity;
use crate::energy::text::{LAMBDA, TextPotential};
use crate::error::Complaint;
use crate::estimate::Reference;
use crate::expr::{Mistake, Tree, check_name, parse};

/// What `[system]` says about it; its parameters stand beside it in [`super::System`].
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// U(x; lambda) as text.
    pub text: Placed<String>,
    /// One name for each degree of freedom.
    pub variables: Vec<Placed<String>>,
    /// Mass of each; none: 1.
    pub masses: Option<Placed<Vec<f64>>>,
    /// Where replicas start; none: the origin.
    pub start: Option<Placed<Vec<f64>>>,
    /// What is known of it, by quantity; free energies in kT.
    pub references: Vec<(Placed<String>, Reference)>,
}

impl Formula {
    /// No energy, of one variable.
    pub(in crate::campaign) fn nothing() -> Self {
        let place = |text: &str| Placed::default_of(text.to_owned());
        Formula { text: place("0*x"), variables: vec![place("x")], masses: None, start: None, references: Vec::new() }
    }

    /// The names alone.
    pub fn names(&self) -> Vec<String> {
        self.variables.iter().map(|v| v.value.clone()).collect()
    }

    /// The potential.
    pub(in crate::campaign) fn potential(&self, parameters: &[(Placed<String>, Placed<Value>)]) -> Result<TextPotential, Mistake> {
        self.another(&self.text, parameters)
    }

    /// Another potential in the same variables and parameters.
    pub(in crate::campaign) fn another(
        &self,
        text: &str,
        parameters: &[(Placed<String>, Placed<Value>)],
    ) -> Result<TextPotential, Mistake> {
        TextPotential::compile(text, &self.names(), &numbers(parameters))
    }
}

/// Parameters of a formula; those that are no numbers were complained about.
pub(in crate::campaign) fn numbers(parameters: &[(Placed<String>, Placed<Value>)]) -> Vec<(String, f64)> {
    let number = |value: &Value| if let Value::Number(q) = value { Some(q.number) } else { None };
    parameters.iter().filter_map(|(name, value)| Some((name.value.clone(), number(&value.value)?))).collect()
}

impl System {
    /// Parameters of a formula that occur neither in it nor in any other formula of the campaign.
    pub(super) fn idle_parameters(&self, path: Option<&Path<Quantity>>, stages: &[Stage<Quantity>]) -> Vec<&Placed<String>> {
        let SystemFrom::Formula(formula) = &self.from else { return Vec::new() };
        let mut texts: Vec<&str> = vec![formula.text.as_str()];
        texts.extend(self.restraint.iter().map(|r| r.as_str()));
        texts.extend(self.observables.iter().map(|o| o.text.as_str()));
        if let Some(Path::Linear { base: LinearBase::Formula(base) }) = path {
            texts.push(base.as_str());
        }
        for (map, _) in stages.iter().filter_map(|s| mapped(&s.kind)) {
            texts.extend([&map.scale, &map.shift, &map.centre].map(|t| t.as_str()));
        }
        let trees: Vec<Tree> = texts.into_iter().filter_map(|text| parse(text).ok()).collect();
        let occurs = |name: &str| trees.iter().any(|tree| tree.names().iter().any(|(n, _)| *n == name));
        self.parameters.iter().map(|(key, _)| key).filter(|key| !occurs(key.as_str())).collect()
    }
}

impl Campaign {
    /// The complaint about a mistake in a formula that the campaign holds.
    pub(in crate::campaign) fn mistake(&self, text: &Placed<String>, mistake: Mistake) -> Complaint {
        self.complaint(&place(text, &mistake.span, &self.texts), mistake.what, mistake.remedy)
    }
}

/// Where a mistake in a text of the campaign lies, in bytes of the campaign; the whole text where escapes hide the place.
pub(super) fn place(text: &Placed<String>, mistake: &Range<usize>, texts: &Texts) -> Range<usize> {
    match texts.slice(&text.span).find(text.value.as_str()).filter(|_| !text.value.is_empty()) {
        Some(offset) => text.span.start + offset + mistake.start..text.span.start + offset + mistake.end,
        None => text.span.clone(),
    }
}

const SCOPE: &str = "[system]";

/// The keys of a formula in a table that has none.
pub(super) fn stray(raw: &raw::System, drafts: &mut Drafts) {
    let keys = [
        ("variables", raw.variables.as_ref().map(|v| &v.span)),
        ("masses", raw.masses.as_ref().map(|v| &v.span)),
        ("start", raw.start.as_ref().map(|v| &v.span)),
        ("references", raw.references.as_ref().and_then(|r| r.0.first()).map(|r| &r.0.span)),
    ];
    for (key, span) in keys {
        if let Some(span) = span {
            drafts.add(SCOPE, span, format!("`{key}` belongs to a formula"), "write formula = \"...\" beside it, or remove it");
        }
    }
}

/// Checks everything that can be checked without evaluating it.
pub(super) fn system(
    text: Placed<Word>,
    raw: raw::System,
    mut parameters: Parameters,
    texts: &Texts,
    drafts: &mut Drafts,
) -> (SystemFrom, Parameters) {
    for (key, other) in [("name", &raw.name), ("file", &raw.file), ("coordinates", &raw.coordinates)] {
        if let Some(other) = other {
            drafts.add(
                SCOPE,
                &other.span,
                format!("[system] has both a formula and a {key}").replace("a coordinates", "coordinates"),
                "keep one",
            );
        }
    }
    let text = text.with(text.value.0.clone());
    let list = raw.variables.map_or(Vec::new(), |list| list.value);
    if list.is_empty() {
        let remedy = "write variables = [\"x\", \"y\"], one name for each degree of freedom";
        drafts.missing(SCOPE, &text.span, "[system] has a formula but no variables", remedy);
    }
    let variables: Vec<Placed<String>> = list.into_iter().map(|v| v.with(v.value.0.clone())).collect();
    let dof = variables.len();
    let complete = names_are_fine(&variables, &mut parameters, drafts) && dof > 0;
    let row = |row: Option<Row>, key: &str, what: &str, drafts: &mut Drafts| row.and_then(|r| numbers_of(r, key, what, dof, drafts));
    let masses = row(raw.masses, "masses", "mass", drafts);
    for mass in masses.iter().filter(|m| m.iter().any(|m| *m <= 0.0)) {
        drafts.add(SCOPE, &mass.span, "a mass is not above 0", "give one mass above 0 for each variable");
    }
    let start = row(raw.start, "start", "number", drafts);
    let references = raw.references.map_or(Vec::new(), |r| references(r, drafts));
    let formula = Formula { text, variables, masses, start, references };
    if complete {
        meaning(&formula, &parameters, texts, drafts);
    }
    (SystemFrom::Formula(formula), parameters)
}

/// Known values; the incomplete and the impossible are complained about.
fn references(raw: Named<Placed<raw::Reference>>, drafts: &mut Drafts) -> Vec<(Placed<String>, Reference)> {
    let mut all = Vec::new();
    for (quantity, given) in raw.0 {
        let table = format!("references.{}", quantity.value);
        let raw::Reference { value, error, source } = &given.value;
        let value = need(SCOPE, &table, "value", "0.5", value.as_ref(), &given.span, drafts);
        let error = need(SCOPE, &table, "error", "0", error.as_ref(), &given.span, drafts);
        let source = need(SCOPE, &table, "source", "\"quadrature\"", source.as_ref(), &given.span, drafts);
        let (Some(value), Some(error), Some(source)) = (value, error, source) else { continue };
        if !value.value.0.is_finite() {
            drafts.add(SCOPE, &value.span, format!("the value of {table} is {}", value.value.0), "give a finite number");
        } else if !(error.value.0 >= 0.0 && error.value.0.is_finite()) {
            let what = format!("the error of {table} is {}: a standard error is 0 or more", error.value.0);
            drafts.add(SCOPE, &error.span, what, "write 0 for an exact value");
        } else {
            all.push((quantity, Reference { value: value.value.0, error: error.value.0, source: source.value.0.clone() }));
        }
    }
    all
}

type Parameters = Vec<(Placed<String>, Placed<Value>)>;
type Row = Placed<Vec<Placed<Number>>>;

/// Every name readable, not taken, and for one thing; every parameter a bare number. False when the formula cannot be judged.
fn names_are_fine(variables: &[Placed<String>], parameters: &mut Parameters, drafts: &mut Drafts) -> bool {
    let mut fine = true;
    let mut seen: Vec<&str> = Vec::new();
    for name in variables.iter().chain(parameters.iter().map(|(name, _)| name)) {
        let objection = match check_name(name) {
            Err(objection) => Some(objection),
            Ok(()) if name.value == LAMBDA => {
                Some(("the name \"lambda\" is the coupling parameter".to_owned(), "choose another name".to_owned()))
            }
            Ok(()) if seen.contains(&name.value.as_str()) => {
                Some((format!("the name \"{}\" stands for two things", name.value), "choose another name for one of them".to_owned()))
            }
            Ok(()) => None,
        };
        if let Some((what, remedy)) = objection {
            drafts.add(SCOPE, &name.span, what, remedy);
            fine = false;
        }
        seen.push(&name.value);
    }
    for (name, value) in parameters {
        let misfit = match &value.value {
            Value::Number(q) if q.unit.is_some() => Some("has a unit, but a formula is in reduced units".to_owned()),
            Value::Number(_) => None,
            Value::Text(text) => Some(format!("is the text \"{text}\", but must be a number")),
            Value::Flag(flag) => Some(format!("is {flag}, but must be a number")),
            Value::List(_) => Some("is a list, but must be a number".to_owned()),
        };
        if let Some(misfit) = misfit {
            drafts.add(SCOPE, &value.span, format!("parameter `{}` {misfit}", name.value), format!("write {} = 1.0", name.value));
            fine = false;
        }
    }
    fine
}

fn numbers_of(row: Row, key: &str, what: &str, dof: usize, drafts: &mut Drafts) -> Option<Placed<Vec<f64>>> {
    let numbers = row.with(row.value.iter().map(|n| n.value.0).collect::<Vec<f64>>());
    if numbers.len() != dof && dof > 0 {
        let message = format!("`{key}` has {} numbers, but there are {dof} variables", numbers.len());
        drafts.add(SCOPE, &row.span, message, format!("give one {what} for each variable"));
        return None;
    }
    if let Some(n) = row.value.iter().find(|n| !n.value.0.is_finite()) {
        drafts.add(SCOPE, &n.span, format!("{} in `{key}` is not finite", n.value.0), format!("give a finite {what}"));
        return None;
    }
    Some(numbers)
}

/// The formula itself: it must parse, know its names, and hold every variable.
fn meaning(formula: &Formula, parameters: &Parameters, texts: &Texts, drafts: &mut Drafts) {
    let text = &formula.text;
    let mistake = match (parse(text), formula.potential(parameters)) {
        (Err(mistake), _) | (_, Err(mistake)) => mistake,
        (Ok(tree), Ok(_)) => {
            let names = tree.names();
            for variable in formula.variables.iter().filter(|v| !names.iter().any(|(n, _)| *n == v.value)) {
                let what = format!("variable `{}` does not occur in the formula, so nothing confines it", variable.value);
                drafts.add(SCOPE, &variable.span, what, "remove it, or add a term that holds it");
            }
            return;
        }
    };
    drafts.add(SCOPE, &place(text, &mistake.span, texts), mistake.what, mistake.remedy);
}
