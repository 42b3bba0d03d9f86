//! Compiled components on disk: compiling one that brings an interpreter takes seconds, loading what
//! was compiled a few milliseconds.
//!
//! wasmtime runs whatever it is given as compiled code, also with a byte changed. So an entry is only
//! ever used
//! - out of a directory that belongs to this user and that nobody else may enter,
//! - when its checksum is right, which is what a damaged disk and a write cut short are found by,
//! - when it names the BLAKE3 of the very component that is to be loaded; beside that is its SHA-256,
//!   which is what a component is pinned by, and takes several times as long to compute,
//! - by a program that would have compiled it the same way.
//!
//! Whatever is not so is a miss: the component is compiled as if there were no cache. An entry is
//! written beside its place and renamed into it, and never written again, since another process may
//! be running it.

mod cores;
mod entry;
mod prune;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use copal_core::digest::Sha256;
use sha2::Digest as _;
use twox_hash::XxHash3_128;
use wasmtime::Engine;
use wasmtime::component::Component;

use self::cores::Cores;
use self::entry::Origin;

/// What is changed whenever entries mean something else than before.
const FORMAT: &str = "3";

/// The interfaces that loaded components were checked against: an entry vouches for that check too.
const CONTRACT: [&str; 16] = [
    include_str!("../../../wit/archive.wit"),
    include_str!("../../../wit/command.wit"),
    include_str!("../../../wit/drill.wit"),
    include_str!("../../../wit/filter.wit"),
    include_str!("../../../wit/log.wit"),
    include_str!("../../../wit/post-backup.wit"),
    include_str!("../../../wit/pre-backup.wit"),
    include_str!("../../../wit/report.wit"),
    include_str!("../../../wit/restore.wit"),
    include_str!("../../../wit/run-info.wit"),
    include_str!("../../../wit/secrets.wit"),
    include_str!("../../../wit/sqlite.wit"),
    include_str!("../../../wit/staged.wit"),
    include_str!("../../../wit/state.wit"),
    include_str!("../../../wit/types.wit"),
    include_str!("../../../wit/worlds.wit"),
];

/// A directory of compiled components, for one engine.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    /// What the engine would have to be the same in.
    settings: u128,
}

/// What there is of a component before it is compiled.
pub(crate) struct Found {
    /// The digest of its bytes.
    pub(crate) digest: Sha256,
    /// Its compiled form. Whoever kept it had checked that it fits.
    pub(crate) component: Option<Component>,
}

/// The digest of a component, what the cache has of it, and what `beside` comes to.
///
/// The entry is looked up by a checksum of the component, and believed, with the digest in it, only if
/// it names the same BLAKE3; that is computed beside, while what was compiled is checked and loaded.
pub(crate) fn find<T: Send>(
    cache: Option<&Cache>,
    engine: &Engine,
    component: &[u8],
    beside: impl FnOnce() -> T + Send,
) -> (Found, T) {
    let Some(cache) = cache else {
        let found = Found {
            digest: sha256(component),
            component: None,
        };
        return (found, beside());
    };
    let (entry, (beside, print)) = cores::both(
        component.len(),
        |cores| cache.look_up(engine, component, cores),
        |cores| (beside(), print(component, cores)),
    );
    let entry = entry.filter(|(origin, _)| origin.print == print);
    let found = match entry {
        Some((origin, compiled)) => Found {
            digest: origin.digest,
            component: Some(compiled),
        },
        None => Found {
            digest: sha256(component),
            component: None,
        },
    };
    (found, beside)
}

