use std::fs;

use super::*;
use crate::edge::walk::{Filter, Keep, walk};

struct All;

impl Filter for All {
    type Error = std::convert::Infallible;
    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, Self::Error> {
        Ok(vec![Keep::Yes; found.len()])
    }
}

fn archive(format: Format) -> (tempfile::TempDir, Archived) {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("source/data/vector_db/empty");
    fs::create_dir_all(&inside).unwrap();
    fs::write(inside.with_file_name("header.bin"), "live").unwrap();
    fs::write(inside.with_file_name("chroma.sqlite3"), "torn").unwrap();
    fs::write(dir.path().join("copy"), "consistent").unwrap();
    std::os::unix::fs::symlink("header.bin", inside.with_file_name("link")).unwrap();
    let source = dir.path().join("source");
    let walked = walk(&source, &[], &mut All, &Interrupt::default()).unwrap();
    let directory: RelPath = "data/vector_db".parse().unwrap();
    let found: Vec<_> = walked
        .kept
        .into_iter()
        .filter(|found| found.path.is_within(&directory))
        .collect();
    let content = |path: &RelPath| match path.name() {
        b"chroma.sqlite3" => Content::StandIn(dir.path().join("copy")),
        _ => Content::Live,
    };
    let to = dir.path().join("archive");
    let archived = create(
        &Top::at(source.clone()),
        &directory,
        &found,
        content,
        (&to, format),
        &Interrupt::default(),
    )
    .unwrap();
    (dir, archived)
}

#[test]
fn an_archive_unpacks_beside_itself_with_copies_in_place_of_live_databases() {
    for format in [Format::Tar, Format::TarGz] {
        let (dir, archived) = archive(format);
        assert_eq!((archived.entries, archived.content), (5, ByteCount(14)));
        let file = File::open(dir.path().join("archive")).unwrap();
        let reader: Box<dyn Read> = match format {
            Format::Tar => Box::new(file),
            Format::TarGz => Box::new(flate2::read::GzDecoder::new(file)),
        };
        let out = dir.path().join("out");
        tar::Archive::new(reader).unpack(&out).unwrap();
        let read = |name: &str| fs::read_to_string(out.join("vector_db").join(name)).unwrap();
        assert_eq!(read("header.bin"), "live");
        assert_eq!(read("chroma.sqlite3"), "consistent");
        assert_eq!(
            fs::read_link(out.join("vector_db/link")).unwrap(),
            Path::new("header.bin")
        );
        assert!(out.join("vector_db/empty").is_dir());
    }
}

/// Takes so many bytes, fails once, and takes all that follows.
struct FailsOnce {
    room: usize,
    has_failed: bool,
}

impl Write for FailsOnce {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.has_failed || self.room >= bytes.len() {
            self.room = self.room.saturating_sub(bytes.len());
            return Ok(bytes.len());
        }
        self.has_failed = true;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_in_the_midst_of_a_file_is_told_as_that_whatever_the_file_is() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    fs::create_dir(&source).unwrap();
    for place in [source.join("a"), dir.path().join("copy")] {
        fs::write(place, vec![1; 1 << 20]).unwrap();
    }
    let found = walk(&source, &[], &mut All, &Interrupt::default()).unwrap();
    for is_live in [true, false] {
        let content = |_: &RelPath| {
            if is_live {
                Content::Live
            } else {
                Content::StandIn(dir.path().join("copy"))
            }
        };
        let mut disk = FailsOnce {
            room: 1 << 16,
            has_failed: false,
        };
        let interrupt = Interrupt::default();
        let packed = pack(
            &Top::at(source.clone()),
            0,
            &found.kept,
            &content,
            &mut disk,
            &interrupt,
        );
        assert!(
            matches!(&packed, Err(ArchiveError::Write(error)) if error.kind() == io::ErrorKind::StorageFull),
            "{packed:?}"
        );
    }
}
