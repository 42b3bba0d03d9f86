//! A component's file, read and looked into.

use std::fs;
use std::path::{Path, PathBuf};

use copal_hooks::{Inspection, inspect};

use crate::hook_error::HookCommandError;

/// A component that could be a hook.
pub(super) struct ComponentFile {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    pub(super) inspection: Inspection,
}

impl ComponentFile {
    pub(super) fn read(path: &Path) -> Result<Self, HookCommandError> {
        let bytes = read(path)?;
        let inspection = inspect(&bytes).map_err(|source| HookCommandError::Refused {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
            inspection,
        })
    }

    /// What it goes by where nothing gives it a name.
    pub(super) fn name(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, HookCommandError> {
    fs::read(path).map_err(|source| HookCommandError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

pub(super) fn read_text(path: &Path) -> Result<String, HookCommandError> {
    fs::read_to_string(path).map_err(|source| HookCommandError::Unreadable {
        path: path.to_owned(),
        source,
    })
}
