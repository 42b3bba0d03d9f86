//! A folder and a bucket of S3 in which somebody damages a file as soon as it has arrived: found out before
//! the seal, as with B2.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use copal_testkit::{Output, Random};

use crate::cloud::BUCKET;
use crate::place::{Kind, Place};
use crate::table::Trials;

#[derive(Clone, Copy, Debug)]
enum Damage {
    Truncated,
    /// It and its twin, which is as long, are each other.
    Swapped,
    Lost,
}

const DAMAGES: [Damage; 3] = [Damage::Truncated, Damage::Swapped, Damage::Lost];
/// Without one, S3 takes nothing; that server looks at none.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 \
    Credential=tests/20261127/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
/// Each has a twin.
const FILES: [&str; 2] = ["letter", "medium"];

/// Where files lie, told from rclone.
enum Store {
    Folder(PathBuf),
    /// The address of a server that asks for no key.
    S3(String),
}

impl Store {
    fn of(place: &Place) -> Self {
        match place.s3_origin() {
            None => Self::Folder(place.world.vault().join("backups/app")),
            Some(origin) => Self::S3(origin.trim_start_matches("http://").to_owned()),
        }
    }

    /// The directory of the only snapshot that is begun, or its prefix.
    fn snapshot(&self) -> Option<String> {
        match self {
            Self::Folder(names) => {
                let first = fs::read_dir(names).ok()?.next()?.ok()?;
                Some(first.path().to_str()?.to_owned())
            }
            Self::S3(_) => {
                let listed = self.ask("GET", "?list-type=2&prefix=backups/app/", b"")?;
                let listed = String::from_utf8(listed).ok()?;
                let (_, key) = listed.split_once("<Key>backups/app/")?;
                Some(format!("backups/app/{}", key.split_once('/')?.0))
            }
        }
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        match self {
            Self::Folder(_) => fs::read(path).ok(),
            Self::S3(_) => self.ask("GET", path, b""),
        }
    }

    /// Only where it is: a snapshot that is removed already gets nothing new.
    fn write(&self, path: &str, bytes: &[u8]) {
        match self {
            Self::Folder(_) => {
                let file = fs::File::options().write(true).truncate(true).open(path);
                drop(file.and_then(|mut file| file.write_all(bytes)));
            }
            Self::S3(_) => drop(self.ask("PUT", path, bytes)),
        }
    }

    fn remove(&self, path: &str) {
        match self {
            Self::Folder(_) => drop(fs::remove_file(path)),
            Self::S3(_) => drop(self.ask("DELETE", path, b"")),
        }
    }

    /// The body of an answer that is no error.
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Option<Vec<u8>> {
        let Self::S3(address) = self else { return None };
        let slash = if path.starts_with('?') { "" } else { "/" };
        let head = format!(
            "{method} /{BUCKET}{slash}{path} HTTP/1.0\r\nHost: {address}\r\n{SIGNED}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(address).ok()?;
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
        let is_well = answer[..end]
            .split(|byte| *byte == b' ')
            .nth(1)?
            .starts_with(b"2");
        is_well.then(|| answer.split_off(end + 4))
    }

    /// Does it, each time that the file is there as it was sent; whether it was.
    fn damage(&self, file: &str, sent: &[u8], twin: &[u8], damage: Damage) -> bool {
        let Some(snapshot) = self.snapshot() else {
            return false;
        };
        let (path, other) = (
            format!("{snapshot}/{file}.bin"),
            format!("{snapshot}/{file} twin.bin"),
        );
        let other = other.replace(
            ' ',
            if matches!(self, Self::S3(_)) {
                "%20"
            } else {
                " "
            },
        );
        if self.read(&path).is_none_or(|there| there != sent) {
            return false;
        }
        match damage {
            Damage::Truncated => self.write(&path, &sent[..sent.len() - 1]),
            Damage::Lost => self.remove(&path),
            Damage::Swapped if self.read(&other).is_none_or(|there| there != twin) => return false,
            Damage::Swapped => {
                self.write(&path, twin);
                self.write(&other, sent);
            }
        }
        true
    }
}

/// A place with two pairs of twins, and a file that is still on its way when they have arrived.
struct Trial {
    place: Place,
}

impl Trial {
    fn new(kind: Kind) -> Option<Self> {
        let place = Place::new(kind, false)?;
        for (file, size) in [("letter", 13), ("medium", 6 << 20)] {
            for name in [file.to_owned(), format!("{file} twin")] {
                let bytes = Random::new(1, &name).bytes(size);
                place.world.write(format!("source/{name}.bin"), bytes);
            }
        }
        let last = Random::new(1, "last").bytes(24 << 20);
        place.world.write("source/last.bin", last);
        let (to, source) = (place.to, "source.path = 'source'");
        let rclone = "[rclone]\nbwlimit = '12M'\nretries = 1\nlow_level_retries = 1";
        let config =
            format!("name = 'app'\n{source}\n[[destination]]\nremote = '{to}'\n{rclone}\n");
        place.world.write("copal.toml", config);
        Some(Self { place })
    }

