use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use copal_core::path::RelPath;
use copal_core::staging::{Choice, Copies};
use copal_core::stored::NameLimit;
use filetime::FileTime;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::capability::artifacts::Artifacts;
use crate::edge::content::Failed;
use crate::edge::hash::Wanted;
use crate::edge::staging::StagingDir;
use crate::edge::state::make_private;
use crate::edge::walk::{Filter, Keep, walk};
use crate::filters::FilterFailed;
use crate::step::files::Content;
use crate::step::read::{Read, Reading};
use crate::step::stage::{Staging, stage};

struct All;

impl Filter for All {
    type Error = FilterFailed;

    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, FilterFailed> {
        Ok(vec![Keep::Yes; found.len()])
    }
}

/// A source with files that nobody has written to for an hour, and one that somebody just did.
pub(super) struct World {
    pub(super) dir: PathBuf,
    _own: Option<tempfile::TempDir>,
}

impl World {
    pub(super) fn new() -> Self {
        let own = tempfile::tempdir().unwrap();
        Self::at(own.path().to_owned(), Some(own))
    }

    pub(super) fn at(dir: PathBuf, own: Option<tempfile::TempDir>) -> Self {
        let world = Self { dir, _own: own };
        for name in ["a.txt", "deep/b.txt", "odd\n\u{fffd}?"] {
            world.write(name, name);
            world.age(name);
        }
        world.write("young.txt", "young");
        world
    }

    pub(super) fn source(&self) -> PathBuf {
        self.dir.join("source")
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.source().join(name)
    }

    pub(super) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) fn age(&self, name: &str) {
        let hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
        let time = FileTime::from_unix_time(hour_ago.as_second(), 5);
        filetime::set_file_mtime(self.path(name), time).unwrap();
    }

    pub(super) fn forecast(&self, way: Way, directories: &[&str]) -> Forecast {
        let why = String::new();
        let restless = Restless::of(
            directories.iter().map(|name| name.parse().unwrap()),
            Timestamp::now(),
        );
        Forecast {
            choice: Choice {
                way,
                why,
                copies: Copies::default(),
                asked_for: true,
            },
            place: self.dir.join(".copal-staging-app"),
            places: vec![self.dir.join(".copal-staging-app")],
            restless,
            copied: HashSet::new(),
        }
    }

    pub(super) fn staged(&self, forecast: &Forecast) -> Result<Staged, StageError> {
        self.staged_after(forecast, || {})
    }

    /// `held` is called when services would be held.
    pub(super) fn staged_after(
        &self,
        forecast: &Forecast,
        held: impl FnOnce(),
    ) -> Result<Staged, StageError> {
        let source = Top::hold(&self.source()).unwrap();
        let leftovers = Leftovers::default();
        let interrupt = Interrupt::default();
        let kept = walk(&source, &[], &mut All, &interrupt).unwrap().kept;
        let mut freezer = forecast.prepare(&source, &kept, "1", &leftovers).unwrap();
        if let Some(freezer) = &mut freezer {
            freezer.freeze_ahead(&source, &kept, &interrupt)?;
        }
        let ask = Staging {
            source: &source,
            never: &[],
            filter: &mut All,
            artifacts: Vec::new(),
            added: Vec::new(),
            made: Artifacts::in_dir(self.dir.join("made")).into(),
            names: NameLimit::default(),
            freezer,
            now: &Timestamp::now,
            interrupt: &interrupt,
        };
        let base = self.dir.join("staging");
        let staging = StagingDir::create(&base, "1", &leftovers).unwrap();
        held();
        stage(staging, ask)
    }

    pub(super) fn frozen(&self, way: Way) -> Staged {
        self.staged(&self.forecast(way, &[])).unwrap()
    }
}

pub(super) fn read(staged: Staged) -> Read {
    try_read(staged).unwrap()
}

fn try_read(staged: Staged) -> Result<Read, StageError> {
    let by = Reading {
        live_allowed: &|_| false,
        wanted: Wanted::default(),
        interrupt: &Interrupt::default(),
    };
    staged.read(by)
}

pub(super) fn how(read: &Read) -> Vec<(&[u8], Taken)> {
    let files = read.files.iter();
    files
        .map(|file| (file.path.as_bytes(), file.taken))
        .collect()
}

pub(super) fn sha256(content: &str) -> String {
    copal_testkit::sha256(content)
}

pub(super) fn digest(read: &Read, name: &str) -> String {
    let path = RelPath::new(name.as_bytes()).unwrap();
    let file = read.files.iter().find(|file| file.path == path);
    file.unwrap().digests.sha256.to_string()
}

const ODD: &str = "odd\n\u{fffd}?";

