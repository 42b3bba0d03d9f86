use std::fs;
use std::path::Path;

use copal_core::grants::Tree;
use copal_core::stored::NameLimit;
use copal_hooks::{Call, Cancel, Capabilities, Limits, Phase};
use jiff::Timestamp;

use super::*;
use crate::capability::artifacts::{Artifact, Artifacts};
use crate::capability::files;
use crate::capability::host::Host;
use crate::capability::means::Means;
use crate::edge::hash::Wanted;
use crate::edge::interrupt::Interrupt;
use crate::edge::leftovers::Leftovers;
use crate::edge::staging::StagingDir;
use crate::edge::top::Top;
use crate::edge::walk::{Filter, Found, Keep};
use crate::filters::FilterFailed;
use crate::step::read::{Read, Reading};
use crate::step::stage::{Staging, stage};

struct All;

impl Filter for All {
    type Error = FilterFailed;

    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, FilterFailed> {
        Ok(vec![Keep::Yes; found.len()])
    }
}

/// A source in which a hook leaves what `leave` says, and `then` happens before it is staged.
fn staged(leave: impl FnOnce(&Path), then: impl FnOnce(&Path)) -> Result<Read, StageError> {
    staged_with(|_| {}, leave, then)
}

/// The same, with what a hook made by `make`.
fn staged_with(
    make: impl FnOnce(&Artifacts),
    leave: impl FnOnce(&Path),
    then: impl FnOnce(&Path),
) -> Result<Read, StageError> {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    fs::create_dir_all(source.join("uploads")).unwrap();
    fs::write(source.join("uploads/a"), "live").unwrap();
    let staging =
        StagingDir::create(&dir.path().join("staging"), "1", &Leftovers::default()).unwrap();
    let host = Host {
        source: Top::at(source.clone()),
        found: Vec::new(),
        left_out: Vec::new(),
        is_restored: false,
        databases: Vec::new(),
        live_databases: Vec::new(),
        artifacts: Artifacts::in_dir(staging.made_by_hooks()).into(),
        means: Means::default().shared(),
        interrupt: Interrupt::default(),
    };
    let call = Call {
        hook: "notes",
        phase: Phase::PreBackup,
        cancel: &Cancel::new(),
        limits: &Limits::default(),
    };
    make(&host.artifacts);
    leave(&host.tree(&call, Tree::Staging).unwrap().unwrap());
    files::take_in(&host, "notes").unwrap();
    then(&source);
    let ask = Staging {
        source: &Top::at(source.clone()),
        never: &[],
        filter: &mut All,
        artifacts: host.artifacts.all(),
        added: host.artifacts.added(),
        made: host.artifacts.clone(),
        names: NameLimit::default(),
        freezer: None,
        now: &|| Timestamp::UNIX_EPOCH,
        interrupt: &Interrupt::default(),
    };
    let by = Reading {
        live_allowed: &|_| false,
        wanted: Wanted::default(),
        interrupt: &Interrupt::default(),
    };
    stage(staging, ask)?.read(by)
}

fn nothing(_: &Path) {}

#[test]
fn a_new_file_is_staged_with_its_checksum_and_every_directory_above_it() {
    let staged = staged(
        |staging| {
            fs::create_dir_all(staging.join("exports/2026")).unwrap();
            fs::create_dir(staging.join("uploads")).unwrap();
            fs::write(staging.join("exports/2026/rows.csv"), "").unwrap();
            fs::write(staging.join("uploads/extra"), "new").unwrap();
        },
        nothing,
    )
    .unwrap();
    let files: Vec<_> = staged
        .files
        .iter()
        .map(|file| (file.path.to_string(), file.taken))
        .collect();
    let expected = [
        ("exports/2026/rows.csv", Taken::Added),
        ("uploads/a", Taken::Direct),
        ("uploads/extra", Taken::Added),
    ];
    assert_eq!(
        files,
        expected.map(|(path, taken)| (path.to_owned(), taken))
    );
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(staged.files[0].digests.sha256.to_string(), empty);
    let mut directories: Vec<_> = staged
        .staged
        .others
        .iter()
        .map(|entry| entry.path.to_string())
        .collect();
    directories.sort();
    assert_eq!(directories, ["exports", "exports/2026", "uploads"]);
}

#[test]
fn what_the_source_got_meanwhile_is_not_overwritten() {
    let refused = staged(
        |staging| fs::write(staging.join("report"), "mine").unwrap(),
        |source| fs::write(source.join("report"), "live").unwrap(),
    );
    assert!(matches!(refused, Err(StageError::InTheWay(path)) if path.as_bytes() == b"report"));
    let refused = staged(
        |staging| {
            fs::create_dir(staging.join("exports")).unwrap();
            fs::write(staging.join("exports/x"), "mine").unwrap();
        },
        |source| fs::write(source.join("exports"), "live").unwrap(),
    );
    assert!(matches!(refused, Err(StageError::InTheWay(path)) if path.as_bytes() == b"exports"));
}

#[test]
fn a_database_that_the_source_got_meanwhile_is_not_read_with_a_log_of_a_hooks() {
    let refused = staged(
        |staging| fs::write(staging.join("app.db-wal"), "forged").unwrap(),
        |source| fs::write(source.join("app.db"), "live").unwrap(),
    );
    assert!(matches!(refused, Err(StageError::ReadWith(path)) if path.as_bytes() == b"app.db-wal"));
}

#[test]
fn a_file_that_the_source_got_in_place_of_an_archive_is_not_mixed_up_with_it() {
    let archive = |artifacts: &Artifacts| {
        let file = artifacts.next_file();
        fs::write(&file, "archive").unwrap();
        artifacts.add(Artifact {
            stands_in_for: "uploads".parse().unwrap(),
            file,
            taken: Taken::TarGz,
            database: None,
        });
    };
    let live = |source: &Path| fs::write(source.join("uploads.tar.gz"), "live").unwrap();
    let refused = staged_with(archive, nothing, live);
    assert!(
        matches!(refused, Err(StageError::InTheWay(path)) if path.as_bytes() == b"uploads.tar.gz")
    );
}
