//! Small files that are there whole or not at all: whoever reads one finds what it was or what it is to be, also
//! where the disk is full, this process is killed, or the power fails.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use rustix::io::Errno;
use tempfile::NamedTempFile;

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// This user alone.
    Private,
    /// Whoever the umask lets.
    Usual,
    /// Everybody, whatever the umask says.
    Public,
}

/// Puts a file in the place of the one that is there, if there is one. It is on the disk when this returns.
pub fn replace(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let directory = File::open(directory_of(path))?;
    let whole = beside(path, bytes, mode)?;
    whole.as_file().sync_all()?;
    whole.persist(path)?;
    write_down(&directory)
}

/// The same where none may be there: [`io::ErrorKind::AlreadyExists`] says that one is.
pub fn create(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let directory = File::open(directory_of(path))?;
    let whole = beside(path, bytes, mode)?;
    whole.as_file().sync_all()?;
    whole.persist_noclobber(path)?;
    write_down(&directory)
}

/// Writes a file anew that is there, with the mode and the owner it had. A link is followed. Where that can't be
/// done, the file stays as it was.
pub fn rewrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let was = fs::metadata(&path)?;
    if !was.is_file() {
        return Err(io::Error::other("it is there, and no regular file"));
    }
    let directory = File::open(directory_of(&path))?;
    let whole = beside(&path, bytes, Mode::Private)?;
    resemble(whole.as_file(), &was)?;
    whole.as_file().sync_all()?;
    whole.persist(&path)?;
    write_down(&directory)
}

/// Removes a file, if it is there. A power failure does not bring it back when this has returned.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => write_down(&File::open(directory_of(path))?),
    }
}

fn beside(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<NamedTempFile> {
    let bits = match mode {
        Mode::Private => 0o600,
        Mode::Usual | Mode::Public => 0o644,
    };
    // cron, systemd and collectors of metrics pass over such names.
    let mut whole = tempfile::Builder::new()
        .prefix(".copal-")
        .suffix(".new")
        .permissions(Permissions::from_mode(bits))
        .tempfile_in(directory_of(path))?;
    if mode == Mode::Public {
        whole
            .as_file()
            .set_permissions(Permissions::from_mode(bits))?;
    }
    whole.write_all(bytes)?;
    Ok(whole)
}

fn resemble(file: &File, was: &Metadata) -> io::Result<()> {
    let is = file.metadata()?;
    if (is.uid(), is.gid()) != (was.uid(), was.gid()) {
        fchown(file, Some(was.uid()), Some(was.gid())).map_err(|error| {
            io::Error::new(error.kind(), format!("its owner can't be kept: {error}"))
        })?;
    }
    file.set_permissions(was.permissions())
}

/// The directory of a file, also of one that is named by its bare name.
fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Some file systems, of networks mostly, have no such thing for a directory, and say so.
fn write_down(directory: &File) -> io::Result<()> {
    match rustix::fs::fsync(directory) {
        Err(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_replaced_created_and_removed_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        create(&path, b"one", Mode::Private).unwrap();
        assert_eq!(mode(&path), 0o600);
        let taken = create(&path, b"two", Mode::Private).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, b"two", Mode::Public).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(mode(&path), 0o644);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_can_not_be_replaced_stays_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::create_dir(&path).unwrap();
        replace(&path, b"one", Mode::Usual).unwrap_err();
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let gone = replace(&path.join("b/c"), b"one", Mode::Usual).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_bare_name_lies_in_the_working_directory() {
        assert_eq!(directory_of(Path::new("a")), Path::new("."));
        assert_eq!(directory_of(Path::new("/a")), Path::new("/"));
        assert_eq!(directory_of(Path::new("a/b")), Path::new("a"));
    }

    #[test]
    fn a_file_that_is_written_anew_keeps_its_mode_and_a_link_to_it_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("real.toml");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let link = dir.path().join("copal.toml");
        std::os::unix::fs::symlink("real.toml", &link).unwrap();
        rewrite(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(mode(&file), 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
