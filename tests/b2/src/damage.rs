//! What may become of a file that was stored.

use bytes::Bytes;

use crate::content::Content;
use crate::state::{Bucket, Kind, Version, newest};

/// What becomes of a stored file, without a word to whoever stored it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Its last byte is gone. Listings tell the size and the SHA-1 of what is left.
    Truncated,
    /// It and the newest other file in the bucket (of the same size, if there is one) have each other's
    /// bytes. Listings tell the SHA-1 of what is there now.
    Swapped,
    /// It is gone.
    Lost,
    /// A bit of it is another. Listings tell what they told before: only reading it shows.
    Rotten,
}

/// Does it to a file; false where there is nothing to do it to.
pub(crate) fn damage(bucket: &mut Bucket, name: &str, damage: Damage) -> bool {
    let Some(version) = bucket.visible(name) else {
        return false;
    };
    let id = version.id.clone();
    let Kind::Upload { content, sha1 } = version.kind.clone() else {
        return false;
    };
    match damage {
        Damage::Lost => {
            bucket.files.remove(name);
            true
        }
        Damage::Truncated if content.len() == 0 => false,
        Damage::Truncated => {
            let left = content.slice(&(0..content.len() - 1));
            put(bucket, name, &id, &told_as_it_is(left));
            true
        }
        Damage::Rotten => {
            let Some(content) = rotten(&content) else {
                return false;
            };
            put(bucket, name, &id, &Kind::Upload { content, sha1 });
            true
        }
        Damage::Swapped => swap(bucket, name, &id, &content),
    }
}

fn swap(bucket: &mut Bucket, name: &str, id: &str, content: &Content) -> bool {
    let bytes = |content: &Content| content.sha1().expect("the server's own disk");
    let mine = bytes(content);
    let others = bucket
        .files
        .values()
        .filter_map(|versions| newest(versions));
    let other = others
        .filter_map(|other| Some((other, content_of(other)?)))
        .filter(|(other, theirs)| other.name != name && bytes(theirs) != mine)
        .max_by_key(|(other, theirs)| (theirs.len() == content.len(), other.time));
    let Some((other, theirs)) = other else {
        return false;
    };
    let (other_name, other_id, theirs) = (other.name.clone(), other.id.clone(), theirs.clone());
    put(bucket, name, id, &told_as_it_is(theirs));
    put(
        bucket,
        &other_name,
        &other_id,
        &told_as_it_is(content.clone()),
    );
    true
}

fn content_of(version: &Version) -> Option<&Content> {
    match &version.kind {
        Kind::Upload { content, .. } => Some(content),
        Kind::Hide | Kind::Start { .. } => None,
    }
}

fn told_as_it_is(content: Content) -> Kind {
    let sha1 = content.sha1().expect("the server's own disk");
    Kind::Upload { content, sha1 }
}

fn rotten(content: &Content) -> Option<Content> {
    let mut bytes = content.to_vec().expect("the server's own disk");
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle)? ^= 1;
    Some(Content::in_memory(Bytes::from(bytes)))
}

fn put(bucket: &mut Bucket, name: &str, id: &str, kind: &Kind) {
    let versions = bucket.files.get_mut(name).into_iter().flatten();
    for version in versions.filter(|version| version.id == id) {
        // What the client said of the bytes is of other bytes.
        if matches!(kind, Kind::Upload { sha1, .. } if sha1 != "none") {
            version.info.remove("large_file_sha1");
        }
        version.kind = kind.clone();
    }
}
