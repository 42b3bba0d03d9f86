//! Directories, listed as a guest asks for their entries. `wasmtime-wasi` takes in a whole directory
//! before the first.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex};

use rustix::fs::{AtFlags, Dir, DirEntry, FileType, Mode, OFlags};
use rustix::io::Errno;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime::{Error, Result, StoreContextMut};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};
use wasmtime_wasi::runtime::spawn_blocking;

use crate::budget::Share;
use crate::call::State;
use crate::failure::Stop;

/// The version of `wasi:filesystem` that is linked.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// How many directories an instance may list at once.
pub(crate) const LISTINGS: u64 = 64;

/// How many entries are read at once, of at most 255 bytes each.
const BATCH: usize = 64;

/// A directory that is being listed.
struct Listing {
    rest: Arc<Mutex<Rest>>,
    _share: Share,
}

/// What of a directory the guest has not seen.
struct Rest {
    read: VecDeque<Entry>,
    directory: Dir,
}

type Entry = std::result::Result<DirectoryEntry, ErrorCode>;

/// Puts these listings before those that are linked already.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    let mut types = linker.instance(TYPES)?;
    types.resource(
        "directory-entry-stream",
        ResourceType::host::<Listing>(),
        |mut context, number| {
            let listing = Resource::<Listing>::new_own(number);
            context.data_mut().ctx().table.delete(listing)?;
            Ok(())
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.read-directory",
        |context, (descriptor,): (Resource<Descriptor>,)| {
            Box::new(async move { Ok((begin(context, descriptor).await?,)) })
        },
    )?;
    types.func_wrap_async(
        "[method]directory-entry-stream.read-directory-entry",
        |context, (listing,): (Resource<Listing>,)| {
            Box::new(async move { Ok((go_on(context, listing).await?,)) })
        },
    )
}

async fn begin(
    mut context: StoreContextMut<'_, State>,
    descriptor: Resource<Descriptor>,
) -> Result<std::result::Result<Resource<Listing>, ErrorCode>> {
    let state = context.data_mut();
    let directory = match state.ctx().table.get(&descriptor)? {
        Descriptor::Dir(directory) => Arc::clone(&directory.dir),
        Descriptor::File(_) => return Ok(Err(ErrorCode::NotDirectory)),
    };
    let Some(share) = state.listings.take(1) else {
        return Err(Error::new(Stop::TooManyListings { limit: LISTINGS }));
    };
    let directory = match spawn_blocking(move || open(&directory)).await {
        Ok(directory) => directory,
        Err(error) => return Ok(Err(code(error))),
    };
    let rest = Rest {
        read: VecDeque::new(),
        directory,
    };
    let listing = Listing {
        rest: Arc::new(Mutex::new(rest)),
        _share: share,
    };
    Ok(Ok(context.data_mut().ctx().table.push(listing)?))
}

async fn go_on(
    mut context: StoreContextMut<'_, State>,
    listing: Resource<Listing>,
) -> Result<std::result::Result<Option<DirectoryEntry>, ErrorCode>> {
    let listing = context.data_mut().ctx().table.get(&listing)?;
    let rest = Arc::clone(&listing.rest);
    let at_hand = locked(&rest, |rest| rest.read.pop_front());
    let entry = match at_hand {
        Some(entry) => Some(entry),
        None => spawn_blocking(move || locked(&rest, Rest::next)).await,
    };
    Ok(entry.transpose())
}

fn locked<T>(rest: &Mutex<Rest>, then: impl FnOnce(&mut Rest) -> T) -> T {
    then(&mut rest.lock().expect("no holder of this lock panics"))
}

/// Opened anew, since the guest's own descriptor may be listed several times at once.
fn open(directory: &File) -> rustix::io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Dir::new(rustix::fs::openat(directory, c".", flags, Mode::empty())?)
}

impl Rest {
    fn next(&mut self) -> Option<Entry> {
        while self.read.len() < BATCH {
            let Some(found) = self.directory.read() else {
                break;
            };
            match found.and_then(|found| self.entry(&found)) {
                Ok(entry) => self.read.extend(entry),
                Err(error) => {
                    self.read.push_back(Err(code(error)));
                    break;
                }
            }
        }
        self.read.pop_front()
    }

    /// None for the directory itself, the one above, and what is gone meanwhile.
    fn entry(&self, found: &DirEntry) -> rustix::io::Result<Option<Entry>> {
        let name = found.file_name();
        if name == c"." || name == c".." {
            return Ok(None);
        }
        let mut kind = found.file_type();
        if kind == FileType::Unknown {
            let directory = self.directory.fd()?;
            match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => kind = FileType::from_raw_mode(stat.st_mode),
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(match name.to_str() {
            Ok(name) => Ok(DirectoryEntry {
                type_: type_of(kind),
                name: name.to_owned(),
            }),
            Err(_) => Err(ErrorCode::IllegalByteSequence),
        }))
    }
}

fn type_of(kind: FileType) -> DescriptorType {
    match kind {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Unknown => DescriptorType::Unknown,
    }
}

fn code(error: Errno) -> ErrorCode {
    io::Error::from(error).into()
}
