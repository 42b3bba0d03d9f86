use std::fs::{self, File};

use copal_core::manifest::Attributes;
use flate2::read::GzDecoder;

use super::super::artifacts::Added;
use super::super::kit::Floor;
use super::*;
use crate::edge::stat::attributes;
use crate::edge::walk::absolute;

fn path(text: &str) -> RelPath {
    text.parse().unwrap()
}

/// A source that holds `files`, and is known.
fn floor(files: &[&str]) -> Floor {
    let mut floor = Floor::with("");
    for file in files {
        let place = absolute(&floor.host.source, &path(file));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, file).unwrap();
    }
    floor.look(|_| false);
    floor
}

fn archive(floor: &Floor, directory: &str) -> Result<Archived, CapabilityError> {
    let directory = path(directory);
    let format = ArchiveFormat::TarGz;
    create(&floor.host, &directory, format, &floor.host.interrupt)
}

/// A file as a command or `/staging` makes it.
fn new(floor: &Floor, at: &str) -> Added {
    Added {
        path: path(at),
        attributes: any(floor),
        file: Some(floor.host.artifacts.next_file()),
    }
}

fn any(floor: &Floor) -> Attributes {
    attributes(&fs::metadata(floor.host.source.to_path_buf()).unwrap())
}

/// What the last archive holds.
fn members(floor: &Floor) -> Vec<String> {
    let made = floor.host.artifacts.all();
    let file = File::open(&made.last().unwrap().file).unwrap();
    let mut archive = tar::Archive::new(GzDecoder::new(file));
    let entries = archive.entries().unwrap();
    let name = |entry: std::io::Result<tar::Entry<'_, _>>| {
        entry.unwrap().path().unwrap().display().to_string()
    };
    entries.map(name).collect()
}

#[test]
fn an_archive_does_not_take_the_place_of_what_a_hook_made_before() {
    let floor = floor(&["vectors/a"]);
    let made = new(&floor, "vectors.tar.gz");
    floor.host.artifacts.add_new(made).unwrap();
    let refused = archive(&floor, "vectors");
    let why =
        "`vectors`: the artifact `vectors.tar.gz` is in the way of its archive `vectors.tar.gz`";
    assert_eq!(refused, Err(CapabilityError::Invalid(why.to_owned())));
    assert_eq!(floor.host.artifacts.all(), []);
}

#[test]
fn what_is_a_link_by_the_time_it_is_to_be_archived_is_no_directory() {
    let floor = floor(&["vectors/a", "other/a"]);
    fs::rename(floor.path("source/vectors"), floor.path("away")).unwrap();
    std::os::unix::fs::symlink("other", floor.path("source/vectors")).unwrap();
    let refused = archive(&floor, "vectors");
    assert_eq!(refused, Err(CapabilityError::Missing("vectors".to_owned())));
    assert_eq!(floor.host.artifacts.all(), []);
}

#[test]
fn a_directory_that_a_hook_put_something_into_is_not_archived_without_it() {
    let floor = floor(&["vectors/a"]);
    let made = new(&floor, "vectors/dump.sql");
    floor.host.artifacts.add_new(made).unwrap();
    let refused = archive(&floor, "vectors");
    assert!(matches!(refused, Err(CapabilityError::Invalid(_))));
}

#[test]
fn nothing_new_is_put_into_a_directory_that_is_archived_already() {
    let floor = floor(&["vectors/a"]);
    archive(&floor, "vectors").unwrap();
    for at in ["vectors/dump.sql", "vectors/new/dump.sql"] {
        let refused = floor.host.can_take(&path(at));
        let why = format!("`{at}`: the artifact `vectors.tar.gz` is in its way");
        assert_eq!(refused, Err(why));
    }
    assert_eq!(floor.host.can_take(&path("vectors-2")), Ok(()));
}

#[test]
fn a_directory_may_be_archived_anew_and_within_another() {
    let floor = floor(&["data/vectors/a"]);
    for directory in ["data/vectors", "data/vectors", "data", "data/vectors"] {
        archive(&floor, directory).unwrap();
    }
    assert_eq!(floor.host.artifacts.all().len(), 2);
    assert_eq!(members(&floor), ["vectors", "vectors/a"]);
}

#[test]
fn an_archive_holds_nothing_of_what_is_copals_own() {
    let mut floor = Floor::with("[staging]\ndir = 'source/data/staging'");
    let own = floor.path("source/data/staging/copal/app");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("copy"), "half a copy").unwrap();
    floor.look(|_| false);
    archive(&floor, "data").unwrap();
    let expected = ["data", "data/staging", "data/staging/copal"];
    assert_eq!(members(&floor), expected);
}

#[test]
fn an_archive_leaves_out_what_the_plan_left_out_and_no_more() {
    let mut floor = floor(&["data/a", "data/cache/b", "data/cache-2/c", "other/d"]);
    floor.look(|path| path.as_bytes() == b"data/cache");
    archive(&floor, "data").unwrap();
    let expected = ["data", "data/a", "data/cache-2", "data/cache-2/c"];
    assert_eq!(members(&floor), expected);
}

#[test]
fn what_the_plan_left_out_of_a_large_directory_is_not_in_its_archive() {
    let mut floor = Floor::with("");
    let data = floor.path("source/data");
    fs::create_dir(&data).unwrap();
    for n in 0..2_000 {
        File::create(data.join(n.to_string())).unwrap();
    }
    floor.look(|path| path.parent().is_some() && path.name().len() > 2);
    archive(&floor, "data").unwrap();
    assert_eq!(members(&floor).len(), 101);
}
