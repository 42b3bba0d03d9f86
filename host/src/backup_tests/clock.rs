//! A clock that was wrong once.

use super::*;

#[test]
fn a_snapshot_of_a_time_to_come_is_told_and_keeps_no_other_from_being_made() {
    let world = World::new();
    let ahead = world.dir.path().join("remote/app/2027-11-24T030000Z");
    fs::create_dir_all(&ahead).unwrap();
    let outcome = world.back_up(&world.fake(Orders::default()));
    assert_eq!(outcome.verdict(), Verdict::Warned);
    let told = outcome.shortcomings.iter().map(CopalError::in_one_line);
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("2027-11-24T030000Z"), "{told:?}");
    assert_eq!(world.sealed().len(), 1);
}
