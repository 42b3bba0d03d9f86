//! Linked: directories of a mirror that lead out of it.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use crate::step::mirror::MirrorError;

/// Whether no directory on the way to files of these names is a link: rclone would write or delete through it, in
/// a place that is none of the mirror's. It lists through one where a remote is made to follow links. Names are below the destination, whose own path may have links.
pub fn check_unlinked<'a>(
    roots: &[PathBuf],
    names: impl Iterator<Item = &'a str>,
) -> Result<(), MirrorError> {
    if roots.is_empty() {
        return Ok(());
    }
    let mut seen = HashSet::new();
    for name in names {
        for (slash, _) in name.match_indices('/') {
            let dir = &name[..slash];
            if !seen.insert(dir) {
                continue;
            }
            for link in roots.iter().map(|root| root.join(dir)) {
                let is_link = fs::symlink_metadata(&link).is_ok_and(|it| it.is_symlink());
                if is_link {
                    let to = fs::read_link(&link).unwrap_or_default();
                    return Err(MirrorError::Linked { link, to });
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_on_the_way_to_a_file_is_named_and_one_that_leads_to_the_destination_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = |below: &str| dir.path().join(below);
        fs::create_dir_all(path("real/up/plain")).unwrap();
        fs::create_dir_all(path("elsewhere")).unwrap();
        std::os::unix::fs::symlink(path("real"), path("mirror")).unwrap();
        std::os::unix::fs::symlink(path("elsewhere"), path("real/up/sub")).unwrap();
        let roots = [path("mirror")];
        let check = |names: &[&str]| check_unlinked(&roots, names.iter().copied());
        check(&["up/plain/a", "up/new/deep/b", "up/sub"]).unwrap();
        let error = check(&["up/plain/a", "up/sub/deep/f"]).unwrap_err();
        let MirrorError::Linked { link, to } = error else {
            panic!("{error:?}")
        };
        assert_eq!((link, to), (path("mirror/up/sub"), path("elsewhere")));
    }
}
