use proptest::prelude::*;

use super::*;

fn job(name: &str) -> Name {
    name.parse().unwrap()
}

fn lines(text: &str) -> Vec<String> {
    vec![text.to_owned(), "@reboot copal recover".to_owned()]
}

#[test]
fn a_block_is_written_once_however_often_it_is_installed() {
    let once = Crontab::new(b"MAILTO=me\n5 4 * * * other\n".to_vec());
    let once = once.with(&job("webui"), &lines("0 3 * * * copal")).unwrap();
    let twice = once
        .clone()
        .with(&job("webui"), &lines("0 3 * * * copal"))
        .unwrap();
    assert_eq!(once, twice);
    insta::assert_snapshot!(String::from_utf8(twice.into_bytes()).unwrap());
}

#[test]
fn a_new_time_takes_the_place_of_the_old_one() {
    let before = Crontab::new(b"# mine\n".to_vec());
    let two = before
        .clone()
        .with(&job("a"), &lines("0 3 * * * copal"))
        .unwrap();
    let two = two.with(&job("b"), &lines("1 3 * * * copal")).unwrap();
    let two = two.with(&job("a"), &lines("0 4 * * * copal")).unwrap();
    assert_eq!(
        two.lines_of(&job("a")).unwrap(),
        Some(lines("0 4 * * * copal"))
    );
    assert_eq!(
        two.lines_of(&job("b")).unwrap(),
        Some(lines("1 3 * * * copal"))
    );
    let without = two.without(&job("a")).unwrap().without(&job("b")).unwrap();
    assert_eq!(without, before);
}

#[test]
fn a_block_that_somebody_broke_is_left_alone() {
    let (from, to) = (beginning(&job("a")), end(&job("a")));
    for (text, why) in [
        (
            format!("x\n{from}\n0 3 * * * copal\n"),
            BrokenBlock::NoEnd(2),
        ),
        (format!("{to}\n"), BrokenBlock::NoBeginning(1)),
        (
            format!("{from}\n{to}\n{from}\n{to}\n"),
            BrokenBlock::Twice(3),
        ),
        (format!("{from}\n{from}\n{to}\n"), BrokenBlock::Twice(2)),
    ] {
        let crontab = Crontab::new(text.into_bytes());
        assert_eq!(crontab.lines_of(&job("a")), Err(why.clone()));
        assert_eq!(crontab.clone().without(&job("a")), Err(why.clone()));
        assert_eq!(crontab.with(&job("a"), &lines("x")), Err(why));
    }
}

#[test]
fn a_name_that_begins_like_another_is_another() {
    let crontab = Crontab::new(vec![]).with(&job("web"), &lines("x")).unwrap();
    assert_eq!(crontab.lines_of(&job("webui")).unwrap(), None);
    assert_eq!(crontab.clone().without(&job("webui")).unwrap(), crontab);
}

proptest! {
    #[test]
    fn what_others_wrote_is_kept_to_the_byte(
        mut before in proptest::collection::vec(any::<u8>(), 0..200),
        after in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        if before.last().is_some_and(|last| *last != b'\n') {
            before.push(b'\n');
        }
        let installed = Crontab::new(before.clone()).with(&job("a"), &lines("0 3 * * * copal")).unwrap();
        // Somebody goes on writing below.
        let mut text = installed.into_bytes();
        text.extend_from_slice(&after);
        let moved = Crontab::new(text).with(&job("a"), &lines("0 4 * * * copal")).unwrap();
        let removed = moved.without(&job("a")).unwrap().into_bytes();
        prop_assert_eq!(removed, [before, after].concat());
    }
}

#[test]
fn the_jobs_of_all_blocks_are_named_and_nothing_else_is() {
    let names = |text: &str| -> Vec<String> {
        let jobs = Crontab::new(text.as_bytes().to_vec()).jobs();
        jobs.iter().map(ToString::to_string).collect()
    };
    let both = Crontab::new(Vec::new())
        .with(&"a".parse().unwrap(), &["1".to_owned()])
        .and_then(|it| it.with(&"b.c".parse().unwrap(), &["2".to_owned()]))
        .unwrap();
    let both = String::from_utf8(both.into_bytes()).unwrap();
    assert_eq!(names(&both), ["a", "b.c"]);
    assert_eq!(
        names("# begin copal\n# begin copal d\n# begin copals e (x)\n"),
        [""; 0]
    );
}
