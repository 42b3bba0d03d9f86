//! Where snapshots go: every kind of remote, plain and encrypted, with the same questions to each.

use std::path::{Path, PathBuf};

use copal_b2_server::{B2Server, KeyPair};
use copal_testkit::{Moto, Output, World};
use serde_json::json;

use crate::cloud::{BUCKET, SMALL_PARTS};

/// A kind of remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    B2,
    S3,
}

/// What stands behind the remote.
enum Behind {
    Folder,
    B2(B2Server),
    S3(Moto),
}

/// A world with a destination, `--to` which its backups go.
pub(crate) struct Place {
    pub(crate) world: World,
    pub(crate) to: &'static str,
    behind: Option<Behind>,
    secrets: Vec<String>,
}

const PASSWORD: &str = "correct horse battery staple";
const S3_SECRET: &str = "the-secret-of-the-s3-key";

impl Place {
    /// None where the kind needs what is not there.
    pub(crate) fn new(kind: Kind, encrypted: bool) -> Option<Self> {
        let world = World::new(env!("CARGO_BIN_EXE_copal"));
        let mut secrets = Vec::new();
        let behind = match kind {
            Kind::Folder => Behind::Folder,
            Kind::B2 => {
                let server = B2Server::start();
                server.add_bucket(BUCKET);
                let key = server.master_key();
                let section = server.rclone_section(&key);
                world.add_remote("cloud", &format!("{section}{SMALL_PARTS}"));
                secrets.push(key.secret);
                Behind::B2(server)
            }
            Kind::S3 => {
                let moto = Moto::start()?;
                add_s3(&world, &moto);
                secrets.push(S3_SECRET.to_owned());
                Behind::S3(moto)
            }
        };
        let mut place = Self {
            world,
            to: "cloud:test-bucket/backups",
            behind: Some(behind),
            secrets,
        };
        if kind == Kind::Folder {
            place.to = "vault:backups";
        }
        if kind == Kind::S3 {
            let bucket = json!({ "fs": format!("cloud:{BUCKET}"), "remote": "" });
            place.rclone("operations/mkdir", &bucket);
        }
        if encrypted {
            place.encrypt();
        }
        Some(place)
    }

    fn encrypt(&mut self) {
        let obscured = self.obscured(PASSWORD);
        let below = self.to;
        let lines = format!("type = crypt\nremote = {below}\npassword = {obscured}");
        self.world.add_remote("safe", &lines);
        self.secrets.extend([PASSWORD.to_owned(), obscured]);
        self.to = "safe:";
    }

    fn obscured(&self, password: &str) -> String {
        let reply = self.rclone("core/obscure", &json!({ "clear": password }));
        reply["obscured"].as_str().unwrap().to_owned()
    }

    /// A method of rclone's, which is to succeed.
    #[track_caller]
    pub(crate) fn rclone(&self, method: &str, parameters: &serde_json::Value) -> serde_json::Value {
        let output = self
            .world
            .copal(&["rclone", method, &parameters.to_string()]);
        output.succeeds().json()
    }

    /// Runs a command, in whose output no secret may be.
    #[track_caller]
    pub(crate) fn copal(&self, arguments: &[&str]) -> Output {
        let output = self.world.copal(arguments);
        for secret in &self.secrets {
            output.never_says(secret);
        }
        output
    }

    /// Backs the source up, which is to succeed; the snapshot's id.
    #[track_caller]
    pub(crate) fn back_up(&self) -> String {
        let output = self.try_back_up();
        let json = output.succeeds().json();
        let id = json["destinations"][0]["snapshot"].as_str();
        id.unwrap_or_else(|| panic!("no snapshot\n{output}"))
            .to_owned()
    }

    #[track_caller]
    pub(crate) fn try_back_up(&self) -> Output {
        self.copal(&["backup", "--source", "source", "--to", self.to, "--json"])
    }

    /// Where S3 answers, and needs no key.
    pub(crate) fn s3_origin(&self) -> Option<&str> {
        match self.behind.as_ref()? {
            Behind::S3(moto) => Some(&moto.origin),
            Behind::Folder | Behind::B2(_) => None,
        }
    }

