//! Nights: what a mirror loses in a sequence of runs, each of which the next one follows.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::*;
use crate::mirror::{Ground, Map};

type Names = BTreeSet<String>;

/// A mirror of a whole source between two runs.
#[derive(Default)]
struct Mirror {
    there: Names,
    /// What of that only runs sent that were killed.
    unsealed: Names,
    last: Option<Last>,
}

/// What the last manifest says.
#[derive(Default)]
struct Last {
    names: Names,
    there_when_refused: Option<u64>,
    is_unaccounted: bool,
    is_damaged: bool,
}

/// How a run ended.
#[derive(Debug, PartialEq)]
enum Night {
    Deleted(Names),
    Refused(Refused),
    /// The manifest was damaged.
    Kept,
}

impl Mirror {
    fn with(there: Names) -> Self {
        Self {
            there,
            ..Self::default()
        }
    }

    /// A run that is killed has sent what it has sent, and parts of files.
    fn send(&mut self, sent: &Names) {
        let parts = sent.iter().map(|name| format!("{name}.partial"));
        let sent: Names = parts.chain(sent.iter().cloned()).collect();
        self.unsealed.extend(&sent - &self.there);
        self.there.extend(sent);
    }

    fn damage(&mut self) {
        if let Some(last) = &mut self.last {
            last.is_damaged = true;
        }
    }

    fn past(last: Option<&Last>) -> Past {
        match last {
            None => Past::None,
            Some(last) if last.is_damaged || last.is_unaccounted => Past::Lost,
            Some(_) => Past::Known,
        }
    }

    /// Everything arrives, and then the surplus goes or stays.
    fn follow(&mut self, source: &Names, most: MaxDelete, accept_missing: bool) -> Night {
        let ground = Ground::of(&Map::default(), |_| true);
        let there: Vec<String> = self.there.iter().cloned().collect();
        let wanted: HashSet<String> = source.iter().cloned().collect();
        let last = self.last.take();
        let is_damaged = last.as_ref().is_some_and(|last| last.is_damaged);
        let told = last.as_ref().filter(|last| !last.is_damaged);
        let unaccepted = Bound {
            most,
            there_when_refused: told.and_then(|last| last.there_when_refused),
            past: Self::past(last.as_ref()),
        };
        let bound = if accept_missing {
            unaccepted.accepting_missing()
        } else {
            unaccepted
        };
        let is_refused = unaccepted.there_when_refused.is_some();
        let was_put = |name: &str| is_refused || told.is_some_and(|last| last.names.contains(name));
        let mut surplus = ground.surplus(&there, &wanted, was_put);
        // What is sent again takes the place of its part.
        let stem = |name: &str| name.strip_suffix(".partial").map(str::to_owned);
        let is_renamed = |name: &str| stem(name).is_some_and(|stem| wanted.contains(&stem));
        surplus.retain(|name| !is_renamed(name));
        self.there.retain(|name| !is_renamed(name));
        let (then, count) = (surplus.there_when_refused(bound), surplus.count());
        let bounded = surplus.bounded(bound);
        let is_kept = bounded.is_err() || is_damaged && count > 0;
        self.there.extend(source.iter().cloned());
        self.unsealed.clear();
        self.last = Some(Last {
            names: source.clone(),
            there_when_refused: is_kept.then_some(then),
            is_unaccounted: is_kept && unaccepted.is_blind(),
            is_damaged: false,
        });
        match bounded {
            _ if is_damaged => Night::Kept,
            Ok(deletions) => {
                let names: Names = deletions.names().iter().cloned().collect();
                self.there.retain(|name| !names.contains(name));
                Night::Deleted(names)
            }
            Err(refused) => Night::Refused(refused),
        }
    }
}

fn files(prefix: &str, range: std::ops::Range<usize>) -> Names {
    range.map(|n| format!("{prefix}{n}")).collect()
}

const HALF: MaxDelete = MaxDelete::HALF;

#[test]
fn what_a_refused_run_has_sent_makes_no_share_larger() {
    let mut mirror = Mirror::default();
    mirror.follow(&files("old", 0..20), HALF, false);
    for (night, new) in [20, 200, 2000].into_iter().enumerate() {
        let ended = mirror.follow(&files("new", 0..new), HALF, false);
        let Night::Refused(refused) = ended else {
            panic!("night {night}: {ended:?}")
        };
        let told = match night {
            0 => "no longer has 20 of the 20 files that were there, and a run deletes at most 10",
            _ => {
                "no longer has 20 files that are there, and a run deletes at most 10: 20 files were there when this was refused for the first time"
            }
        };
        assert!(refused.to_string().ends_with(told), "{refused}");
    }
    let accepted = mirror.follow(&files("new", 0..2000), HALF, true);
    assert_eq!(accepted, Night::Deleted(files("old", 0..20)));
}

#[test]
fn a_first_run_into_a_folder_of_foreign_files_is_refused_the_next_night_too() {
    let mut mirror = Mirror::with(files("foreign", 0..20));
    for _ in 0..3 {
        let ended = mirror.follow(&files("new", 0..200), MaxDelete::Share(10), false);
        assert!(matches!(ended, Night::Refused(_)), "{ended:?}");
    }
}

