//! A remote that is a directory and does as a test tells it: fails, lies, or lets the world move.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use copal_core::config::Proof;
use copal_core::stored::NameLimit;
use copal_core::units::ByteCount;
use copal_rclone::{ErrorKind, Proven, RcloneError};

use super::interrupt::Interrupt;
use super::remote::{
    Abilities, Batch, Directories, Listed, Progress, Remote, RemoteError, Removal, Removed, Tree,
    Watch, Within,
};

/// Something that a test has happen.
pub(crate) type Deed = Box<dyn FnOnce()>;

/// What a test orders. Calls are counted from 0 over all clones.
#[derive(Clone, Default)]
pub(crate) struct Orders {
    pub(crate) calls: Rc<Cell<usize>>,
    /// The call that fails.
    pub(crate) fail_at: Option<usize>,
    /// The call from which on all fail.
    pub(crate) fail_from: Option<usize>,
    /// The call at which a signal comes.
    pub(crate) signal_at: Option<usize>,
    /// What happens while the first upload goes on.
    pub(crate) meanwhile: Rc<RefCell<Option<Deed>>>,
    /// What happens before the first single file goes up: the claim.
    pub(crate) before_claim: Rc<RefCell<Option<Deed>>>,
    /// Whether it copies its own files.
    pub(crate) copies: bool,
    /// Whether it fails when it is asked to.
    pub(crate) fail_copies: bool,
    /// What becomes of a file that it copies.
    pub(crate) spoil_copies: Option<fn(&Path)>,
    /// The names of all files that were uploaded in batches.
    pub(crate) uploaded: Rc<RefCell<Vec<String>>>,
    /// Whether it finds no file by its name.
    pub(crate) blind: bool,
    /// What becomes of an uploaded file on its way.
    pub(crate) spoil: Option<fn(&Path)>,
}

/// The remote.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) root: PathBuf,
    pub(crate) orders: Orders,
    pub(crate) interrupt: Interrupt,
}

impl Fake {
    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.orders.calls.get()
    }

    fn call(&self, deed: &'static str, place: &str) -> Result<(), RemoteError> {
        let n = self.orders.calls.replace(self.calls() + 1);
        if self.orders.signal_at == Some(n) {
            self.interrupt.raise(super::interrupt::Signal::Terminate);
        }
        let ordered =
            self.orders.fail_at == Some(n) || self.orders.fail_from.is_some_and(|from| n >= from);
        if ordered {
            return Err(failed(deed, place, &format!("call {n} was to fail")));
        }
        Ok(())
    }

    fn copy(&self, from: &Path, to: &Path, names: &[String]) {
        for name in names {
            let (from, to) = (from.join(name), to.join(name));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            // As rclone: what is not there any more is passed over in silence.
            if fs::copy(&from, &to).is_ok()
                && let Some(spoil) = self.orders.spoil
            {
                spoil(&to);
            }
        }
    }
}

fn failed(deed: &'static str, place: &str, message: &str) -> RemoteError {
    let source = RcloneError::Call {
        method: deed.to_owned(),
        kind: ErrorKind::Network,
        message: message.to_owned(),
    };
    RemoteError::Failed {
        deed,
        place: place.to_owned(),
        source,
    }
}

fn collect(dir: &Path, below: &Path, there: &mut Tree) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.strip_prefix(below).unwrap().to_str();
        let name = name.unwrap().to_owned();
        if path.is_dir() {
            there.directories.push(name);
            collect(&path, below, there);
        } else {
            let size = ByteCount(path.metadata().unwrap().len());
            there.files.push(Listed {
                path: name,
                size,
                hash: None,
            });
        }
    }
}

impl Remote for Fake {
    fn shown(&self) -> String {
        "fake:".to_owned()
    }

    fn abilities(&self) -> Result<Abilities, RemoteError> {
        self.call("reach", "")?;
        Ok(Abilities {
            hash: None,
            slow_hash: false,
            directories: Directories::Real,
            has_buckets: false,
            copies: self.orders.copies,
            links: false,
            whole_up_to: None,
            names: NameLimit::Folder,
            encrypts: false,
            called: ("fake".to_owned(), String::new()),
            local_roots: vec![self.root.clone()],
        })
    }

    fn tree(&self, dir: &str, _: bool) -> Result<Tree, RemoteError> {
        self.call("list", dir)?;
        let mut there = Tree::default();
        collect(&self.root.join(dir), &self.root.join(dir), &mut there);
        Ok(there)
    }

    fn has_file(&self, path: &str) -> Result<bool, RemoteError> {
        self.call("look for", path)?;
        Ok(self.root.join(path).is_file())
    }

    fn files_named(&self, dir: &str, names: &[String]) -> Result<Vec<Listed>, RemoteError> {
        self.call("look for files in", dir)?;
        let dir = self.root.join(dir);
        let found = names.iter().filter_map(|name| {
            let found = dir.join(name).metadata().ok();
            let found = found.filter(|found| found.is_file() && !self.orders.blind)?;
            Some(Listed {
                path: name.clone(),
                size: ByteCount(found.len()),
                hash: None,
            })
        });
        Ok(found.collect())
    }