#[test]
fn what_is_at_rest_is_linked_and_the_rest_is_copied() {
    let world = World::new();
    world.write("vector_db/index/data.bin", "written in place");
    world.age("vector_db/index/data.bin");
    let writer = fs::OpenOptions::new()
        .append(true)
        .open(world.path("deep/b.txt"))
        .unwrap();
    let staged = world
        .staged(&world.forecast(Way::Link, &["vector_db"]))
        .unwrap();
    drop(writer);
    let read = read(staged);
    assert_eq!(
        how(&read),
        [
            (&b"a.txt"[..], Taken::Link),
            (b"deep/b.txt", Taken::Copy),
            (ODD.as_bytes(), Taken::Link),
            (b"vector_db/index/data.bin", Taken::Copy),
            (b"young.txt", Taken::Copy),
        ]
    );
    assert!(read.files.iter().all(|file| !file.outran));
    assert_eq!(digest(&read, "a.txt"), sha256("a.txt"));
}

#[test]
fn a_manifest_shows_nothing_of_a_link() {
    let world = World::new();
    let before = fs::metadata(world.path("a.txt")).unwrap();
    let staged = world.frozen(Way::Link);
    assert_eq!(fs::metadata(world.path("a.txt")).unwrap().nlink(), 2);
    let read = read(staged);
    assert_eq!(read.files[0].attributes, attributes(&before));
    drop(read);
    let after = fs::metadata(world.path("a.txt")).unwrap();
    assert_eq!((after.nlink(), after.ino()), (1, before.ino()));
    assert!(!world.dir.join(".copal-staging-app").exists());
    assert_eq!(fs::read_to_string(world.path("a.txt")).unwrap(), "a.txt");
}

#[test]
fn what_happens_after_the_release_is_not_in_what_was_frozen() {
    for way in [Way::Link, Way::Copy] {
        let world = World::new();
        let staged = world.frozen(way);
        fs::remove_file(world.path("a.txt")).unwrap();
        fs::rename(world.path(ODD), world.path("renamed")).unwrap();
        // As most programs save: a new file takes the place of the old one.
        world.write("new", "replaced");
        fs::rename(world.path("new"), world.path("deep/b.txt")).unwrap();
        world.write("young.txt", "older by now");
        let read = read(staged);
        let names: Vec<_> = read.files.iter().map(|file| file.path.as_bytes()).collect();
        assert_eq!(
            names,
            [b"a.txt", &b"deep/b.txt"[..], ODD.as_bytes(), b"young.txt"]
        );
        for (name, content) in [("a.txt", "a.txt"), ("deep/b.txt", "deep/b.txt"), (ODD, ODD)] {
            assert_eq!(digest(&read, name), sha256(content), "{way} {name}");
        }
        assert_eq!(digest(&read, "young.txt"), sha256("young"));
        assert!(read.files.iter().all(|file| !file.outran), "{way}");
    }
}

#[test]
fn a_linked_file_that_is_written_to_in_place_is_read_as_it_is_and_named() {
    let world = World::new();
    let staged = world.frozen(Way::Link);
    let mut writer = fs::OpenOptions::new()
        .append(true)
        .open(world.path("a.txt"))
        .unwrap();
    writer.write_all(b" and more").unwrap();
    let read = read(staged);
    let outran: Vec<_> = read.files.iter().filter(|file| file.outran).collect();
    let [file] = outran[..] else {
        panic!("{outran:?}")
    };
    assert_eq!(file.path.as_bytes(), b"a.txt");
    assert_eq!((file.taken, file.content), (Taken::Direct, Content::Staged));
    assert_eq!(file.digests.sha256.to_string(), sha256("a.txt and more"));
}

#[test]
fn nothing_that_copal_does_is_written_through_a_link() {
    let world = World::new();
    let before = fs::metadata(world.path("a.txt")).unwrap();
    drop(read(world.frozen(Way::Link)));
    let after = fs::metadata(world.path("a.txt")).unwrap();
    let of = |file: &fs::Metadata| (file.mtime_nsec(), file.mode(), file.size(), file.uid());
    assert_eq!(of(&before), of(&after));
}

