//! A mirror as a store: it has one state, and its manifest lies at the destination's top.

use std::fs;

use copal_core::manifest::{MANIFEST, Manifest};

use super::{Store, StoreError, has, own_files_in};
use crate::edge::remote::Remote;

impl<'a> Store<'a> {
    /// The one state that a mirror has, as its last run proved it.
    pub fn mirror(remote: &'a dyn Remote) -> Result<Self, StoreError> {
        let manifest = Self::mirrored(remote)?;
        let manifest = manifest.ok_or_else(|| StoreError::NoMirror(remote.shown()))?;
        Ok(Self {
            remote,
            name: manifest.name.clone(),
            mirror: Some(Box::new(manifest)),
        })
    }

    /// The manifest of a mirror, where there is one.
    pub fn mirrored(remote: &dyn Remote) -> Result<Option<Manifest>, StoreError> {
        if !has(&own_files_in(remote, "")?, MANIFEST) {
            return Ok(None);
        }
        let temporary = tempfile::tempdir()?;
        let local = temporary.path().join("manifest.json");
        if !remote.get(MANIFEST, &local)? {
            return Ok(None);
        }
        let parsed = Manifest::parse(&fs::read(local)?);
        parsed.map(Some).map_err(|source| {
            let place = remote.shown();
            StoreError::MirrorManifest { place, source }
        })
    }

    /// Whether it is a mirror, whose folders may have more than its manifest lists.
    pub fn is_mirror(&self) -> bool {
        self.mirror.is_some()
    }
}
