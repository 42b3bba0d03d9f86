//! Files that are to go, and what became of them.

use std::sync::Arc;
use std::time::Duration;

use copal_core::units::ByteCount;
use serde::Deserialize;
use serde_json::json;

use crate::attempt::FileList;
use crate::error::{RcloneError, classify};
use crate::remote::Remote;
use crate::worker::Worker;

/// Asks for files to be removed, with all their versions.
#[derive(Clone, Debug)]
pub struct RemovalRequest {
    /// The remote.
    pub remote: Remote,
    /// A directory in it.
    pub below: String,
    /// These go, in whatever order.
    pub names: Vec<String>,
    /// These go when all others are gone, one after the other.
    pub last: Vec<String>,
}

/// What became of them.
#[derive(Clone, Debug, Default)]
pub struct RemovedFiles {
    /// How many are gone.
    pub files: u64,
    /// What they held, with their old versions.
    pub bytes: ByteCount,
    /// The first names of what lies there and was not to go.
    pub left: Vec<String>,
    /// How many these are.
    pub left_count: u64,
    /// What could not be removed, if anything.
    pub failed: Option<NotRemoved>,
}

/// Files that could not be removed.
#[derive(Clone, Debug)]
pub struct NotRemoved {
    /// Their first names.
    pub names: Vec<String>,
    /// How many there are.
    pub count: u64,
    /// Why, of the first.
    pub why: RcloneError,
}

const METHOD: &str = "copal/remove";

impl Worker {
    /// Removes files of a directory with all their versions, and the directories that are empty then. What
    /// is not there is passed over, and one that fails does not keep the others from it.
    pub fn remove(
        &self,
        request: &RemovalRequest,
        deadline: Duration,
    ) -> Result<RemovedFiles, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            files: u64,
            bytes: u64,
            left: Vec<String>,
            left_count: u64,
            failed: Vec<String>,
            failed_count: u64,
            error: Option<String>,
        }
        let list = FileList::of(&request.names);
        let list = list.map_err(|error| RcloneError::FileList(Arc::new(error)))?;
        let input = json!({
            "fs": self.wire(&request.remote),
            "remote": request.below,
            "names": list.path,
            "last": request.last,
        });
        let reply: Reply = self.call(METHOD, &input, deadline)?;
        let failed = reply.error.map(|message| NotRemoved {
            names: reply.failed,
            count: reply.failed_count,
            why: RcloneError::Call {
                method: METHOD.to_owned(),
                kind: classify(0, &message),
                message: self.redact(&message),
            },
        });
        Ok(RemovedFiles {
            files: reply.files,
            bytes: ByteCount(reply.bytes),
            left: reply.left,
            left_count: reply.left_count,
            failed,
        })
    }
}
