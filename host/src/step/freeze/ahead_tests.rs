use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use copal_testkit::{FileSystem, Mount, Random, wait_until};
use filetime::FileTime;

use super::*;
use crate::step::freeze::tests::{World, how, read};
use crate::step::stage::Staged;

/// What is in the source: the content of each file by its path.
fn contents(source: &Path) -> BTreeMap<Vec<u8>, String> {
    let mut all = BTreeMap::new();
    let mut open = vec![source.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(source).unwrap();
                let content = copal_testkit::sha256(fs::read(&path).unwrap());
                all.insert(name.as_os_str().as_encoded_bytes().to_vec(), content);
            }
        }
    }
    all
}

fn frozen(staged: Staged) -> BTreeMap<Vec<u8>, String> {
    let read = read(staged);
    assert!(read.files.iter().all(|file| !file.outran));
    let files = read.files.iter();
    files
        .map(|file| {
            (
                file.path.as_bytes().to_vec(),
                file.digests.sha256.to_string(),
            )
        })
        .collect()
}

/// An app at work on its files.
struct App {
    random: Random,
    source: PathBuf,
    made: usize,
}

impl App {
    fn all(&self, directories: bool) -> Vec<PathBuf> {
        let (mut found, mut open) = (Vec::new(), vec![self.source.clone()]);
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path.clone());
                }
                if path.is_dir() == directories {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }

    fn any(&mut self, directories: bool) -> Option<PathBuf> {
        let all = self.all(directories);
        (!all.is_empty()).then(|| self.random.pick(&all).clone())
    }

    fn new_name(&mut self) -> PathBuf {
        self.made += 1;
        let below = self.any(true).unwrap_or_else(|| self.source.clone());
        below.join(format!("new-{}", self.made))
    }

    /// One deed; also one that writes to a file in place, or only such as most programs do.
    fn act(&mut self, in_place: bool) {
        let deed = self.random.below(if in_place { 9 } else { 7 });
        let Some(file) = self.any(false) else { return };
        let new = self.new_name();
        match deed {
            0 => fs::write(new, self.random.uuid()).unwrap(),
            1 => fs::remove_file(file).unwrap(),
            2 => fs::rename(file, new).unwrap(),
            3 => {
                fs::write(&new, self.random.uuid()).unwrap();
                fs::rename(new, file).unwrap();
            }
            4 => {
                let other = self.any(false).unwrap();
                fs::rename(&file, &new).unwrap();
                if other != file {
                    fs::rename(other, &file).unwrap();
                }
            }
            5 => {
                fs::remove_file(&file).unwrap();
                fs::create_dir(&file).unwrap();
                fs::write(file.join("inside"), self.random.uuid()).unwrap();
            }
            6 => {
                let Some(directory) = self.any(true) else {
                    return;
                };
                fs::remove_dir_all(&directory).unwrap();
                fs::write(directory, self.random.uuid()).unwrap();
            }
            // Of the same length, and with the old time put back.
            7 => {
                let then = FileTime::from_last_modification_time(&fs::metadata(&file).unwrap());
                let length = fs::read(&file).unwrap().len();
                fs::write(&file, self.random.bytes(length)).unwrap();
                filetime::set_file_mtime(&file, then).unwrap();
            }
            _ => fs::write(file, self.random.uuid()).unwrap(),
        }
    }
}

/// Until a change of this file would show.
fn wait_for_the_clock(file: &Path) {
    let version = Version::of(&fs::metadata(file).unwrap());
    wait_until("the clock to move on", Duration::from_mins(1), || {
        let shows = version.would_show_a_change_after(Timestamp::now());
        shows.then_some(())
    })
    .unwrap();
}

/// A source whose files are at rest: what is written from now on has another time.
fn at_rest(world: &World) -> App {
    for n in 0..40 {
        let name = format!("{}/deep-{}/file-{n:02}", n % 3, n % 2);
        world.write(&name, &format!("content {n}"));
        world.age(&name);
    }
    wait_for_the_clock(&world.path("2/deep-1/file-35"));
    App {
        random: Random::new(0, ""),
        source: world.source(),
        made: 0,
    }
}

fn what_changes_is_as_it_was_under_the_hold(world: &World, way: Way) {
    let mut app = at_rest(world);
    let forecast = world.forecast(way, &[]);
    for seed in 0..20 {
        app.random = Random::new(seed, "between the walk and the hold");
        let mut then = BTreeMap::new();
        let between = || {
            for _ in 0..app.random.below(12) {
                app.act(true);
            }
            then = contents(&app.source);
        };
        let staged = world.staged_after(&forecast, between).unwrap();
        for _ in 0..12 {
            app.act(way != Way::Link);
        }
        assert_eq!(frozen(staged), then, "{way}, seed {seed}");
    }
}

