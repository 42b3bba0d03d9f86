//! Which of some files are there: each is asked for by its name, and no directory is listed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::attempt::FileList;
use crate::error::{RcloneError, classify, untold};
use crate::remote::Remote;
use crate::request::Entry;
use crate::worker::Worker;

const METHOD: &str = "operations/list";

/// What rclone says before the reason.
const PREFACE: &str = "--files-from failed to read file: ";

static NEXT_GROUP: AtomicU64 = AtomicU64::new(1);

impl Worker {
    /// Those of the files that are there, in whatever order: several are asked for at a time. Their names are
    /// paths below `remote`.
    ///
    /// # Errors
    /// Also where one of them could not be asked for: it is not known to be missing. rclone itself goes on with
    /// the others, and answers as if it were.
    pub fn find(
        &self,
        remote: &Remote,
        files: &[String],
        deadline: Duration,
    ) -> Result<Vec<Entry>, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            list: Vec<Entry>,
        }
        // Without any name there would be no filter, and all would be listed.
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let list = FileList::of(files);
        let list = list.map_err(|error| RcloneError::FileList(Arc::new(error)))?;
        let group = format!("find/{}", NEXT_GROUP.fetch_add(1, Ordering::Relaxed));
        let input = json!({
            "fs": self.wire(remote),
            "remote": "",
            "opt": { "recurse": true, "filesOnly": true, "noModTime": true, "noMimeType": true },
            "_filter": { "FilesFrom0": [&list.path] },
            "_config": { "NoTraverse": true, "NoUnicodeNormalization": true },
        });
        self.keep_errors(&group);
        let reply = self.call_in::<Reply>(METHOD, &input, &group, deadline);
        let lines = self.take_errors(&group);
        let errors = self.errors_of(&group, deadline);
        self.tell("core/stats-delete", &json!({ "group": group }));
        let (found, errors) = (reply?.list, errors?);
        if errors == 0 {
            return Ok(found);
        }
        let first = lines.into_iter().next().map_or_else(
            || untold(errors),
            |line| format!("{}: {}", line.object, line.text.trim_start_matches(PREFACE)),
        );
        Err(RcloneError::Call {
            method: METHOD.to_owned(),
            kind: classify(0, &first),
            message: self.redact(&first),
        })
    }

    /// How many errors were counted in a stats group.
    fn errors_of(&self, group: &str, deadline: Duration) -> Result<u64, RcloneError> {
        #[derive(Deserialize)]
        struct Stats {
            errors: u64,
        }
        let stats: Stats = self.call("core/stats", &json!({ "group": group }), deadline)?;
        Ok(stats.errors)
    }
}