impl Cache {
    /// A cache in a directory of the user's own, which is made where there is none.
    ///
    /// # Errors
    /// Where it can't be made, or belongs to somebody else, or others may enter it.
    pub(crate) fn open(directory: &Path, engine: &Engine) -> io::Result<Self> {
        if let Some(parent) = directory.parent() {
            fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let found = fs::symlink_metadata(directory)?;
        let is_ours = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
        if !is_ours || found.mode() & 0o077 != 0 {
            let why = "it is no directory of this user's alone (mode 0700)";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        Ok(Self {
            directory: directory.to_owned(),
            settings: settings(engine),
        })
    }

    fn look_up(
        &self,
        engine: &Engine,
        component: &[u8],
        cores: Cores,
    ) -> Option<(Origin, Component)> {
        let path = self.entry(component);
        let file = open(&path).ok()?;
        let origin = entry::check(&file, self.settings, cores).or_else(|| {
            tracing::debug!(path = %path.display(), "not used: it is not what was written");
            None
        })?;
        prune::mark_used(&file);
        // The file under this name is in a directory that only this user writes to, and Copal never
        // changes a file there; should another process have renamed a newer one over it since it was
        // checked, that one was written by Copal as well.
        #[expect(
            unsafe_code,
            reason = "compiling takes seconds, and wasmtime has no loading of compiled code that checks it"
        )]
        // SAFETY: `deserialize_file` needs the very bytes that `Component::serialize` gave, in a file
        // that nobody changes while it is mapped. `entry::check` found the checksum of all of them,
        // and `Cache::open` saw that nobody else may write here. wasmtime itself compares version and
        // settings.
        let loaded = unsafe { Component::deserialize_file(engine, &path) };
        match loaded {
            Ok(component) => Some((origin, component)),
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "not used");
                None
            }
        }
    }

    /// Keeps a component's compiled form. That it can't be kept is no failure.
    pub(crate) fn keep(&self, component: &[u8], digest: Sha256, compiled: &Component) {
        let kept = self.write(component, digest, compiled);
        if let Err(error) = kept {
            let directory = self.directory.display();
            tracing::debug!(%directory, %error, "a compiled component was not kept");
        }
        prune::prune(&self.directory);
    }

    fn write(&self, component: &[u8], digest: Sha256, compiled: &Component) -> io::Result<()> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let mut bytes = compiled.serialize().map_err(io::Error::other)?;
        let origin = Origin {
            digest,
            print: blake3::hash(component),
        };
        entry::seal(&mut bytes, &origin, self.settings);
        let turn = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{turn}.{}", std::process::id(), prune::UNFINISHED);
        let beside = self.directory.join(name);
        let written = create(&beside).and_then(|mut file| io::Write::write_all(&mut file, &bytes));
        let renamed = written.and_then(|()| fs::rename(&beside, self.entry(component)));
        if renamed.is_err() {
            // It may not even be there, and is removed later otherwise.
            drop(fs::remove_file(&beside));
        }
        renamed
    }

    fn entry(&self, component: &[u8]) -> PathBuf {
        let key = XxHash3_128::oneshot(component);
        let name = format!("{key:032x}-{:032x}.{}", self.settings, prune::FINISHED);
        self.directory.join(name)
    }
}

/// What a component is known by at once: a digest that many cores can compute together.
fn print(component: &[u8], cores: Cores) -> blake3::Hash {
    match cores {
        Cores::One => blake3::hash(component),
        Cores::All => blake3::Hasher::new().update_rayon(component).finalize(),
    }
}

/// A component's digest, as it is pinned.
pub(crate) fn sha256(component: &[u8]) -> Sha256 {
    Sha256::from_bytes(sha2::Sha256::digest(component).into())
}

fn open(path: &Path) -> io::Result<File> {
    let no_links = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    File::options().read(true).custom_flags(no_links).open(path)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    options.open(path)
}

/// A digest over all that decides what code comes of a component, and what was checked of it.
fn settings(engine: &Engine) -> u128 {
    let mut hasher = Hasher(XxHash3_128::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
    std::hash::Hash::hash(&(FORMAT, env!("CARGO_PKG_VERSION"), CONTRACT), &mut hasher);
    hasher.0.finish_128()
}

struct Hasher(XxHash3_128);

impl std::hash::Hasher for Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// Asked for by nobody here: the whole is wanted.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;