#[test]
fn what_is_no_file_any_more_when_it_is_frozen_is_left_out() {
    let world = World::new();
    let staged = world.staged(&world.forecast(Way::Link, &[])).unwrap();
    assert_eq!(staged.files.len(), 4);
    // And nothing stays of a run that fails.
    drop(staged);
    let mut left: Vec<_> = fs::read_dir(&world.dir).unwrap().collect();
    left.retain(|entry| entry.as_ref().unwrap().file_name() != "staging");
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn what_a_killed_run_left_is_removed_as_links() {
    let world = World::new();
    let left = world.dir.join(".copal-staging-app/run-killed-frozen");
    fs::create_dir_all(&left).unwrap();
    fs::hard_link(world.path("a.txt"), left.join("a.txt")).unwrap();
    std::os::unix::fs::symlink(world.source(), left.join("away")).unwrap();
    let staged = world.frozen(Way::Copy);
    assert!(!left.exists());
    drop(staged);
    assert!(!world.dir.join(".copal-staging-app").exists());
    assert_eq!(fs::read_to_string(world.path("a.txt")).unwrap(), "a.txt");
}

#[test]
fn a_directory_in_the_source_is_not_seen_in_the_manifest() {
    let world = World::new();
    let mut forecast = world.forecast(Way::Link, &[]);
    forecast.place = world.path(".copal-staging-app");
    let before = fs::metadata(world.source()).unwrap();
    let staged = world.staged(&forecast).unwrap();
    assert!(world.path(".copal-staging-app").exists());
    assert_eq!(staged.root, attributes(&before));
    assert_eq!(staged.files.len(), 4);
    drop(staged);
    assert!(!world.path(".copal-staging-app").exists());
}

#[test]
fn frozen_files_may_lie_beside_what_the_run_stages_itself() {
    let world = World::new();
    let mut forecast = world.forecast(Way::Copy, &[]);
    forecast.place = world.dir.join("staging");
    let (source, leftovers) = (world.source(), Leftovers::default());
    let staging = StagingDir::create(&forecast.place, "1", &leftovers).unwrap();
    let freezer = forecast.prepare(&source, &[], "1", &leftovers).unwrap();
    assert!(freezer.is_some() && staging.artifacts().is_dir());
}

/// A job whose source is a directory of this one keeps its own below the top.
#[test]
fn no_walk_enters_a_directory_of_frozen_files_and_what_only_has_such_a_name_is_kept() {
    let world = World::new();
    let (top, deep) = (".copal-staging-other", "deep/.copal-staging-third");
    for frozen in [top, deep] {
        world.write(&format!("{frozen}/run-1-frozen/a.txt"), "frozen");
    }
    let just_begun = ".copal-staging-begun";
    make_private(&world.path(just_begun)).unwrap();
    let mine = [
        ".copal-staging-file",
        ".copal-staging-mine/letter.txt",
        ".copal-staging-mine/run-1-frozen/letter.txt",
        "deep/.copal-staging-other/run-1/letter.txt",
    ];
    for name in mine {
        world.write(name, "mine");
    }
    fs::create_dir(world.path(".copal-staging-empty")).unwrap();
    let walked = walk(&world.source(), &[], &mut All, &Interrupt::default()).unwrap();
    let kept: Vec<_> = walked.kept.iter().map(|it| it.path.as_bytes()).collect();
    for name in mine.iter().chain(&[".copal-staging-empty"]) {
        assert!(kept.contains(&name.as_bytes()), "{name}");
    }
    assert!(!kept.iter().any(|path| path.ends_with(b"frozen/a.txt")));
    let left_out = [just_begun, top, deep].map(|path| (path.parse().unwrap(), true));
    assert_eq!(walked.left_out, left_out);
}

#[test]
fn without_a_hold_auto_does_not_freeze() {
    let world = World::new();
    let mut forecast = world.forecast(Way::Link, &[]);
    forecast.choice.asked_for = false;
    let prepared = forecast.prepare(&world.source(), &[], "1", &Leftovers::default());
    let freezer = prepared.unwrap().unwrap();
    assert!(freezer.serves(true) && !freezer.serves(false));
}

#[test]
fn a_link_that_somebody_took_away_fails_the_run() {
    let world = World::new();
    let staged = world.frozen(Way::Link);
    fs::remove_file(staged.frozen_at("deep/b.txt")).unwrap();
    let failed = try_read(staged).unwrap_err();
    assert!(
        matches!(&failed, StageError::NotKept(path) if path.as_bytes() == b"deep/b.txt"),
        "{failed}"
    );

    let staged = world.frozen(Way::Link);
    let (path, interrupt) = ("a.txt".parse().unwrap(), Interrupt::default());
    fs::remove_file(staged.frozen_at("a.txt")).unwrap();
    let failed = staged.take_outrun(&path, "a.txt", Wanted::default(), &interrupt);
    assert!(matches!(failed, Err(StageError::NotKept(_))), "{failed:?}");
}

#[test]
fn a_directory_of_frozen_files_that_is_gone_is_no_sign_that_files_are() {
    let world = World::new();
    let to = world.dir.join("gone/a.txt");
    let source = world.source();
    let linked = duplicate::link(Beneath::stored(&source, "a.txt"), &to);
    assert!(matches!(linked, Err(Failed::Writing(_))), "{linked:?}");
}

#[test]
fn a_source_that_went_away_is_no_source_whose_files_were_deleted() {
    let world = World::new();
    let staged = world.staged(&world.forecast(Way::Direct, &[])).unwrap();
    fs::remove_file(world.path("a.txt")).unwrap();
    let read = try_read(staged).unwrap();
    assert_eq!(read.staged.vanished, ["a.txt".parse().unwrap()]);
    drop(read);

    let staged = world.staged(&world.forecast(Way::Direct, &[])).unwrap();
    fs::rename(world.source(), world.dir.join("away")).unwrap();
    fs::create_dir(world.source()).unwrap();
    // Its files are those of the directory that is held; the transfer looks once more, and fails.
    let read = try_read(staged).unwrap();
    assert_eq!(read.staged.vanished, []);
    assert!(!read.files.is_empty() && read.staged.tops.check().is_err());
}