    /// The names of all that is stored, as the remote has them. None that are encrypted can be read.
    pub(crate) fn stored(&self) -> Vec<String> {
        match self.behind.as_ref().unwrap() {
            Behind::Folder => files_below(&self.world),
            Behind::B2(server) => server.names(BUCKET),
            Behind::S3(_) => {
                let options = json!({ "recurse": true, "filesOnly": true });
                let request =
                    json!({ "fs": format!("cloud:{BUCKET}"), "remote": "", "opt": options });
                let reply = self.rclone("operations/list", &request);
                let entries = reply["list"].as_array().cloned().unwrap_or_default();
                let names = entries.iter().map(|entry| entry["Path"].as_str().unwrap());
                names.map(str::to_owned).collect()
            }
        }
    }

    /// The names that B2 shows, and those of all versions that it has.
    pub(crate) fn b2_versions(&self) -> (Vec<String>, Vec<String>) {
        let Behind::B2(server) = self.behind.as_ref().unwrap() else {
            panic!("this is not B2");
        };
        let versions = server.versions(BUCKET).into_iter();
        let versions = versions.map(|version| version.name).collect();
        (server.names(BUCKET), versions)
    }

    /// What was begun there and is not finished, which is paid for and shows in no listing.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        match self.behind.as_ref().unwrap() {
            Behind::Folder => {
                let mut stored = self.stored();
                stored.retain(|name| name.ends_with(".partial"));
                stored
            }
            Behind::B2(server) => server.unfinished(BUCKET),
            Behind::S3(_) => {
                let fs = format!("cloud:{BUCKET}");
                let request = json!({ "command": "list-multipart-uploads", "fs": fs });
                let reply = self.rclone("backend/command", &request);
                let uploads = reply["result"][BUCKET].as_array().cloned();
                let uploads = uploads.unwrap_or_default();
                uploads.iter().map(ToString::to_string).collect()
            }
        }
    }

    /// That nothing which Copal keeps on this machine (its state, its staging, what is left of temporary
    /// files) has a secret in it.
    #[track_caller]
    pub(crate) fn keeps_its_secrets(&self) {
        let kept = [self.world.path("home"), self.world.path("tmp")];
        for path in kept.iter().flat_map(|kept| files_in(kept)) {
            if path == self.world.rclone_conf() {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            for secret in &self.secrets {
                let found = bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes());
                assert!(!found, "{} has `{secret}` in it", path.display());
            }
        }
    }

    /// From now on its key is not the right one; what is said then. None where there is no key.
    pub(crate) fn spoil_key(&mut self) -> Option<&'static str> {
        let wrong = "not-this-secret-but-another";
        let said = match self.behind.as_ref().unwrap() {
            Behind::Folder => return None,
            Behind::B2(server) => {
                let key = KeyPair {
                    secret: wrong.to_owned(),
                    ..server.master_key()
                };
                let section = server.rclone_section(&key);
                self.world.add_remote("cloud", &section);
                "check the key"
            }
            Behind::S3(_) => {
                // One that looks at keys, and knows none.
                let strict = Moto::that_asks_for_keys()?;
                add_s3(&self.world, &strict);
                self.behind = Some(Behind::S3(strict));
                "check the key"
            }
        };
        self.secrets.push(wrong.to_owned());
        Some(said)
    }

    /// From now on nobody answers there, or what answers is no directory.
    pub(crate) fn make_unreadable(&mut self) {
        match self.behind.take().unwrap() {
            Behind::Folder => {
                let vault = self.world.path("vault");
                std::fs::remove_dir_all(&vault).unwrap();
                std::fs::write(vault, "a file").unwrap();
            }
            Behind::B2(server) => drop(server),
            Behind::S3(moto) => drop(moto),
        }
    }
}

fn add_s3(world: &World, moto: &Moto) {
    let section = moto.rclone_section(S3_SECRET);
    let lines = format!("{section}chunk_size = 5Mi\nupload_cutoff = 5Mi\ncopy_cutoff = 5Mi");
    world.add_remote("cloud", &lines);
}

fn files_below(world: &World) -> Vec<String> {
    let files = files_in(&world.vault());
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect()
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                directories.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files
}
