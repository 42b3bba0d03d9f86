//! What is mounted where.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use copal_core::mounts::FileSystem;
use copal_core::path::{RelPath, encode_bytes};

/// Whether a directory can't be renamed: something is mounted there, also where that is of the same device, or
/// it is a subvolume. No link is to be on the way to it.
///
/// # Errors
/// Where it, or the directory above it, can't be seen.
pub fn is_fixed(directory: &Path) -> io::Result<bool> {
    let above = directory.parent().unwrap_or(directory);
    Ok(fs::metadata(directory)?.dev() != fs::metadata(above)?.dev() || is_mounted(directory))
}

/// Where the mounts can't be seen, the device has to do.
fn is_mounted(path: &Path) -> bool {
    let points = here().unwrap_or_default();
    points.iter().any(|mount| mount.at == path)
}

/// Where something is mounted at `path` or below it. No link is to be on the way to it.
///
/// # Errors
/// Where that can't be seen.
pub fn at_or_below(path: &Path) -> io::Result<Vec<PathBuf>> {
    let points = here()?.into_iter().map(|mount| mount.at);
    Ok(points.filter(|point| point.starts_with(path)).collect())
}

/// What is seen below a directory that is mounted there, also where that is of the same device: by the path from
/// the directory, which directory or file of its file system it is, as a manifest has it. What would be seen there
/// without that mount as well is none: systemd has such ones to let a service write.
///
/// # Errors
/// Where that can't be seen.
pub fn shown_below(directory: &Path) -> io::Result<BTreeMap<RelPath, String>> {
    let real = fs::canonicalize(directory)?;
    let all = here()?;
    let below = all.iter().filter_map(|mount| {
        let path = mount.at.strip_prefix(&real).ok()?;
        let path = RelPath::new(path.as_os_str().as_bytes()).ok()?;
        let shown = encode_bytes(mount.root.as_os_str().as_bytes());
        (!mount.changes_nothing(&all)).then_some((path, shown))
    });
    // Of several at one place the last one is seen.
    Ok(below.collect())
}

impl Mount {
    /// Whether the same is seen there by the mount above.
    fn changes_nothing(&self, all: &[Self]) -> bool {
        let above = all
            .iter()
            .filter(|one| one.at != self.at && self.at.starts_with(&one.at));
        let above = above.max_by_key(|one| one.at.as_os_str().len());
        above.is_some_and(|above| {
            let below = self.at.strip_prefix(&above.at);
            above.device == self.device && below.is_ok_and(|it| above.root.join(it) == self.root)
        })
    }
}

/// What the file system of a directory is known by.
///
/// # Errors
/// Where it does not tell.
pub fn file_system(directory: &impl AsFd) -> io::Result<FileSystem> {
    let kind = rustix::fs::fstatfs(directory)?.f_type;
    let number = rustix::fs::fstatvfs(directory)?.f_fsid;
    Ok(FileSystem {
        kind: u64::try_from(kind).unwrap_or_default(),
        number,
    })
}

/// Something that is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The device of its file system, as `major:minor`.
    pub device: Vec<u8>,
    /// The directory in its file system.
    pub root: PathBuf,
    /// Where that is seen.
    pub at: PathBuf,
    /// Of an overlay the directories that it shows as one, by the names they had when it was mounted.
    pub layers: Vec<PathBuf>,
}

/// What is mounted here, as [`of`] has it.
///
/// # Errors
/// Where that can't be seen.
pub fn here() -> io::Result<Vec<Mount>> {
    of(Path::new("/proc/self"))
}

/// What a process, by its directory below `/proc`, has mounted, as it sees it.
/// Source: proc(5), `/proc/pid/mountinfo`
///
/// # Errors
/// Where that can't be seen.
pub fn of(process: &Path) -> io::Result<Vec<Mount>> {
    let mounts = fs::read(process.join("mountinfo"))?;
    let lines = mounts.split(|byte| *byte == b'\n');
    Ok(lines.filter_map(mount).collect())
}

fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ').skip(2);
    let (device, root, at) = (fields.next()?, fields.next()?, fields.next()?);
    // Some fields may follow, then a dash, the type, the device, and the file system's own options.
    let options = fields.skip_while(|field| *field != b"-").nth(3);
    Some(Mount {
        device: device.to_owned(),
        root: path(root),
        at: path(at),
        layers: layers(options.unwrap_or_default()),
    })
}

/// Source: the kernel's `Documentation/filesystems/overlayfs.rst`
fn layers(options: &[u8]) -> Vec<PathBuf> {
    const DIRECTORIES: [&[u8]; 4] = [b"lowerdir=", b"lowerdir+=", b"datadir+=", b"upperdir="];
    let options = options.split(|byte| *byte == b',');
    let named = options.filter_map(|option| {
        let mut names = DIRECTORIES.iter();
        names.find_map(|name| option.strip_prefix(*name))
    });
    let directories = named.flat_map(|named| named.split(|byte| *byte == b':'));
    let directories = directories.filter(|directory| !directory.is_empty());
    directories.map(path).collect()
}

fn path(text: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(unescape(text)))
}

/// Undoes `\040` and its like.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let octal = (*first == b'\\')
            .then(|| after.get(..3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &after[3..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_escapes() {
        assert_eq!(unescape(br"/mnt/a\040b\134c"), br"/mnt/a b\c");
        assert_eq!(unescape(br"/mnt/a\9"), br"/mnt/a\9");
    }

    #[test]
    fn an_overlay_is_read_with_its_layers() {
        let line = br"36 35 0:41 / /merged rw shared:1 - overlay over rw,lowerdir=/a\040b:/c,upperdir=/u,workdir=/w";
        let read = mount(line).unwrap();
        assert_eq!(read.at, Path::new("/merged"));
        assert_eq!(read.layers, ["/a b", "/c", "/u"].map(PathBuf::from));
        let plain = mount(b"36 35 8:1 /app /mnt rw - ext4 /dev/sda1 rw").unwrap();
        assert_eq!(plain.root, Path::new("/app"));
        assert_eq!(plain.layers, [""; 0].map(PathBuf::from));
    }

    #[test]
    fn what_shows_only_what_is_there_anyhow_is_told_apart() {
        let lines = [
            &b"1 0 8:1 / / rw - ext4 /dev/sda1 rw"[..],
            b"2 1 8:2 /vol /app rw - ext4 /dev/sdb1 rw",
            b"3 2 8:2 /vol/data /app/data rw - ext4 /dev/sdb1 rw",
            b"4 2 8:2 /other /app/uploads rw - ext4 /dev/sdb1 rw",
            b"5 2 8:3 /vol/disk /app/disk rw - ext4 /dev/sdc1 rw",
        ];
        let all = lines.map(|line| mount(line).unwrap());
        let changes_nothing = all.each_ref().map(|one| one.changes_nothing(&all));
        assert_eq!(changes_nothing, [false, false, true, false, false]);
    }

    #[test]
    fn what_is_mounted_is_found_at_and_below_a_path() {
        let below = |path| at_or_below(Path::new(path)).unwrap();
        assert!(is_mounted(Path::new("/proc")));
        assert!(!is_mounted(Path::new("/proc/self")));
        assert!(below("/").contains(&PathBuf::from("/proc")));
        assert!(!below("/pro").contains(&PathBuf::from("/proc")));
    }
}
