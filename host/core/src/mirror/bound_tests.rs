//! Nights: what a mirror loses in a sequence of runs, each of which the next one follows.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::*;
use crate::mirror::{Ground, Map};

type Names = BTreeSet<String>;

/// A mirror of a whole source between two runs, and what the last manifest says.
#[derive(Default)]
struct Mirror {
    there: Names,
    last: Option<(Names, Option<u64>)>,
}

/// How a run ended.
#[derive(Debug, PartialEq)]
enum Night {
    Deleted(Names),
    Refused(Refused),
}

impl Mirror {
    fn with(there: Names) -> Self {
        Self { there, last: None }
    }

    /// Everything arrives, and then the surplus goes or stays.
    fn follow(&mut self, source: &Names, most: MaxDelete, accept_missing: bool) -> Night {
        let ground = Ground::of(&Map::default(), |_| true);
        let there: Vec<String> = self.there.iter().cloned().collect();
        let wanted: HashSet<String> = source.iter().cloned().collect();
        let last = self.last.take();
        let there_when_refused = last.as_ref().and_then(|(_, refused)| *refused);
        let was_there = |name: &str| {
            let mut last = last.iter();
            there_when_refused.is_some() || last.all(|(names, _)| names.contains(name))
        };
        let bound = Bound {
            most,
            there_when_refused,
        };
        let bound = if accept_missing {
            bound.accepting_missing()
        } else {
            bound
        };
        let surplus = ground.surplus(&there, &wanted, was_there);
        let then = surplus.there_when_refused(bound);
        let bounded = surplus.bounded(bound);
        self.there.extend(source.iter().cloned());
        self.last = Some((source.clone(), bounded.is_err().then_some(then)));
        match bounded {
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
fn a_surplus_that_fits_again_goes_and_ends_it() {
    let mut mirror = Mirror::default();
    mirror.follow(&files("old", 0..20), HALF, false);
    mirror.follow(&files("new", 0..5), HALF, false);
    let back: Names = &files("old", 0..12) | &files("new", 0..5);
    let ended = mirror.follow(&back, HALF, false);
    assert_eq!(ended, Night::Deleted(files("old", 12..20)));
    assert_eq!(mirror.last.unwrap().1, None);
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
        nights in proptest::collection::vec((any_source(), any::<bool>()), 1..12),
        percent in 0_u8..100,
    ) {
        let most = MaxDelete::Share(percent);
        let mut mirror = Mirror::with(foreign);
        let mut at_first_refusal: Option<Names> = None;
        for (source, is_killed) in nights {
            if is_killed && mirror.last.is_some() {
                // It has sent what it has sent.
                mirror.there.extend(source);
                continue;
            }
            let before = mirror.there.clone();
            match mirror.follow(&source, most, false) {
                Night::Refused(_) => {
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
        mirror.there.extend(sent);
        if let Night::Deleted(names) = mirror.follow(&source, most, false) {
            let lost = names.intersection(&old).count() as u64;
            prop_assert!(lost <= most.of(old.len() as u64), "{lost} of {}", old.len());
        }
    }
}