    fn back_up_under(&self, file: &str, damage: Damage) -> (Output, bool) {
        let store = Store::of(&self.place);
        let read = |name: String| fs::read(self.place.world.source().join(name)).unwrap();
        let (sent, twin) = (
            read(format!("{file}.bin")),
            read(format!("{file} twin.bin")),
        );
        let (ended, met) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    if store.damage(file, &sent, &twin, damage) {
                        met.store(true, Ordering::Relaxed);
                    }
                    thread::sleep(Duration::from_millis(5));
                }
            });
            let output = self.place.copal(&["backup", "--json"]);
            ended.store(true, Ordering::Relaxed);
            (output, met.load(Ordering::Relaxed))
        })
    }

    /// Files that are exchanged look like ones that the app wrote to meanwhile: they are found, and sent again.
    /// What was made of that is removed, as it may be damaged by now.
    fn is_mended(&self, file: &str, output: &Output) -> bool {
        let told = output.json()["destinations"][0]["changed_meanwhile"].clone();
        let names = told.as_array().cloned().unwrap_or_default();
        let fs = format!("{}/app", self.place.to);
        let purge = serde_json::json!({ "fs": fs, "remote": "" });
        self.place.rclone("operations/purge", &purge);
        names.iter().any(|name| *name == format!("{file}.bin"))
    }

    fn is_found(&self, file: &str, damage: Damage) -> Result<Duration, String> {
        let start = Instant::now();
        let (output, met) = self.back_up_under(file, damage);
        if output.code() == Some(0) && met && self.is_mended(file, &output) {
            return Ok(start.elapsed());
        }
        let (left, begun) = (self.place.stored(), self.place.unfinished());
        let told = output.stderr().contains("error: ") && output.stderr().contains(" next: ");
        if !met {
            return Err(format!("no damage was done\n{output}"));
        }
        if output.code() != Some(1) || !told || !left.is_empty() || !begun.is_empty() {
            return Err(format!("left: {left:?}, begun: {begun:?}\n{output}"));
        }
        Ok(start.elapsed())
    }
}

/// So many times: six here, a hundred by `make soak`.
fn times() -> usize {
    let soak = std::env::var_os("COPAL_SOAK").is_some();
    if soak { 100 } else { 6 }
}

#[track_caller]
fn is_found_out(kind: Kind, what: &'static str) {
    let Some(trial) = Trial::new(kind) else {
        return;
    };
    let mut trials = Trials::of(what);
    let all = FILES
        .iter()
        .flat_map(|file| DAMAGES.map(|damage| (*file, damage)));
    for (file, damage) in all.cycle().take(times()) {
        trials.took(&format!("{damage:?}: {file}"), trial.is_found(file, damage));
    }
    trials.end(
        "found before the seal: no manifest and exit code 1, or sent again; a run took at most {}",
    );
    trial.place.copal(&["backup"]).succeeds();
}

#[test]
fn what_is_damaged_in_a_folder_after_it_arrived_is_found_before_the_seal() {
    is_found_out(
        Kind::Folder,
        "a file truncated, swapped or lost in a local folder after it arrived",
    );
}

#[test]
fn what_is_damaged_on_s3_after_its_upload_is_found_before_the_seal() {
    is_found_out(
        Kind::S3,
        "a file truncated, swapped or lost on S3 after its upload",
    );
}
