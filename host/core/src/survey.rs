//! What a destination tells of itself before anything is done, and what of it stands in the way.

use serde::Deserialize;

/// What a remote told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Survey {
    /// What is behind it: several for a union.
    pub places: Vec<Place>,
    /// Servers whose clock differs from this machine's by more than five minutes.
    pub clocks: Vec<Clock>,
}

/// A remote that stores files itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Its kind, by rclone's name.
    pub backend: String,
    /// The path in it; where there are buckets, they come first.
    pub path: String,
    /// Whether names below the path are stored as they are, or else encrypted or otherwise changed.
    pub exact: bool,
    /// Whether the bucket is not there.
    pub missing: bool,
    /// What the key is for, where the remote tells.
    pub key: Option<Key>,
    /// Rules of the bucket that hide files some time after they are uploaded.
    pub hiding: Vec<Hiding>,
}

/// What a key of B2's is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Key {
    /// What it may do, by B2's names: `listFiles`, …
    pub capabilities: Vec<String>,
    /// What names have to begin with; empty for any.
    pub prefix: String,
    /// The buckets that it is restricted to.
    pub buckets: Option<Vec<String>>,
    /// Whether what is deleted is deleted at once, and not only hidden.
    pub hard_delete: bool,
}

/// A lifecycle rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Hiding {
    /// What the names begin with that it is about.
    pub prefix: String,
    /// Days from the upload on.
    pub days: u32,
}

/// A server whose clock is not this machine's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Clock {
    /// The server.
    pub host: String,
    /// This machine's time less the server's, in seconds.
    pub seconds: i64,
}

/// Why nothing can be backed up to a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Hindrance {
    /// The bucket is not there, or is another account's.
    #[error("there is no bucket `{0}`")]
    NoBucket(String),
    /// The key is restricted to other buckets.
    #[error("the key is not for the bucket `{bucket}`, only for {}", listed(.buckets))]
    OtherBucket {
        /// The destination's.
        bucket: String,
        /// The key's.
        buckets: Vec<String>,
    },
    /// The key lacks capabilities.
    #[error("the key lacks {}", listed(.0))]
    Lacks(Vec<String>),
    /// The key is restricted to other names.
    #[error(
        "the key is for names that begin with `{prefix}`, and snapshots would begin with `{ours}`"
    )]
    OtherNames {
        /// The key's.
        prefix: String,
        /// The destination's.
        ours: String,
    },
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

impl Place {
    /// The bucket, and the path in it.
    fn split(&self) -> (&str, &str) {
        let path = self.path.trim_matches('/');
        path.split_once('/').unwrap_or((path, ""))
    }

    /// What the names of all files of the job's directory begin with, as far as that is known. Without a
    /// name, that is the destination itself.
    fn ours(&self, name: &str) -> String {
        let (_, directory) = self.split();
        let mut ours = directory.to_owned();
        if !ours.is_empty() {
            ours.push('/');
        }
        if self.exact && !name.is_empty() {
            ours.push_str(name);
            ours.push('/');
        }
        ours
    }

    /// Whether every name of the job's begins with `prefix`, as far as that is known.
    fn all_begin_with(&self, prefix: &str, name: &str) -> bool {
        let ours = self.ours(name);
        ours.starts_with(prefix) || !self.exact && prefix.starts_with(&ours)
    }

    /// What stands in the way of snapshots of the job `name`.
    pub fn hindrance(&self, name: &str) -> Option<Hindrance> {
        let (bucket, _) = self.split();
        if let Some(key) = &self.key {
            if let Some(buckets) = &key.buckets
                && !bucket.is_empty()
                && !buckets.iter().any(|own| own == bucket)
            {
                let (bucket, buckets) = (bucket.to_owned(), buckets.clone());
                return Some(Hindrance::OtherBucket { bucket, buckets });
            }
            let lacking = key.lacking();
            if !lacking.is_empty() {
                return Some(Hindrance::Lacks(lacking));
            }
            if !self.all_begin_with(&key.prefix, name) {
                let (prefix, ours) = (key.prefix.clone(), self.ours(name));
                return Some(Hindrance::OtherNames { prefix, ours });
            }
        }
        self.missing.then(|| Hindrance::NoBucket(bucket.to_owned()))
    }

    /// The first rule that hides files of the job's snapshots.
    pub fn hides(&self, name: &str) -> Option<&Hiding> {
        let ours = self.ours(name);
        let meets =
            |rule: &&Hiding| ours.starts_with(&rule.prefix) || rule.prefix.starts_with(&ours);
        self.hiding.iter().find(meets)
    }
}

