//! What earlier runs left at a destination.

use copal_core::manifest::{Manifest, ManifestError};
use copal_core::snapshot::SnapshotId;

use super::{Asked, PreflightError};
use crate::edge::remote::Remote;
use crate::step::mirror::MirrorError;
use crate::step::snapshots::{Store, StoreError};

/// What is there.
#[derive(Default)]
pub(super) struct Before {
    /// Ids that are taken.
    pub(super) started: Vec<SnapshotId>,
    /// The newest manifest that can be read.
    pub(super) last: Option<Manifest>,
    /// Newer ones that can't be trusted.
    pub(super) damaged: Vec<StoreError>,
    /// Whether what a mirror was at its last run can't be told any more.
    pub(super) is_unlisted: bool,
}

impl Before {
    pub(super) fn at(remote: &dyn Remote, asked: Asked<'_>) -> Result<Self, PreflightError> {
        if asked.map.is_some() {
            return Self::mirrored(remote, asked.name);
        }
        let store = Store::new(remote, asked.name);
        let started = store.started()?;
        let (mut last, mut damaged) = (None, Vec::new());
        for id in started.iter().rev() {
            let read = store.manifest_if_sealed(*id);
            match read.map_err(|error| error.of_manifest(*id)) {
                Ok(None) => {}
                Ok(manifest) => {
                    last = manifest;
                    break;
                }
                Err(error @ StoreError::Manifest { .. }) => damaged.push(error),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self {
            started,
            last,
            damaged,
            is_unlisted: false,
        })
    }

    /// A manifest of a later version is no damage: whose mirror it is, and what it has, is merely not for
    /// this version to say.
    fn mirrored(remote: &dyn Remote, name: &str) -> Result<Self, PreflightError> {
        let manifest = match Store::mirrored(remote) {
            Ok(manifest) => manifest,
            Err(
                error @ (StoreError::ManifestGone(_)
                | StoreError::MirrorManifest {
                    source:
                        ManifestError::Unreadable(_)
                        | ManifestError::OutOfReach(_)
                        | ManifestError::Inconsistent(_),
                    ..
                }),
            ) => {
                let damaged = vec![error];
                return Ok(Self {
                    damaged,
                    is_unlisted: true,
                    ..Self::default()
                });
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(manifest) = manifest.as_ref().filter(|it| it.name != name) {
            let (place, name) = (remote.shown(), manifest.name.clone());
            return Err(MirrorError::Others { place, name }.into());
        }
        Ok(Self {
            started: manifest.iter().map(|manifest| manifest.id).collect(),
            last: manifest,
            damaged: Vec::new(),
            is_unlisted: false,
        })
    }
}
