//! What a remote can do, by what rclone says of it and what it is made of.

use copal_core::stored::NameLimit;
use copal_rclone::Layer;

use super::RcloneRemote;
use crate::edge::rclone::ANSWER;
use crate::edge::remote::{Abilities, Directories, HashKind, RemoteError};
use crate::edge::terms;

impl RcloneRemote {
    /// Asks the remote.
    pub(super) fn ask_abilities(&self) -> Result<Abilities, RemoteError> {
        let failed = |error| self.failed("reach", "", error);
        let told = self.workers.ask(|worker| {
            let info = worker.fs_info(&self.remote, ANSWER)?;
            Ok((info, worker.local_roots(&self.remote, ANSWER)?))
        });
        let (info, local_roots) = told.map_err(failed)?;
        let kinds = [HashKind::Sha256, HashKind::Sha1, HashKind::Md5];
        let tells = |kind: &HashKind| info.hashes.iter().any(|name| name == rclone_name(*kind));
        let hash = kinds.into_iter().find(tells);
        let feature = |name: &str| info.features.get(name).copied().unwrap_or(false);
        Ok(Abilities {
            hash,
            slow_hash: info.features.get("SlowHash").copied().unwrap_or(true),
            directories: if feature("CanHaveEmptyDirectories") {
                Directories::Real
            } else {
                Directories::Names
            },
            has_buckets: feature("BucketBased"),
            copies: feature("Copy"),
            // Without a hash nothing would tell that a file still is what it was.
            links: hash.is_some() && local_roots.len() == 1 && is_plain_folder(&self.layers),
            whole_up_to: terms::whole_up_to(&self.layers),
            names: name_limit(&self.layers),
            encrypts: encrypts(&self.layers),
            called: (info.name, info.root),
            local_roots,
        })
    }
}

/// How long a name may be on its way through these.
fn name_limit(layers: &[Layer]) -> NameLimit {
    let limits = layers.iter().map(|layer| match layer.backend.as_str() {
        "crypt" => NameLimit::Encrypted,
        "local" | "alias" | "union" | "combine" => NameLimit::Folder,
        _ => NameLimit::Remote,
    });
    limits.max().unwrap_or_default()
}

/// Whether what is given to it is encrypted by it alone.
fn encrypts(layers: &[Layer]) -> bool {
    let mut layers = layers.iter().skip_while(|layer| layer.backend == "alias");
    layers.next().is_some_and(|layer| layer.backend == "crypt")
}

/// Whether what is given to it lies in a folder as it is, under its own name.
fn is_plain_folder(layers: &[Layer]) -> bool {
    // Of what it is made could not be told where there are none.
    let is_plain = |layer: &Layer| matches!(layer.backend.as_str(), "local" | "alias");
    !layers.is_empty() && layers.iter().all(is_plain)
}

pub(super) fn rclone_name(kind: HashKind) -> &'static str {
    match kind {
        HashKind::Sha256 => "sha256",
        HashKind::Sha1 => "sha1",
        HashKind::Md5 => "md5",
    }
}