impl Key {
    /// What a backup needs and it lacks.
    fn lacking(&self) -> Vec<String> {
        let mut needed = vec!["listFiles", "readFiles", "writeFiles"];
        if self.buckets.is_none() {
            // B2 tells a key its own bucket's ID alone.
            needed.insert(0, "listBuckets");
        }
        if self.hard_delete {
            needed.push("deleteFiles");
        }
        let has = |name: &str| self.capabilities.iter().any(|own| own == name);
        needed.retain(|name| !has(name));
        needed.into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(capabilities: &[&str], prefix: &str, buckets: Option<&[&str]>) -> Key {
        let owned = |texts: &[&str]| texts.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
        Key {
            capabilities: owned(capabilities),
            prefix: prefix.to_owned(),
            buckets: buckets.map(owned),
            hard_delete: false,
        }
    }

    const ENOUGH: &[&str] = &["listFiles", "readFiles", "writeFiles"];

    fn place(path: &str, key: Key) -> Place {
        Place {
            backend: "b2".to_owned(),
            path: path.to_owned(),
            exact: true,
            key: Some(key),
            ..Place::default()
        }
    }

    fn hindrance(place: &Place) -> String {
        let found = place.hindrance("app");
        found.map(|it| it.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_key_has_to_be_for_the_bucket_and_may_do_what_a_backup_does() {
        let own: Option<&[&str]> = Some(&["bucket"]);
        assert_eq!(hindrance(&place("bucket/x/", key(ENOUGH, "", own))), "");
        assert_eq!(
            hindrance(&place("bucket", key(ENOUGH, "", None))),
            "the key lacks `listBuckets`"
        );
        assert_eq!(
            hindrance(&place("other/x", key(ENOUGH, "", own))),
            "the key is not for the bucket `other`, only for `bucket`"
        );
        assert_eq!(
            hindrance(&place("bucket", key(&["listFiles"], "", own))),
            "the key lacks `readFiles`, `writeFiles`"
        );
    }

    #[test]
    fn deleting_is_needed_only_where_nothing_is_merely_hidden() {
        let mut place = place("bucket", key(ENOUGH, "", Some(&["bucket"])));
        place.key.as_mut().unwrap().hard_delete = true;
        assert_eq!(hindrance(&place), "the key lacks `deleteFiles`");
    }

    #[test]
    fn a_prefix_fits_where_every_name_of_the_job_begins_with_it() {
        let with = |prefix: &str, path: &str| place(path, key(ENOUGH, prefix, Some(&["bucket"])));
        for (prefix, path) in [
            ("", "bucket"),
            ("back", "bucket/backups/"),
            ("backups/", "bucket/backups/"),
            ("backups/app/", "bucket/backups"),
            ("app/", "bucket"),
        ] {
            assert_eq!(hindrance(&with(prefix, path)), "", "{prefix} {path}");
        }
        assert_eq!(
            hindrance(&with("backups/application/", "bucket/backups")),
            "the key is for names that begin with `backups/application/`, and snapshots would begin with `backups/app/`"
        );
        // Of encrypted names nobody knows what they begin with.
        let mut encrypted = with("backups/a1b2/", "bucket/backups");
        encrypted.exact = false;
        assert_eq!(hindrance(&encrypted), "");
        encrypted.path = "bucket/else".to_owned();
        assert!(hindrance(&encrypted).contains("`else/`"));
    }

    #[test]
    fn rules_that_hide_are_told_where_they_meet_the_jobs_names() {
        let mut place = place("bucket/backups", key(ENOUGH, "", None));
        let mut hides = |prefix: &str| {
            let prefix = prefix.to_owned();
            place.hiding = vec![Hiding { prefix, days: 30 }];
            place.hides("app").is_some()
        };
        for prefix in ["", "back", "backups/app/", "backups/app/2026"] {
            assert!(hides(prefix), "{prefix}");
        }
        for prefix in ["logs/", "backups/application", "backups/b"] {
            assert!(!hides(prefix), "{prefix}");
        }
    }

    #[test]
    fn a_bucket_that_is_not_there_is_named() {
        let missing = Place {
            path: "bucket/backups".to_owned(),
            missing: true,
            ..Place::default()
        };
        assert_eq!(hindrance(&missing), "there is no bucket `bucket`");
    }
}
