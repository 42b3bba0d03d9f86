use super::*;

fn attributes() -> Attributes {
    Attributes {
        mode: Mode::from_st_mode(0o100_640),
        uid: 1000,
        gid: 1000,
        mtime: "2026-11-24T02:59:58.123456789Z".parse().unwrap(),
    }
}

fn entry(path: &str, kind: EntryKind) -> Entry {
    Entry {
        path: path.parse().unwrap(),
        attributes: attributes(),
        kind,
    }
}

pub(crate) fn file(path: &str, stored: Option<&str>) -> Entry {
    let kind = EntryKind::File(FileEntry {
        size: ByteCount(3),
        sha256: Sha256::from_bytes([7; 32]),
        sha1: None,
        md5: None,
        taken: Taken::Direct,
        stored: stored.map(str::to_owned),
        rows: Rows::new(),
    });
    entry(path, kind)
}

pub(crate) fn manifest(entries: Vec<Entry>) -> Manifest {
    Manifest {
        copal_manifest: FORMAT,
        id: "2026-11-24T030000Z".parse().unwrap(),
        name: "open-webui".into(),
        run: RunRecord {
            id: "5f1c".into(),
            started: "2026-11-24T03:00:00Z".parse().unwrap(),
            staged: "2026-11-24T03:00:01Z".parse().unwrap(),
            copal: "0.1.0".into(),
            staging: None,
        },
        source: "/opt/open-webui".into(),
        mounts: vec![],
        disks: BTreeMap::new(),
        folders: vec![],
        root: attributes(),
        totals: Totals::of(&entries),
        hooks: vec![],
        facts: Facts::new(),
        there_when_refused: None,
        unaccounted: false,
        entries,
    }
}

fn sample() -> Manifest {
    manifest(vec![
        file("a%0Ab", Some("a%0Ab")),
        entry("empty", EntryKind::Directory),
        entry(
            "link",
            EntryKind::Symlink {
                target: "empty".into(),
            },
        ),
        file("webui.db", None),
    ])
}

#[test]
fn a_manifest_reads_back_what_was_written() {
    let manifest = sample();
    assert_eq!(Manifest::parse(manifest.to_json().as_bytes()), Ok(manifest));
}

#[test]
fn mount_points_are_read_back_and_one_without_any_says_nothing_of_them() {
    let mut manifest = sample();
    assert!(!manifest.to_json().contains("mounts"));
    let disk: RelPath = "disk".parse().unwrap();
    manifest.mounts = vec![disk.clone()];
    let is = crate::mounts::FileSystem {
        kind: 0xef53,
        number: u64::MAX,
    };
    let disks = &mut manifest.disks;
    disks.entry(disk).or_default().is = Some(is);
    assert_eq!(Manifest::parse(manifest.to_json().as_bytes()), Ok(manifest));
}

#[test]
fn the_format_is_readable_and_does_not_change_unnoticed() {
    insta::assert_snapshot!(sample().to_json());
}

#[test]
fn checksums_are_named_as_they_are_stored() {
    let digest = "07".repeat(32);
    assert_eq!(
        sample().sums(),
        format!("{digest}  a%0Ab\n{digest}  webui.db\n")
    );
}

#[test]
fn a_manifest_cut_off_anywhere_is_refused() {
    let json = sample().to_json();
    for end in 0..json.trim_end().len() {
        let cut = Manifest::parse(&json.as_bytes()[..end]);
        assert!(
            matches!(cut, Err(ManifestError::Unreadable(_))),
            "cut at {end}"
        );
    }
}

#[test]
fn a_later_format_is_told_apart_from_damage() {
    let json = r#"{"copal_manifest": 2, "everything": "else differs"}"#;
    assert_eq!(
        Manifest::parse(json.as_bytes()),
        Err(ManifestError::TooNew { found: 2 })
    );
}

#[test]
fn a_manifest_that_contradicts_itself_is_refused() {
    let mut wrong_totals = sample();
    wrong_totals.totals.files += 1;
    let twice = manifest(vec![file("a", None), file("a", None)]);
    let unsorted = manifest(vec![file("b", None), file("a", None)]);
    let shared = manifest(vec![file("a", Some("x")), file("x", None)]);
    let escaping = manifest(vec![file("a", Some("../x"))]);
    let below_link = manifest(vec![
        entry(
            "link",
            EntryKind::Symlink {
                target: "/etc".into(),
            },
        ),
        file("link/passwd", None),
    ]);
    for wrong in [wrong_totals, twice, unsorted, shared, escaping, below_link] {
        let parsed = Manifest::parse(wrong.to_json().as_bytes());
        assert!(
            matches!(parsed, Err(ManifestError::Inconsistent(_))),
            "{parsed:?}"
        );
    }
}

#[test]
fn a_path_that_leaves_the_snapshot_is_refused() {
    let json = sample().to_json().replace("webui.db", "../../etc/cron.d/x");
    assert!(matches!(
        Manifest::parse(json.as_bytes()),
        Err(ManifestError::Unreadable(_))
    ));
}
