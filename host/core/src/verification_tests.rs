use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn verification(how: Closeness, damaged: &[&str]) -> Verification {
    Verification {
        at: at(1),
        how,
        compared: String::new(),
        damaged: damaged.iter().map(ToString::to_string).collect(),
        damaged_files: damaged.len(),
        extra_files: 0,
        read: Vec::new(),
    }
}

#[test]
fn a_look_that_is_less_close_takes_no_damage_for_mended() {
    use Closeness::{Full, Quick, Sample};
    for (before, now, is_mended) in [
        (Quick, Quick, true),
        (Sample, Quick, false),
        (Full, Quick, false),
        (Quick, Sample, true),
        (Full, Sample, true),
        (Full, Full, true),
    ] {
        let before = verification(before, &["a", "b"]);
        let after = verification(now, &[]).after(Some(&before));
        assert_eq!(after.is_sound(), is_mended, "{before:?} {now}");
    }
    let after = verification(Quick, &["b", "c"]).after(Some(&verification(Full, &["a", "b"])));
    assert_eq!((after.how, after.damaged_files), (Full, 3));
    assert_eq!(after.damaged, ["a", "b", "c"]);
    // Which the others are, nobody knows.
    let mut many = verification(Full, &["a"]);
    many.damaged_files = NAMED + 1;
    assert!(!verification(Sample, &[]).after(Some(&many)).is_sound());
    assert!(verification(Full, &[]).after(Some(&many)).is_sound());
    let unreadable = Verification::unreadable();
    for (now, is_mended) in [(Quick, false), (Sample, false), (Full, true)] {
        let after = verification(now, &[]).after(Some(&unreadable));
        assert_eq!(after.is_sound(), is_mended, "{now}");
    }
}

#[test]
fn shares_are_percents() {
    for (text, shown) in [
        ("5%", "5%"),
        ("5", "5%"),
        ("0.5%", "0.5%"),
        ("0.25 %", "0.25%"),
        ("100%", "100%"),
        ("12.05", "12.05%"),
    ] {
        assert_eq!(text.parse::<Share>().unwrap().to_string(), shown);
    }
    for text in [
        "",
        "%",
        "0",
        "0.00%",
        "100.01%",
        "-1",
        "5.%",
        "1.234",
        "1e1",
        "99999999999",
        "700",
    ] {
        assert!(text.parse::<Share>().is_err(), "{text}");
    }
}

#[test]
fn each_sample_reads_another_part_until_all_are_read_and_then_the_oldest() {
    let sizes = [10, 10, 0, 50, 10, 10, 10].map(ByteCount);
    let share: Share = "20%".parse().unwrap();
    let mut times = vec![None; sizes.len()];
    let mut samples = Vec::new();
    for second in 1..=5 {
        let chosen = share.choose(&sizes, &times, &HashSet::new());
        for number in &chosen {
            times[*number] = Some(at(second));
        }
        samples.push(chosen);
    }
    let expected = [&[0, 1][..], &[2, 3], &[4, 5], &[0, 6], &[1, 2, 3]];
    assert_eq!(samples, expected);
    let first = HashSet::from([0]);
    assert_eq!(share.choose(&sizes, &times, &first), [0, 4]);
}

#[test]
fn a_part_that_a_stranger_wrote_reads_nothing_beyond_the_end() {
    let mut known = verification(Closeness::Sample, &[]);
    let at = at(1);
    known.read = vec![
        Part {
            first: usize::MAX,
            files: usize::MAX,
            at,
        },
        Part {
            first: 1,
            files: 9,
            at,
        },
    ];
    assert_eq!(known.times(3), [None, Some(at), Some(at)]);
}

#[test]
fn what_a_note_says_of_a_time_to_come_never_was() {
    let note = |at_second, damaged: &[&str]| {
        let mut note = verification(Closeness::Sample, damaged);
        note.at = at(at_second);
        let part = |first, second| Part {
            first,
            files: 1,
            at: at(second),
        };
        note.read = vec![part(0, 5), part(1, 50)];
        Verification::noted(&serde_json::to_vec(&note).unwrap(), at(10))
    };
    let sound = note(10, &[]).unwrap();
    assert_eq!(sound.times(2), [Some(at(5)), None]);
    assert_eq!(note(11, &[]), None, "it may be somebody's");
    assert!(note(11, &["a"]).is_some(), "damage stays");
    for unreadable in ["", "\0\x1b[31m{{{{", "{}", "[]"] {
        assert_eq!(Verification::noted(unreadable.as_bytes(), at(10)), None);
    }
}

proptest! {
    #[test]
    fn parts_and_times_are_the_same(
        seconds in proptest::collection::vec(proptest::option::of(0_i64..3), 0..20),
    ) {
        let times: Vec<_> = seconds.iter().map(|second| second.map(at)).collect();
        let known = Verification { read: parts(&times), ..verification(Closeness::Full, &[]) };
        prop_assert_eq!(known.times(times.len()), times);
    }

    #[test]
    fn a_sample_has_its_share_and_no_file_more_and_samples_come_to_all_in_the_end(
        sizes in proptest::collection::vec(0_u64..100, 1..30),
        hundredths in 1_u16..=10_000,
    ) {
        let share = Share { hundredths };
        let sizes: Vec<_> = sizes.into_iter().map(ByteCount).collect();
        let all: u64 = sizes.iter().map(|size| size.0).sum();
        let mut times = vec![None; sizes.len()];
        for round in 0..sizes.len() {
            let chosen = share.choose(&sizes, &times, &HashSet::new());
            prop_assert!(!chosen.is_empty());
            let bytes: u64 = chosen.iter().map(|number| sizes[*number].0).sum();
            prop_assert!(bytes * 10_000 >= all * u64::from(hundredths));
            let second = i64::try_from(round).unwrap();
            for number in &chosen {
            times[*number] = Some(at(second));
        }
        }
        prop_assert!(times.iter().all(Option::is_some));
    }
}
