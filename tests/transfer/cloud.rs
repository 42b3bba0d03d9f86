//! A world with a B2 server beside it, and rclone's own methods on both.

use std::fs;
use std::path::Path;

use copal_b2_server::{B2Server, KeyPair};
use copal_testkit::{Output, Random, World};
use serde_json::{Value, json};

/// The bucket there is from the start.
pub(crate) const BUCKET: &str = "test-bucket";
/// Options with which a few megabytes are a large file. 5 MB are the least that B2 takes for a part.
pub(crate) const SMALL_PARTS: &str = "chunk_size = 5Mi\nupload_cutoff = 5Mi\ncopy_cutoff = 5Mi\n";

/// `copal rclone` in a world whose remote `cloud:` is a B2 server of its own.
pub(crate) struct Cloud {
    pub(crate) world: World,
    pub(crate) server: B2Server,
}

impl Cloud {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With more lines in the remote's section.
    pub(crate) fn with(options: &str) -> Self {
        let cloud = Self {
            world: World::new(env!("CARGO_BIN_EXE_copal")),
            server: B2Server::start(),
        };
        cloud.server.add_bucket(BUCKET);
        cloud.add_remote("cloud", &cloud.server.master_key(), options);
        cloud
    }

    /// Another remote, with another key or other options.
    pub(crate) fn add_remote(&self, name: &str, key: &KeyPair, options: &str) {
        let section = self.server.rclone_section(key);
        self.world.add_remote(name, &format!("{section}{options}"));
    }

    /// A method of rclone's, which is to succeed.
    #[track_caller]
    pub(crate) fn rclone(&self, method: &str, parameters: &Value) -> Value {
        self.try_rclone(method, parameters).succeeds().json()
    }

    pub(crate) fn try_rclone(&self, method: &str, parameters: &Value) -> Output {
        let parameters = parameters.to_string();
        self.world.copal(&["rclone", method, &parameters])
    }

    /// Copies a directory of the world's to the bucket, or back.
    #[track_caller]
    pub(crate) fn copy(&self, from: &str, to: &str) {
        self.rclone("sync/copy", &self.pair(from, to));
    }

    pub(crate) fn try_copy(&self, from: &str, to: &str) -> Output {
        self.try_rclone("sync/copy", &self.pair(from, to))
    }

    fn pair(&self, from: &str, to: &str) -> Value {
        let place = |at: &str| {
            let local = || self.world.path(at).display().to_string();
            if at.contains(':') {
                at.to_owned()
            } else {
                local()
            }
        };
        json!({ "srcFs": place(from), "dstFs": place(to) })
    }

    /// The paths of all files below a place of the remote, sorted.
    #[track_caller]
    pub(crate) fn list(&self, place: &str) -> Vec<String> {
        let options = json!({ "recurse": true, "filesOnly": true });
        let request = json!({ "fs": place, "remote": "", "opt": options });
        let reply = self.rclone("operations/list", &request);
        let entries = reply["list"].as_array().cloned().unwrap_or_default();
        let paths = entries.iter().map(|entry| entry["Path"].as_str().unwrap());
        let mut paths: Vec<String> = paths.map(str::to_owned).collect();
        paths.sort();
        paths
    }

    /// A file of the world with so many bytes that nothing else has.
    pub(crate) fn write_random(&self, path: &str, length: usize) -> Vec<u8> {
        let bytes = Random::new(7, path).bytes(length);
        self.world.write(path, &bytes);
        bytes
    }

    /// That a directory of the world holds what the source holds.
    #[track_caller]
    pub(crate) fn same_as_source(&self, directory: &str) {
        let (source, other) = (self.world.source(), self.world.path(directory));
        assert_eq!(contents(&source), contents(&other));
    }
}

/// Paths and bytes of all files, in the order of the paths.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                directories.push(entry.path());
            } else {
                let path = entry.path();
                let below = path.strip_prefix(directory).unwrap();
                found.push((below.display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
