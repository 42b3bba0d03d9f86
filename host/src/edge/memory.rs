//! The memory that rclone may fill: asked for its options, decided, and set before a remote is used.

use std::collections::BTreeMap;

use copal_core::memory::{Chunks, Share, Wish, Wishes, sends_chunks, share};
use copal_core::units::ByteCount;
use copal_rclone::{Layer, LayerOption, RcloneError, Worker};

use super::rclone::ANSWER;
use super::shards;

/// Options of backends that say how much of a large file is kept in memory.
pub(super) const OPTIONS: [&str; 2] = [SIZE, CONCURRENCY];
pub(super) const SIZE: &str = "chunk_size";
const CONCURRENCY: &str = "upload_concurrency";

/// What rclone does unless its owner says otherwise.
const TRANSFERS: u32 = 4;
const BUFFER: ByteCount = ByteCount::mebibytes(16);

/// Lowers rclone's options for a remote that is made of these, as far as it takes.
pub(super) fn settle(
    worker: &Worker,
    layers: &[Layer],
    budget: ByteCount,
) -> Result<Share, RcloneError> {
    let wishes = wishes(worker, layers)?;
    let share = share(budget, &wishes);
    for lowered in &share.lowered {
        tracing::warn!(
            "rclone's `{}` is {} and not {}: `limits.memory` is {budget}",
            lowered.option,
            lowered.to,
            lowered.from,
        );
    }
    let buffer = share.options.buffer.value;
    if buffer != wishes.buffer.value {
        worker.set_buffer_size(buffer, ANSWER)?;
    }
    let changed = changed(&wishes.chunks, &share.options.chunks);
    if !changed.is_empty() {
        worker.set_backend_options(&changed, ANSWER)?;
    }
    Ok(share)
}

fn wishes(worker: &Worker, layers: &[Layer]) -> Result<Wishes, RcloneError> {
    let options = worker.transfer_options(ANSWER)?;
    let buffer = ByteCount(options.buffer_size);
    let has_instances = layers.first().is_some_and(|top| top.backend == "b2");
    Ok(Wishes {
        transfers: Wish {
            value: options.transfers.max(1),
            set: options.transfers != TRANSFERS,
        },
        buffer: Wish {
            value: buffer,
            set: buffer != BUFFER,
        },
        chunks: layers.iter().filter_map(chunks).collect(),
        instances: if has_instances { shards::MOST } else { 0 },
    })
}

fn chunks(layer: &Layer) -> Option<Chunks> {
    let unit = sends_chunks(&layer.backend)?;
    let LayerOption { value, set } = layer.options.get(SIZE)?;
    let concurrency = layer.options.get(CONCURRENCY);
    let concurrency = concurrency.and_then(|option| {
        let value = option.value.parse().ok().filter(|number| *number > 0)?;
        let set = option.set;
        Some(Wish { value, set })
    });
    Some(Chunks {
        backend: layer.backend.clone(),
        unit,
        size: Wish {
            // What can't be read is rclone's to tell; it is no reason to send without a limit.
            value: value.parse().unwrap_or(unit),
            set: *set,
        },
        concurrency,
    })
}

/// What has to be set so that these options become those.
fn changed(from: &[Chunks], to: &[Chunks]) -> BTreeMap<String, String> {
    let mut options = BTreeMap::new();
    for (was, is) in from.iter().zip(to) {
        let backend = &is.backend;
        if was.size.value != is.size.value {
            options.insert(format!("{backend}_{SIZE}"), format!("{}B", is.size.value.0));
        }
        if let (Some(was), Some(is)) = (was.concurrency, is.concurrency)
            && was.value != is.value
        {
            options.insert(format!("{backend}_{CONCURRENCY}"), is.value.to_string());
        }
    }
    options
}
