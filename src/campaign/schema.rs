//! The JSON schema of campaign files, for editors: `ergodica schema > campaign.schema.json`.

use serde_json::Value;

/// The schema as indented JSON (draft 2020-12). In a campaign, `#:schema campaign.schema.json` on the first line lets editors such as
/// those with Even Better TOML complete and check keys.
pub fn json() -> String {
    let mut schema = schemars::schema_for!(super::config::RawDocument).to_value();
    without_null(&mut schema);
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}

/// TOML has no null: a key is there or it is not.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|t| t != "null");
                if let [one] = &types[..] {
                    let one = one.clone();
                    map.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(one)] = &choices[..] {
                    let one = one.clone();
                    map.remove("anyOf");
                    for (key, value) in one {
                        map.entry(key).or_insert(value);
                    }
                }
            }
            map.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn names_every_key_and_says_what_it_is() {
        let schema: Value = serde_json::from_str(&super::json()).unwrap_or_default();
        let sample = &schema["$defs"]["Sample"]["properties"];
        for key in ["propagator", "timestep", "friction", "temperature", "beta", "replicas", "steps", "start", "discard", "warmup"] {
            assert!(sample[key]["description"].is_string() || sample[key]["$ref"].is_string(), "{key}: {}", sample[key]);
        }
        assert_eq!(schema["$defs"]["Sample"]["required"], serde_json::json!(["propagator", "timestep", "replicas", "steps"]));
        assert!(!super::json().contains("null"));
        assert_eq!(schema["additionalProperties"], false);
    }
}
