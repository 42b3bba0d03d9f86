//! What a remote charges for, as far as its kind and rclone's options tell.

use copal_core::forecast::B2;
use copal_core::memory::{Share, sends_chunks};
use copal_core::units::ByteCount;
use copal_rclone::Layer;

use super::{memory, shards};

/// Options of B2 that say from which size on files go in parts.
pub(super) const OPTIONS: [&str; 2] = [UPLOAD, COPY];
const UPLOAD: &str = "upload_cutoff";
const COPY: &str = "copy_cutoff";

/// Up to which size files go whole by all of these.
pub(super) fn whole_up_to(layers: &[Layer]) -> Option<ByteCount> {
    let in_parts = layers.iter().filter_map(|layer| {
        let unit = sends_chunks(&layer.backend)?;
        let option = layer
            .options
            .get(UPLOAD)
            .or(layer.options.get(memory::SIZE));
        let size = option.and_then(|option| option.value.parse().ok());
        Some(size.unwrap_or(unit))
    });
    in_parts.min()
}

/// How rclone sends to B2, where a remote is that, or an encrypted one above it.
pub(super) fn b2(layers: &[Layer], share: &Share) -> Option<B2> {
    let mut made_of = layers.iter().filter(|layer| layer.backend != "alias");
    let top = made_of.next()?;
    let encrypts = top.backend == "crypt";
    let b2 = if encrypts { made_of.next()? } else { top };
    if b2.backend != "b2" || made_of.next().is_some() {
        return None;
    }
    let size = |name: &str| b2.options.get(name)?.value.parse::<ByteCount>().ok();
    let mut chunks = share.options.chunks.iter();
    let chunks = chunks.find(|chunks| chunks.backend == "b2")?;
    Some(B2 {
        encrypts,
        upload_cutoff: size(UPLOAD)?,
        copy_cutoff: size(COPY)?,
        chunk_size: chunks.size.value,
        concurrency: chunks.concurrency.map_or(1, |wish| wish.value.into()),
        transfers: share.options.transfers.value.into(),
        small: share.small.into(),
        instances: share.options.instances.into(),
        worth: shards::WORTH as u64,
        small_size: shards::SMALL,
    })
}
