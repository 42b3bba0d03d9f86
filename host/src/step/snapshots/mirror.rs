//! A mirror as a store: it has one state, and its manifest lies at the destination's top.

use std::cell::OnceCell;

use copal_core::manifest::{MANIFEST, Manifest, ManifestError, SUMS};

use super::{Store, StoreError, has, own_files_in, text_at};
use crate::edge::own::{Own, OwnFolder};
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
            folder: OnceCell::new(),
        })
    }

    /// The manifest of a mirror, where there is one. Without it, checksums tell that there was, or that a first
    /// run was killed just before.
    pub fn mirrored(remote: &dyn Remote) -> Result<Option<Manifest>, StoreError> {
        let own = own_files_in(remote, "")?;
        if !has(&own, MANIFEST) {
            let is_gone = has(&own, SUMS);
            let gone = || StoreError::ManifestGone(remote.shown());
            return if is_gone { Err(gone()) } else { Ok(None) };
        }
        let folder = remote.abilities()?.folder().map(OwnFolder::at);
        let parsed = match text_at(remote, folder.as_ref(), MANIFEST)? {
            Own::Nothing => return Ok(None),
            Own::Is(bytes) => Manifest::parse(&bytes),
            Own::Odd(why) => Err(ManifestError::OutOfReach(why)),
        };
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
