//! Files of the source, as far as the owner lets the hook see them (`files = ["source"]`): in a drill
//! those of the restored copy. Not for filters.

mod bindings;

use std::collections::BTreeSet;

use bindings::wasi::filesystem::preopens;
use bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags,
};

use crate::Error;

/// The names in a directory of the source; none where the hook does not see the source.
///
/// Errors: `missing` where there is no such directory; `failed` where it can't be read.
pub fn names(directory: &str) -> Result<Option<BTreeSet<String>>, Error> {
    let mut seen = preopens::get_directories().into_iter();
    let Some((source, _)) = seen.find(|(_, place)| place == "/source") else {
        return Ok(None);
    };
    let failed = |code: ErrorCode| match code {
        ErrorCode::NoEntry => Error::Missing(directory.to_owned()),
        code => Error::Failed(format!("can't read `{directory}`: {}", code.name())),
    };
    list(&source, directory).map(Some).map_err(failed)
}

fn list(source: &Descriptor, directory: &str) -> Result<BTreeSet<String>, ErrorCode> {
    let opened = source.open_at(
        PathFlags::empty(),
        directory,
        OpenFlags::DIRECTORY,
        DescriptorFlags::READ,
    )?;
    let listing = opened.read_directory()?;
    let mut names = BTreeSet::new();
    while let Some(entry) = listing.read_directory_entry()? {
        names.insert(entry.name);
    }
    Ok(names)
}
