//! Typed calls: one method for each thing that Copal asks of rclone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use copal_core::units::ByteCount;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::attempt::FileList;
use crate::error::RcloneError;
use crate::remote::Remote;
use crate::request::{
    CopyFileRequest, Entry, FsInfo, Layer, ListRequest, ProofRequest, Proven, StatRequest,
    TransferOptions,
};
use crate::worker::Worker;

/// `opt` of `operations/list` and `operations/stat`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListOptions<'a> {
    recurse: bool,
    no_mime_type: bool,
    show_hash: bool,
    hash_types: &'a [String],
}

impl<'a> ListOptions<'a> {
    fn new(recurse: bool, hash_types: &'a [String]) -> Self {
        Self {
            recurse,
            no_mime_type: true, // costs a request per file on some backends
            show_hash: !hash_types.is_empty(),
            hash_types,
        }
    }
}

/// Every call waits for `deadline` at most, and has then asked rclone to stop.
impl Worker {
    /// The version of rclone that runs.
    pub fn version(&self, deadline: Duration) -> Result<String, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            version: String,
        }
        let reply: Reply = self.call("core/version", &json!({}), deadline)?;
        Ok(reply.version)
    }

    /// What is in a directory. A directory that is not there is an error of the kind `NotFound`,
    /// except on backends that have no directories, which find it empty.
    pub fn list(
        &self,
        request: &ListRequest,
        deadline: Duration,
    ) -> Result<Vec<Entry>, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            list: Vec<Entry>,
        }
        let input = json!({
            "fs": self.wire(&request.remote),
            "remote": request.below,
            "opt": ListOptions::new(request.recursive, &request.hashes),
            "_filter": { "FilterRule": request.rules },
        });
        let mut reply: Reply = self.call("operations/list", &input, deadline)?;
        if !request.below.is_empty() {
            // rclone tells paths below `remote`.
            let above = format!("{}/", request.below);
            for entry in &mut reply.list {
                let below = entry.path.strip_prefix(&above).map(str::to_owned);
                if let Some(below) = below {
                    entry.path = below;
                }
            }
        }
        Ok(reply.list)
    }

    /// One file or directory; `None` where there is none.
    pub fn stat(
        &self,
        request: &StatRequest,
        deadline: Duration,
    ) -> Result<Option<Entry>, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            item: Option<Entry>,
        }
        let input = json!({
            "fs": self.wire(&request.remote),
            "remote": request.path,
            "opt": ListOptions::new(false, &request.hashes),
        });
        let reply: Reply = self.call("operations/stat", &input, deadline)?;
        Ok(reply.item)
    }

    /// Copies one file. An existing copy with the same size and time is left as it is, unless `again`.
    pub fn copy_file(
        &self,
        request: &CopyFileRequest,
        deadline: Duration,
    ) -> Result<(), RcloneError> {
        let input = json!({
            "srcFs": self.wire(&request.source),
            "srcRemote": request.source_path,
            "dstFs": self.wire(&request.destination),
            "dstRemote": request.destination_path,
            "_config": { "IgnoreTimes": request.again },
        });
        self.act("operations/copyfile", &input, deadline)
    }

    /// Makes a directory and those above it, where the backend has directories.
    pub fn mkdir(&self, remote: &Remote, deadline: Duration) -> Result<(), RcloneError> {
        self.act_at("operations/mkdir", remote, "", deadline)
    }

    /// Deletes a directory and **everything in it**.
    pub fn purge(&self, remote: &Remote, deadline: Duration) -> Result<(), RcloneError> {
        self.act_at("operations/purge", remote, "", deadline)
    }

    /// Removes a directory that is empty. One that has anything in it is an error.
    pub fn remove_empty(
        &self,
        remote: &Remote,
        path: &str,
        deadline: Duration,
    ) -> Result<(), RcloneError> {
        self.act_at("operations/rmdir", remote, path, deadline)
    }

    /// Deletes one file.
    pub fn delete_file(
        &self,
        remote: &Remote,
        path: &str,
        deadline: Duration,
    ) -> Result<(), RcloneError> {
        self.act_at("operations/deletefile", remote, path, deadline)
    }

    /// Does something to one place of a remote.
    fn act_at(
        &self,
        method: &'static str,
        remote: &Remote,
        path: &str,
        deadline: Duration,
    ) -> Result<(), RcloneError> {
        let input = json!({ "fs": self.wire(remote), "remote": path });
        self.act(method, &input, deadline)
    }

    /// What a remote is and can do.
    pub fn fs_info(&self, remote: &Remote, deadline: Duration) -> Result<FsInfo, RcloneError> {
        let input = json!({ "fs": self.wire(remote) });
        self.call("operations/fsinfo", &input, deadline)
    }

    /// The room that is left, where the backend tells.
    pub fn free_space(
        &self,
        remote: &Remote,
        deadline: Duration,
    ) -> Result<Option<ByteCount>, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            free: Option<u64>,
        }
        let input = json!({ "fs": self.wire(remote) });
        let reply: Reply = self.call("operations/about", &input, deadline)?;
        Ok(reply.free.map(ByteCount))
    }

    /// The local directories that a remote really is, through every backend that wraps another
    /// (alias, crypt, union, …) and as absolute paths with symbolic links left alone. Empty where
    /// it is not local at all; several for a union. Contacts no remote that is not local.
    pub fn local_roots(
        &self,
        remote: &Remote,
        deadline: Duration,
    ) -> Result<Vec<PathBuf>, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            roots: Vec<PathBuf>,
        }
        let input = json!({ "fs": self.wire(remote) });
        let reply: Reply = self.call("copal/local-roots", &input, deadline)?;
        Ok(reply.roots)
    }

    /// The backends that a remote is made of, itself first, with those of these options that each has.
    /// Contacts none.
    pub fn layers(
        &self,
        remote: &Remote,
        options: &[&str],
        deadline: Duration,
    ) -> Result<Vec<Layer>, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            layers: Vec<Layer>,
        }
        let input = json!({ "fs": self.wire(remote), "options": options });
        let reply: Reply = self.call("copal/layers", &input, deadline)?;
        Ok(reply.layers)
    }

    /// What rclone's own options say of transfers by now.
    pub fn transfer_options(&self, deadline: Duration) -> Result<TransferOptions, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            main: TransferOptions,
        }
        let input = json!({ "blocks": "main" });
        let reply: Reply = self.call("options/get", &input, deadline)?;
        Ok(reply.main)
    }

    /// Sets how far ahead a file is read while it is sent.
    pub fn set_buffer_size(&self, size: ByteCount, deadline: Duration) -> Result<(), RcloneError> {
        let input = json!({ "main": { "BufferSize": size.0 } });
        self.act("options/set", &input, deadline)
    }

    /// Sets sizes and numbers of backends (`b2_chunk_size`), for remotes that are not used yet.
    pub fn set_backend_options(
        &self,
        options: &BTreeMap<String, String>,
        deadline: Duration,
    ) -> Result<(), RcloneError> {
        let input = json!({ "options": options });
        self.act("copal/set-backend-options", &input, deadline)
    }

    /// Compares files of a local directory with what is at a remote under the same names.
    pub fn prove(&self, request: &ProofRequest, deadline: Duration) -> Result<Proven, RcloneError> {
        let list = FileList::of(&request.files);
        let list = list.map_err(|error| RcloneError::FileList(Arc::new(error)))?;
        let input = json!({
            "srcFs": self.wire(&request.source),
            "dstFs": self.wire(&request.destination),
            "download": request.by_reading,
            "_filter": { "FilesFrom0": [&list.path] },
            "_config": { "NoUnicodeNormalization": true },
        });
        self.call("copal/prove", &input, deadline)
    }

    /// The names of all remotes of the configuration and the environment, without colons.
    pub fn remotes(&self, deadline: Duration) -> Result<Vec<String>, RcloneError> {
        #[derive(Deserialize)]
        struct Reply {
            remotes: Option<Vec<String>>,
        }
        let reply: Reply = self.call("config/listremotes", &json!({}), deadline)?;
        Ok(reply.remotes.unwrap_or_default())
    }

    /// Asks rclone to stop all that it is doing; the calls concerned fail as cancelled. A call that
    /// still connects to a remote does not hear it: [`Worker::kill`] ends that.
    pub fn cancel_all(&self, deadline: Duration) -> Result<(), RcloneError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Jobs {
            running_ids: Vec<i64>,
        }
        let jobs: Jobs = self.call("job/list", &json!({}), deadline)?;
        for id in jobs.running_ids {
            self.tell("job/stop", &json!({ "jobid": id }));
        }
        Ok(())
    }

    /// A call whose answer says nothing but that it was done.
    fn act(
        &self,
        method: &str,
        input: &serde_json::Value,
        deadline: Duration,
    ) -> Result<(), RcloneError> {
        self.call::<IgnoredAny>(method, input, deadline).map(drop)
    }
}
