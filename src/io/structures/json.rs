//! `{"configs": [{"id": ..., "x": [...], "t": ...}]}`: configurations to evaluate or to start from.

use serde::Deserialize;

use crate::error::Source;
use crate::{Error, Result};

/// Largest text that is read.
const MAX_BYTES: usize = 32 << 20;

/// One configuration of a file; keys that are not named here (reference files carry energies and forces) are ignored.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Config {
    /// What the file calls it: a number or a text, given back as it came.
    pub id: serde_json::Value,
    /// Coordinates, `[dof]`.
    pub x: Vec<f64>,
    /// Time, for flows that depend on it.
    #[serde(default)]
    pub t: Option<f64>,
}

impl Config {
    /// The id as text.
    pub fn label(&self) -> String {
        match &self.id {
            serde_json::Value::String(s) => s.clone(),
            other => other.to_string(),
        }
    }
}

#[derive(Deserialize)]
struct File {
    configs: Vec<Config>,
}

/// Reads the configurations of a text. The number of coordinates is the caller's to check.
///
/// Errors: `Error::Input` at the place where the text is not of this form; an id that is no number and no text.
pub fn read_configs(source: &Source) -> Result<Vec<Config>> {
    const REMEDY: &str = r#"the form is {"configs": [{"id": 0, "x": [0.1, 0.2, ...]}, ...]}"#;
    if source.text.len() > MAX_BYTES {
        let what = format!("the JSON file has {} MB; at most {} MB are read", source.text.len() >> 20, MAX_BYTES >> 20);
        return Err(Error::input_at(source, 0..0, what, "use a .npy file for many configurations"));
    }
    let file: File = serde_json::from_str(&source.text).map_err(|e| {
        let start: usize = source.text.split_inclusive('\n').take(e.line().saturating_sub(1)).map(str::len).sum();
        let at = (start + e.column().saturating_sub(1)).min(source.text.len());
        // serde_json appends " at line L column C", which the complaint's place says already.
        let what = e.to_string();
        let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(head, _)| head).to_owned();
        Error::input_at(source, at..at, what, REMEDY)
    })?;
    for (k, config) in file.configs.iter().enumerate() {
        if !(config.id.is_number() || config.id.is_string()) {
            return Err(Error::input(format!("{}: configs[{k}]: the id is no number and no text", source.name), REMEDY));
        }
    }
    Ok(file.configs)
}
