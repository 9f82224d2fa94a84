use super::*;
use crate::campaign::units::UnitSystem;
use crate::error::Source;

const ALA2: &str = include_str!("../../../tests/campaigns/good/ala2.toml");
const FORMULA: &str = include_str!("../../../tests/campaigns/good/formula.toml");
const LJ13: &str = include_str!("../../../tests/campaigns/good/lj13.toml");

fn parse(text: &str) -> Campaign {
    Campaign::parse(&Source::new("test.toml", text), &[]).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn good_campaigns_are_read() {
    let campaign = parse(ALA2);
    let resolved = campaign.resolve(UnitSystem::Molecular).unwrap_or_else(|e| panic!("{e}"));
    assert!(resolved.warnings.is_empty(), "{:?}", resolved.warnings);
    let StageKind::Sample(sample) = &resolved.stages[2].kind else { panic!("a sample stage") };
    assert_eq!(sample.timestep.value, 0.001);
    assert_eq!(sample.discard_steps(), Some(50_000));
    let campaign = parse(LJ13);
    let points = campaign.points();
    assert_eq!(points.len(), 6);
    assert_eq!(points[5].label, "timestep=0.01,temperature=1");
    for point in points {
        point.campaign.resolve(UnitSystem::Reduced).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn resolved_toml_reads_back_as_the_same_campaign() {
    for (text, units) in [(ALA2, UnitSystem::Molecular), (LJ13, UnitSystem::Reduced), (FORMULA, UnitSystem::Reduced)] {
        let mut first = parse(text);
        first.set_seed(12);
        let written = first.to_toml(units);
        let second = parse(&written);
        assert_eq!(first, second, "{written}");
        assert_eq!(second.to_toml(units), written);
        for (a, b) in first.points().iter().zip(second.points()) {
            let resolve = |c: &Campaign| c.resolve(units).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(resolve(&a.campaign).canonical(), resolve(&b.campaign).canonical());
            assert_eq!((&a.label, &a.values), (&b.label, &b.values));
        }
    }
}

#[test]
fn hashes_ignore_what_changes_no_result() {
    let resolve = |text: &str| parse(text).resolve(UnitSystem::Molecular).unwrap_or_else(|e| panic!("{e}"));
    let base = resolve(ALA2);
    let same =
        ALA2.replace("2 min", "7 min").replace("Two lines", "Other lines").replace("\"1 fs\"", "\"0.001 ps\"").replace("500_000", "500000");
    assert_eq!(base.digest(), resolve(&same).digest());
    let other = resolve(
        &ALA2
            .replace("steps = 500_000", "steps = 600_000")
            .replace("temperature = \"300 K\", replicas = 64, steps = 1000", "temperature = \"310 K\", replicas = 64, steps = 1000"),
    );
    let changes = diff(&base, &other);
    assert_eq!(changes.len(), 2);
    assert_eq!((changes[0].key.as_str(), changes[0].extends.as_deref()), ("production.steps", Some("production")));
    assert_eq!((changes[1].old.as_deref(), changes[1].new.as_deref()), (Some("300 K"), Some("310 K")));
    let parts = |r: &Resolved| r.digest().parts;
    let differing: Vec<String> = parts(&base).into_iter().zip(parts(&other)).filter(|(a, b)| a != b).map(|(a, _)| a.0).collect();
    assert_eq!(differing, ["production", "warm"]);
    let text = changed_error(std::path::Path::new("runs/x"), &changes).to_string();
    assert!(text.contains("ergodica extend runs/x --stage production --to 600000"), "{text}");
}

#[test]
fn overrides_change_values_and_name_their_key() {
    let source = Source::new("test.toml", ALA2);
    let set = |key: &str, value: &str| Campaign::parse(&source, &[(key.to_owned(), value.to_owned())]);
    let with = |key: &str, value: &str| set(key, value).and_then(|c| c.resolve(UnitSystem::Molecular)).unwrap_or_else(|e| panic!("{e}"));
    let changed = with("production.timestep", "0.5 fs");
    assert_eq!(changed.canonical().get("production.timestep").map(String::as_str), Some("0.0005 ps"));
    assert_eq!(with("production.observe.every", "50").canonical()["production.observe.every"], "50");
    assert_eq!(with("diagnostics.ess", "100").diagnostics.ess.value, 100.0);
    let refused = |key: &str, value: &str| set(key, value).and_then(|c| c.resolve(UnitSystem::Molecular)).unwrap_err().to_string();
    assert!(
        refused("production.timestp", "1 fs").starts_with("--set production.timestp:1:1: unknown key `timestp`"),
        "{}",
        refused("production.timestp", "1 fs")
    );
    assert!(refused("prodution.timestep", "1 fs").contains("did you mean `production`?"));
    assert!(
        refused("production.timestep", "1 nm").starts_with("--set production.timestep:1:21: `timestep` is \"1 nm\", a length"),
        "{}",
        refused("production.timestep", "1 nm")
    );
    assert!(refused("nonsense", "1").contains("names no value"));
    let swept = Campaign::parse(&Source::new("t", LJ13), &[("production.timestep".to_owned(), "0.1".to_owned())]).unwrap_err().to_string();
    assert!(swept.contains("this key is swept"), "{swept}");
}

#[test]
fn adding_a_point_leaves_the_others_labels() {
    let before = parse(LJ13).points();
    let after = parse(&LJ13.replace("[0.005, 0.01]", "[0.005, 0.0075, 0.01]")).points();
    assert!(before.iter().all(|p| after.iter().any(|q| q.label == p.label && q.values == p.values)));
}

#[test]
fn changes_name_swept_keys_too() {
    let of = |text: &str| changes(&parse(LJ13), &parse(text), UnitSystem::Reduced).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(of(LJ13), []);
    let added = of(&LJ13.replace("[0.005, 0.01]", "[0.005, 0.01, 0.02]"));
    assert_eq!(
        (added.len(), added[0].key.as_str(), added[0].new.as_deref()),
        (1, "sweep.production.timestep", Some("[0.005, 0.01, 0.02]"))
    );
    let other = of(&LJ13.replace("friction = 1", "friction = 2"));
    assert_eq!((other.len(), other[0].key.as_str()), (1, "production.friction"));
    // the swept value in the stage itself is not used, so changing it changes nothing
    assert_eq!(of(&LJ13.replace("timestep = 0.01, friction", "timestep = 0.02, friction")), []);
}
