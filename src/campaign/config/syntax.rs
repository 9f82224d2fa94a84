//! What was probably meant where a campaign is not TOML.

/// Whether the parser believes to be inside `{ ... }`.
pub(super) fn inside_inline_table(message: &str) -> bool {
    message.starts_with("missing key for inline table") || message.starts_with("missing comma between key-value pairs")
}

/// Message and remedy for a syntax error; `rest` is the text from the beginning of its line.
pub(super) fn explain(rest: &str, message: &str) -> (String, String) {
    let line = rest.lines().next().unwrap_or_default();
    let (key, value) =
        line.split_once('=').map_or((line.trim(), None), |(k, v)| (k.trim(), Some(v.split('#').next().unwrap_or_default().trim())));
    let shown: String = value.unwrap_or_default().chars().take(60).collect();
    let other = format!("this is not TOML: {message}");
    if message == "duplicate key" {
        return ("this key or table is there already".to_owned(), "keep one of the two".to_owned());
    }
    if inside_inline_table(message) {
        let what = "a table that was opened with { is not closed, or a comma is missing in it";
        return (what.to_owned(), "write { key = value, key = value } and look at the lines above too".to_owned());
    }
    if message.starts_with("string values must be quoted") {
        return match value {
            Some("") => (format!("`{key}` has no value"), format!("write {key} = and its value on one line")),
            Some(v) if v.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) && !v.contains(['{', '[', ',']) => {
                (format!("`{key}` is {shown} without quotes"), format!("a value with a unit stands in quotes: {key} = \"{shown}\""))
            }
            Some(v) if v.starts_with(char::is_alphabetic) => {
                (format!("`{key}` is {shown} without quotes"), format!("texts stand in quotes: {key} = \"{shown}\""))
            }
            _ => ("a text or a value with a unit stands in quotes".to_owned(), "write for example \"baoab\" or \"2 fs\"".to_owned()),
        };
    }
    let remedy = if message.contains("leading zero") {
        "whole numbers do not begin with 0; octal ones begin with 0o"
    } else if message.contains("escape") {
        "a backslash is written \\\\, or use single quotes: 'C:\\data'"
    } else if message.starts_with("unclosed array table") || (message.starts_with("unclosed table") && line.trim_start().starts_with('[')) {
        "a table starts with [name], a stage with [[stage]]"
    } else if message.starts_with("unclosed array") {
        "close the list with ]"
    } else if message.starts_with("unclosed inline table") {
        "close the table with }"
    } else if message.contains("basic string") || message.contains("literal string") {
        "close the quotes on the same line"
    } else if message.starts_with("key with no value") || (value.is_none() && !line.trim_start().starts_with('[')) {
        "write key = value"
    } else {
        "tables are [name] or { key = value, ... }, lists [a, b], texts \"...\"; see https://toml.io"
    };
    (other, remedy.to_owned())
}
