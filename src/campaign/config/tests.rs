use super::*;
use crate::campaign::units::UnitSystem;
use crate::error::Source;

const ALA2: &str = include_str!("../../../tests/campaigns/good/ala2.toml");
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