    fn directories(&self, dir: &str) -> Result<Vec<String>, RemoteError> {
        self.call("list", dir)?;
        let Ok(entries) = fs::read_dir(self.root.join(dir)) else {
            return Ok(Vec::new());
        };
        Ok(entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect())
    }

    fn upload(&self, batches: &[Batch<'_>], watch: &mut Watch<'_>) -> Result<(), RemoteError> {
        for batch in batches {
            self.call("upload to", batch.remote)?;
            let names = batch.names.iter().cloned();
            self.orders.uploaded.borrow_mut().extend(names);
            let (half, rest) = batch.names.split_at(batch.names.len() / 2);
            let to = self.root.join(batch.remote);
            self.copy(batch.local, &to, half);
            watch(Progress {
                files: half.len() as u64,
                ..Progress::default()
            });
            if let Some(meanwhile) = self.orders.meanwhile.take() {
                meanwhile();
            }
            self.interrupt.check()?;
            self.copy(batch.local, &to, rest);
        }
        Ok(())
    }

    fn copy_within(&self, files: Within<'_>, _: &mut Watch<'_>) -> Result<(), RemoteError> {
        self.call("copy within", files.to)?;
        let (from, to) = (self.root.join(files.from), self.root.join(files.to));
        if self.orders.fail_copies {
            return Err(failed("copy within", files.to, "it was to fail"));
        }
        self.copy(&from, &to, files.same);
        if let (Some(spoil), Some(name)) = (self.orders.spoil_copies, files.same.first()) {
            spoil(&to.join(name));
        }
        for (there, here) in files.renamed {
            fs::create_dir_all(to.join(here).parent().unwrap()).unwrap();
            fs::copy(from.join(there), to.join(here)).unwrap();
        }
        Ok(())
    }

    fn prove(&self, batch: Batch<'_>, _: Proof) -> Result<Proven, RemoteError> {
        self.call("prove what is in", batch.remote)?;
        let there = self.root.join(batch.remote);
        let same = |name: &&String| {
            let (here, there) = (batch.local.join(name), there.join(name));
            fs::read(here).unwrap() != fs::read(there).unwrap()
        };
        Ok(Proven {
            differ: batch.names.iter().filter(same).cloned().collect(),
            ..Proven::default()
        })
    }

    fn download(&self, batch: Batch<'_>, _: &mut Watch<'_>) -> Result<(), RemoteError> {
        self.call("download from", batch.remote)?;
        self.copy(&self.root.join(batch.remote), batch.local, batch.names);
        Ok(())
    }

    fn download_if_there(&self, batch: Batch<'_>) -> Result<(), RemoteError> {
        self.download(batch, &mut |_| {})
    }

    fn put(&self, local: &Path, to: &str) -> Result<(), RemoteError> {
        if let Some(deed) = self.orders.before_claim.take() {
            deed();
        }
        self.call("upload to", to)?;
        let name = local.file_name().unwrap().to_str().unwrap().to_owned();
        let to = self.root.join(to);
        self.copy(local.parent().unwrap(), to.parent().unwrap(), &[name]);
        Ok(())
    }

    fn get(&self, from: &str, local: &Path) -> Result<bool, RemoteError> {
        self.call("download", from)?;
        Ok(fs::copy(self.root.join(from), local).is_ok())
    }

    fn delete(&self, path: &str) -> Result<(), RemoteError> {
        self.call("delete", path)?;
        drop(fs::remove_file(self.root.join(path)));
        Ok(())
    }

    fn remove_empty(&self, dir: &str) -> Result<(), RemoteError> {
        self.call("remove", dir)?;
        match fs::remove_dir(self.root.join(dir)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(failed("remove", dir, &error.to_string()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn remove(&self, removal: Removal<'_>) -> Result<Removed, RemoteError> {
        let dir = self.root.join(removal.dir);
        let mut removed = Removed::default();
        for name in removal.names.iter().chain(removal.last) {
            self.call("remove", name)?;
            let size = fs::metadata(dir.join(name)).map_or(0, |file| file.len());
            if fs::remove_file(dir.join(name)).is_ok() {
                removed.files += 1;
                removed.bytes += ByteCount(size);
            }
        }
        let mut left = Tree::default();
        collect(&dir, &dir, &mut left);
        removed.left = left.files.len() as u64;
        removed.left_names = left.files.into_iter().map(|file| file.path).collect();
        if removed.left == 0 {
            drop(fs::remove_dir_all(dir));
        }
        Ok(removed)
    }

    fn purge(&self, dir: &str) -> Result<(), RemoteError> {
        self.call("remove", dir)?;
        drop(fs::remove_dir_all(self.root.join(dir)));
        Ok(())
    }
}
