//! Calls of the worker's own, beside rclone's: what stands in the way of a backup, large files that were
//! begun and never finished, and what calls are charged as.

use std::time::Duration;

use copal_core::charges::Charges;
use copal_core::survey::Survey;
use serde::Deserialize;
use serde_json::json;

use crate::error::RcloneError;
use crate::remote::Remote;
use crate::worker::Worker;

impl Worker {
    /// Asks what is behind a remote for all that could stand in the way of a backup. With `write` a
    /// small file is put down and removed, where nothing else tells that files can be written. On B2
    /// it takes two calls that are charged.
    ///
    /// # Errors
    /// Where a place refuses or, for some twelve seconds, does not answer.
    pub fn survey(
        &self,
        remote: &Remote,
        write: bool,
        deadline: Duration,
    ) -> Result<Survey, RcloneError> {
        let input = json!({ "fs": self.wire(remote), "write": write });
        self.call("copal/survey", &input, deadline)
    }

    /// Cancels the uploads of large files below a directory that were begun at least so long ago and
    /// never finished; how many. B2 keeps these, invisible and paid for: rclone's own cancelling
    /// fails once its job is cancelled. Other remotes are not asked.
    pub fn end_unfinished(
        &self,
        directory: &Remote,
        begun_before: Duration,
        deadline: Duration,
    ) -> Result<u64, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            ended: u64,
        }
        let input = json!({ "fs": self.wire(directory), "seconds": begun_before.as_secs() });
        let reply: Reply = self.call("copal/end-unfinished", &input, deadline)?;
        Ok(reply.ended)
    }

    /// What calls to B2 are charged as, of all remotes together, since this was asked the last time. None
    /// where not all of them could be counted.
    pub fn take_charges(&self, deadline: Duration) -> Result<Option<Charges>, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            charges: Option<Charges>,
        }
        let reply: Reply = self.call("copal/take-charges", &json!({}), deadline)?;
        Ok(reply.charges)
    }
}
