//! What stays whatever the rules say.

use copal_hook_sdk::Error;

/// Paths from the top of the source.
#[derive(Default)]
pub(crate) struct Keep {
    files: Vec<Vec<u8>>,
    directories: Vec<Vec<u8>>,
}

impl Keep {
    pub(crate) fn new(paths: Vec<String>) -> Result<Self, Error> {
        let mut keep = Self::default();
        for path in paths {
            let relative = path.strip_prefix('/').unwrap_or(&path);
            let (list, name) = match relative.strip_suffix('/') {
                Some(directory) => (&mut keep.directories, directory),
                None => (&mut keep.files, relative),
            };
            if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
                let why =
                    format!("config: `keep` holds `{path}`, which is no path inside the source");
                return Err(Error::Invalid(why));
            }
            list.push(name.as_bytes().to_vec());
        }
        Ok(keep)
    }

    pub(crate) fn file(&self, path: &[u8]) -> bool {
        self.files.iter().any(|kept| kept == path)
    }

    /// A directory that is kept is not asked about further, so what is in it need not be looked up.
    pub(crate) fn directory(&self, path: &[u8]) -> bool {
        self.directories.iter().any(|kept| kept == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_its_end_makes_a_directory() {
        let keep = Keep::new(vec!["/a/b.iso".into(), "models/".into()]);
        let keep = keep.expect("both are sound");
        assert!(keep.file(b"a/b.iso") && !keep.directory(b"a/b.iso"));
        assert!(keep.directory(b"models") && !keep.file(b"models"));
    }

    #[test]
    fn a_path_that_leads_out_is_refused_by_name() {
        for path in ["", "/", "../x", "a//b"] {
            let error = Keep::new(vec![path.into()]).err();
            assert!(matches!(error, Some(Error::Invalid(why)) if why.contains(path)));
        }
    }
}
