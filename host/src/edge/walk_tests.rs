use super::super::interrupt::Signal;
use super::*;

/// Leaves out what is called so, with all below it.
struct Without(&'static str, Keep);

impl Filter for Without {
    type Error = String;

    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, String> {
        let keep = |found: &Found| {
            if found.path.name() == self.0.as_bytes() {
                self.1
            } else {
                Keep::Yes
            }
        };
        Ok(found.iter().map(keep).collect())
    }
}

struct Broken;

impl Filter for Broken {
    type Error = String;
    fn decide(&mut self, _: &[Found]) -> Result<Vec<Keep>, String> {
        Err("broken".into())
    }
}

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &str| dir.path().join(path);
    fs::create_dir_all(at("a/cache/deep")).unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::write(at("a/cache/deep/x"), "x").unwrap();
    fs::write(at("a.txt"), "four").unwrap();
    std::os::unix::fs::symlink("nowhere", at("link")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("pipe"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    dir
}

fn paths(walked: &Walked) -> Vec<String> {
    walked
        .kept
        .iter()
        .map(|found| found.path.to_string())
        .collect()
}

#[test]
fn everything_is_found_sorted_and_told_apart() {
    let dir = tree();
    let walked = walk(
        dir.path(),
        &[],
        &mut Without("", Keep::Yes),
        &Interrupt::default(),
    )
    .unwrap();
    assert_eq!(
        paths(&walked),
        [
            "a",
            "a.txt",
            "a/cache",
            "a/cache/deep",
            "a/cache/deep/x",
            "empty",
            "link",
            "pipe"
        ]
    );
    let kind = |name: &str| {
        walked
            .kept
            .iter()
            .find(|found| found.path.to_string() == name)
            .unwrap()
            .kind
            .clone()
    };
    assert_eq!(kind("link"), FoundKind::Symlink(b"nowhere".to_vec()));
    assert_eq!(kind("pipe"), FoundKind::Special("pipe"));
    assert_eq!(total_size(&walked.kept), ByteCount(5));
}

#[test]
fn a_subtree_that_is_left_out_is_never_entered() {
    let dir = tree();
    let mut filter = Without("cache", Keep::NothingBelow);
    let walked = walk(dir.path(), &[], &mut filter, &Interrupt::default()).unwrap();
    assert_eq!(paths(&walked), ["a", "a.txt", "empty", "link", "pipe"]);
    assert_eq!(walked.left_out, [("a/cache".parse().unwrap(), true)]);
}

#[test]
fn a_kept_file_brings_the_directories_above_it() {
    let dir = tree();
    let mut filter = Without("deep", Keep::No);
    let walked = walk(dir.path(), &[], &mut filter, &Interrupt::default()).unwrap();
    assert!(paths(&walked).contains(&"a/cache/deep".to_owned()));
    assert!(walked.left_out.is_empty());
}

#[test]
fn a_filter_that_fails_ends_the_walk() {
    let dir = tree();
    let walked = walk(dir.path(), &[], &mut Broken, &Interrupt::default());
    assert!(matches!(walked, Err(WalkError::Filter(text)) if text == "broken"));
}

#[test]
fn a_signal_ends_the_walk() {
    let dir = tree();
    let interrupt = Interrupt::default();
    interrupt.raise(Signal::Terminate);
    let walked = walk(dir.path(), &[], &mut Broken, &interrupt);
    assert!(matches!(
        walked,
        Err(WalkError::Interrupted(Interrupted(Signal::Terminate)))
    ));
}

#[test]
fn copals_own_directories_are_never_entered() {
    let dir = tree();
    let never = [dir.path().join("a")];
    let walked = walk(
        dir.path(),
        &never,
        &mut Without("", Keep::Yes),
        &Interrupt::default(),
    )
    .unwrap();
    assert_eq!(paths(&walked), ["a.txt", "empty", "link", "pipe"]);
}

/// While it decides, `a` becomes a link to the directory beside the source.
struct Swaps<'a>(&'a Path);

impl Filter for Swaps<'_> {
    type Error = String;

    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, String> {
        let directory = self.0.join("a");
        if !directory.is_symlink() {
            fs::rename(&directory, self.0.join("moved")).unwrap();
            std::os::unix::fs::symlink("../outside", &directory).unwrap();
        }
        Ok(vec![Keep::Yes; found.len()])
    }
}

#[test]
fn a_directory_that_becomes_a_link_is_not_entered_through_it() {
    let dir = tempfile::tempdir().unwrap();
    let (source, outside) = (dir.path().join("source"), dir.path().join("outside"));
    fs::create_dir_all(source.join("a")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "").unwrap();
    let walked = walk(&source, &[], &mut Swaps(&source), &Interrupt::default()).unwrap();
    assert_eq!(paths(&walked), ["a"]);
    assert_eq!(walked.vanished, ["a".parse().unwrap()]);
}
