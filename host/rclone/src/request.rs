//! What is asked of rclone, and what it answers.

use std::collections::BTreeMap;

use copal_core::units::ByteCount;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::remote::Remote;

/// Asks for what is in a directory.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// The directory, or one above it.
    pub remote: Remote,
    /// Where it lies below that; empty for `remote` itself. Said here, it costs less: rclone signs in
    /// anew, and looks for the bucket, for every remote that it is given.
    pub below: String,
    /// Whether to list what is in directories below, too.
    pub recursive: bool,
    /// Hashes to tell, by rclone's names (`sha1`, `md5`); a backend that lacks one leaves it out.
    pub hashes: Vec<String>,
    /// rclone's filter rules (`- *.tmp`, `+ /keep/**`), in order, by paths below `remote`; none for
    /// everything.
    pub rules: Vec<String>,
}

impl ListRequest {
    /// Everything directly in `remote`, without hashes.
    pub fn of(remote: Remote) -> Self {
        Self {
            remote,
            below: String::new(),
            recursive: false,
            hashes: Vec::new(),
            rules: Vec::new(),
        }
    }
}

/// Asks about one file or directory.
#[derive(Clone, Debug)]
pub struct StatRequest {
    /// A directory above it.
    pub remote: Remote,
    /// Its path below that.
    pub path: String,
    /// Hashes to tell, by rclone's names.
    pub hashes: Vec<String>,
}

/// Asks to copy one file, under another name if need be.
#[derive(Clone, Debug)]
pub struct CopyFileRequest {
    /// A directory above the file.
    pub source: Remote,
    /// The file's path below that.
    pub source_path: String,
    /// A directory above the copy; created where it is missing.
    pub destination: Remote,
    /// The copy's path below that.
    pub destination_path: String,
    /// Copy again what looks the same by size and time, which is by its size alone where a remote keeps no
    /// times.
    pub again: bool,
}

/// A file or directory of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    /// Relative to what was listed.
    pub path: String,
    /// `None` for directories and where the backend does not know.
    #[serde(deserialize_with = "known_size")]
    pub size: Option<ByteCount>,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// `None` where the backend has no times.
    #[serde(rename = "ModTime", deserialize_with = "known_time", default)]
    pub modified: Option<Timestamp>,
    /// Hashes in hexadecimal by rclone's names; only what was asked for and exists.
    #[serde(default)]
    pub hashes: BTreeMap<String, String>,
}

/// rclone says -1 for what it does not know.
fn known_size<'de, D: Deserializer<'de>>(source: D) -> Result<Option<ByteCount>, D::Error> {
    let size = i64::deserialize(source)?;
    Ok(u64::try_from(size).ok().map(ByteCount))
}

/// rclone says nothing, or an empty text, for what it does not know.
fn known_time<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Timestamp>, D::Error> {
    let text = String::deserialize(source)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// What a remote is and can do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FsInfo {
    /// The section of the configuration, or the backend.
    pub name: String,
    /// The path inside it as the backend understood it.
    pub root: String,
    /// The hashes that it knows without reading files back, by rclone's names.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub hashes: Vec<String>,
    /// The smallest difference between times that it keeps, in nanoseconds; one of a century or
    /// more means that it keeps none.
    pub precision: i64,
    /// rclone's names of abilities (`Purge`, `Copy`, `IsLocal`, …) and whether it has them.
    pub features: BTreeMap<String, bool>,
}

impl FsInfo {
    /// Whether the remote is a directory of this machine, looked at directly.
    pub fn is_local(&self) -> bool {
        self.features.get("IsLocal").copied().unwrap_or(false)
    }
}

/// One of the backends that a remote is made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Layer {
    /// By rclone's name: `crypt`, `b2`, `local`, …
    pub backend: String,
    /// Its options that were asked for, by rclone's names.
    pub options: BTreeMap<String, LayerOption>,
}

/// An option of a backend.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LayerOption {
    /// In rclone's words: `96Mi`, `4`, …
    pub value: String,
    /// Whether a person set it: in the configuration, the environment, a connection string or a flag.
    pub set: bool,
}

/// What rclone's own options say of transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransferOptions {
    /// Files at a time.
    pub transfers: u32,
    /// How far ahead each is read, in bytes.
    pub buffer_size: u64,
}

/// Asks whether files arrived.
#[derive(Clone, Debug)]
pub struct ProofRequest {
    /// The directory that the names are relative to.
    pub source: Remote,
    /// Where they are to be, under the same names.
    pub destination: Remote,
    /// Exactly these, whatever else is there.
    pub files: Vec<String>,
    /// Whether to read them back, rather than to compare hashes.
    pub by_reading: bool,
}

/// What of the files did not prove to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proven {
    /// Files that have another content there, or another size.
    #[serde(deserialize_with = "null_is_empty")]
    pub differ: Vec<String>,
    /// Files that are not there.
    #[serde(deserialize_with = "null_is_empty", rename = "missingOnDst")]
    pub missing: Vec<String>,
    /// Files that could not be compared.
    #[serde(deserialize_with = "null_is_empty", rename = "error")]
    pub failed: Vec<String>,
    /// Files of the right size that have no hash to compare.
    pub unproven: Vec<String>,
}

fn null_is_empty<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(source)?.unwrap_or_default())
}