#[test]
fn what_a_first_run_finds_stays_also_when_it_was_killed_amid_sending() {
    let mut mirror = Mirror::with(files("foreign", 0..100));
    mirror.send(&files("new", 0..200));
    for _ in 0..2 {
        let Night::Refused(refused) = mirror.follow(&files("new", 0..201), HALF, false) else {
            panic!("{:?}", mirror.there)
        };
        assert_eq!(
            refused.to_string(),
            "100 files are there that the source does not have, and no run knows whether they belong to the mirror"
        );
    }
    let accepted = mirror.follow(&files("new", 0..201), HALF, true);
    assert_eq!(accepted, Night::Deleted(files("foreign", 0..100)));
}

#[test]
fn the_parts_of_files_that_a_killed_run_left_make_no_share_larger() {
    let mut mirror = Mirror::default();
    mirror.follow(&files("old", 0..6), HALF, false);
    mirror.send(&files("new", 0..4));
    let source = &files("old", 4..6) | &files("new", 0..4);
    let ended = mirror.follow(&source, HALF, false);
    let refused = Refused::TooMany {
        would: 4,
        there: 6,
        allowed: 3,
        most: HALF,
    };
    assert_eq!(ended, Night::Refused(refused));
}

#[test]
fn after_a_damaged_manifest_nothing_goes_by_any_bound_until_it_is_accepted() {
    for most in [HALF, MaxDelete::Share(100), MaxDelete::Files(1000)] {
        let mut mirror = Mirror::default();
        mirror.follow(&files("old", 0..20), most, false);
        mirror.damage();
        let source = files("old", 3..20);
        assert_eq!(mirror.follow(&source, most, true), Night::Kept);
        for _ in 0..2 {
            let ended = mirror.follow(&source, most, false);
            let refused = Night::Refused(Refused::Unaccounted { would: 3 });
            assert_eq!(ended, refused);
        }
        let accepted = mirror.follow(&source, most, true);
        assert_eq!(accepted, Night::Deleted(files("old", 0..3)));
    }
}

#[test]
fn after_a_damaged_manifest_a_mirror_without_surplus_is_one_like_any_other() {
    let mut mirror = Mirror::default();
    mirror.follow(&files("old", 0..20), HALF, false);
    mirror.damage();
    assert_eq!(
        mirror.follow(&files("old", 0..20), HALF, false),
        Night::Kept
    );
    let ended = mirror.follow(&files("old", 3..20), HALF, false);
    assert_eq!(ended, Night::Deleted(files("old", 0..3)));
}

#[test]
fn a_surplus_that_fits_again_goes_and_ends_it() {
    let mut mirror = Mirror::default();
    mirror.follow(&files("old", 0..20), HALF, false);
    mirror.follow(&files("new", 0..5), HALF, false);
    let back: Names = &files("old", 0..12) | &files("new", 0..5);
    let ended = mirror.follow(&back, HALF, false);
    assert_eq!(ended, Night::Deleted(files("old", 12..20)));
    assert_eq!(mirror.last.unwrap().there_when_refused, None);
}

#[test]
fn a_number_is_a_number_each_night_whatever_is_accepted() {
    let mut mirror = Mirror::default();
    mirror.follow(&files("old", 0..20), HALF, false);
    for accept in [false, true, false] {
        let ended = mirror.follow(&files("new", 0..5), MaxDelete::Files(19), accept);
        assert!(matches!(ended, Night::Refused(_)), "{ended:?}");
    }
    // The number is raised to a share: it is one of what was there before all that.
    let share = MaxDelete::Share(90);
    let ended = mirror.follow(&files("new", 0..5), share, false);
    assert!(matches!(ended, Night::Refused(_)), "{ended:?}");
}

fn any_source() -> impl Strategy<Value = Names> {
    let name = (0_u8..24).prop_map(|n| n.to_string());
    let grown = (0_usize..60).prop_map(|n| files("more", 0..n));
    (proptest::collection::btree_set(name, 0..24), grown).prop_map(|(some, more)| &some | &more)
}

proptest! {
    #[test]
    fn from_a_refusal_on_no_nights_delete_more_of_what_was_there_than_the_share_allows(
        foreign in any_source(),
        nights in proptest::collection::vec((any_source(), 0_u8..4), 1..12),
        percent in 0_u8..100,
    ) {
        let most = MaxDelete::Share(percent);
        let mut mirror = Mirror::with(foreign);
        let mut at_first_refusal: Option<Names> = None;
        for (source, fate) in nights {
            match fate {
                0 => {
                    mirror.send(&source);
                    continue;
                }
                1 => mirror.damage(),
                _ => {}
            }
            let before = &mirror.there - &mirror.unsealed;
            match mirror.follow(&source, most, false) {
                Night::Refused(_) | Night::Kept => {
                    at_first_refusal.get_or_insert(before);
                }
                Night::Deleted(names) => {
                    let first = at_first_refusal.take().unwrap_or(before);
                    let lost = names.intersection(&first).count() as u64;
                    prop_assert!(lost <= most.of(first.len() as u64), "{lost} of {}", first.len());
                    prop_assert!(names.is_disjoint(&source));
                }
            }
        }
    }

    #[test]
    fn a_run_that_was_killed_makes_no_share_larger_for_the_next(
        old in any_source(),
        sent in any_source(),
        source in any_source(),
        percent in 0_u8..100,
    ) {
        let most = MaxDelete::Share(percent);
        let mut mirror = Mirror::default();
        mirror.follow(&old, most, false);
        mirror.send(&sent);
        if let Night::Deleted(names) = mirror.follow(&source, most, false) {
            let lost = names.intersection(&old).count() as u64;
            prop_assert!(lost <= most.of(old.len() as u64), "{lost} of {}", old.len());
        }
    }
}