#[test]
fn links_are_of_what_is_there_under_the_hold_whatever_happened_since_they_were_made() {
    what_changes_is_as_it_was_under_the_hold(&World::new(), Way::Link);
}

#[test]
fn clones_are_of_what_is_there_under_the_hold_whatever_happened_since_they_were_made() {
    for (kind, size) in [(FileSystem::Xfs, 512), (FileSystem::Btrfs, 256)] {
        let Some(mount) = Mount::new(kind, size) else {
            continue;
        };
        let world = World::at(mount.path().to_owned(), None);
        what_changes_is_as_it_was_under_the_hold(&world, Way::Reflink);
    }
}

/// Ahead of the hold all is frozen that is at rest; and under it that is not frozen again.
fn is_frozen_once(world: &World, way: Way, taken: Taken) {
    at_rest(world);
    let forecast = world.forecast(way, &[]);
    let place = forecast.place.join("run-1-frozen/0/deep-0/file-00");
    let mut early = None;
    let staged = world
        .staged_after(&forecast, || early = fs::metadata(&place).ok())
        .unwrap();
    let now = fs::metadata(&place).unwrap();
    let early = early.expect("it was frozen before the hold");
    assert_eq!(
        (early.ino(), early.ctime_nsec()),
        (now.ino(), now.ctime_nsec())
    );
    let read = read(staged);
    let file = how(&read)
        .into_iter()
        .find(|(path, _)| path.ends_with(b"file-00"));
    assert_eq!(file.unwrap().1, taken);
}

#[test]
fn what_is_at_rest_is_frozen_before_the_hold_and_not_again() {
    is_frozen_once(&World::new(), Way::Link, Taken::Link);
    if let Some(mount) = Mount::new(FileSystem::Xfs, 512) {
        let world = World::at(mount.path().to_owned(), None);
        is_frozen_once(&world, Way::Reflink, Taken::Reflink);
    }
}

#[test]
fn what_is_opened_for_writing_since_it_was_linked_is_copied() {
    let world = World::new();
    let forecast = world.forecast(Way::Link, &[]);
    let mut writer = None;
    let open = || {
        let file = fs::OpenOptions::new()
            .append(true)
            .open(world.path("a.txt"));
        writer = Some(file.unwrap());
    };
    let staged = world.staged_after(&forecast, open).unwrap();
    std::io::Write::write_all(writer.as_mut().unwrap(), b" and more").unwrap();
    let read = read(staged);
    assert!(how(&read).contains(&(&b"a.txt"[..], Taken::Copy)));
    assert_eq!(
        read.files[0].digests.sha256.to_string(),
        copal_testkit::sha256("a.txt")
    );
}

#[test]
fn a_write_through_a_map_that_was_open_when_it_was_cloned_is_noticed() {
    let Some(mount) = Mount::new(FileSystem::Xfs, 512) else {
        return;
    };
    let world = World::at(mount.path().to_owned(), None);
    // Python maps the file, writes to it, and writes again when it is told to.
    let script = "
import mmap, sys
with open(sys.argv[1], 'r+b') as file:
    map = mmap.mmap(file.fileno(), 0)
    for line in sys.stdin:
        map[0:5] = line.encode()[0:5]
        print('done', flush=True)
";
    let mut app = told(script, &world.path("a.txt"));
    app.tell("first");
    wait_for_the_clock(&world.path("a.txt"));
    let forecast = world.forecast(Way::Reflink, &[]);
    let staged = world.staged_after(&forecast, || app.tell("other")).unwrap();
    app.tell("later");
    let read = read(staged);
    assert_eq!(
        read.files[0].digests.sha256.to_string(),
        copal_testkit::sha256("other")
    );
}

/// A program of its own, told what to do by lines.
struct Told(std::process::Child);

fn told(script: &str, file: &Path) -> Told {
    use std::process::{Command, Stdio};
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(file);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Told(command.spawn().unwrap())
}

impl Told {
    fn tell(&mut self, what: &str) {
        use std::io::{Read, Write};
        writeln!(self.0.stdin.as_mut().unwrap(), "{what}").unwrap();
        let mut answer = [0; 5];
        let answers = self.0.stdout.as_mut().unwrap();
        answers.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"done\n");
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        ended.unwrap();
    }
}
