//! Lookup: whether files of a remote are asked for one by one, each by its name, or found in listings of the
//! directories on the way to them.

use std::collections::HashSet;

/// No more are asked for one by one: each takes a call more than it would with a listing, which brings a thousand.
const FEW: usize = 64;

/// A listing is charged as about so many lookups: ten on B2, twelve on S3. It takes longer than one, too.
const A_LISTING: usize = 10;

/// Whether it is cheaper to ask for each of these paths than to list what lies beside them. Of a directory on the way it
/// is not known how much is in it; a listing is at least one call.
pub fn by_name(paths: &[String]) -> bool {
    paths.len() <= FEW && paths.len() <= A_LISTING * directories(paths)
}

/// How many directories are listed on the way to them, from the top on.
fn directories(paths: &[String]) -> usize {
    let mut all = HashSet::from([""]);
    for path in paths {
        let mut rest = path.as_str();
        while let Some((above, _)) = rest.rsplit_once('/') {
            if !all.insert(above) {
                break;
            }
            rest = above;
        }
    }
    all.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(of: impl IntoIterator<Item = String>) -> Vec<String> {
        of.into_iter().collect()
    }

    #[test]
    fn one_file_is_asked_for_wherever_it_lies() {
        for path in ["webui.db", "uploads/2026/11/a.pdf"] {
            assert!(by_name(&paths([path.to_owned()])), "{path}");
        }
    }

    #[test]
    fn a_few_files_here_and_there_are_asked_for() {
        let files = (0..50).map(|n| format!("uploads/{}/{n}.pdf", n % 10));
        assert!(by_name(&paths(files)));
    }

    #[test]
    fn a_folder_is_listed() {
        let files = (0..30).map(|n| format!("uploads/{n}.pdf"));
        assert!(!by_name(&paths(files)));
    }

    #[test]
    fn many_files_are_listed_however_they_lie() {
        let files = (0..100).map(|n| format!("{n}/{n}.pdf"));
        assert!(!by_name(&paths(files)));
    }

    #[test]
    fn directories_on_the_way_count_once() {
        let files = ["a/b/c", "a/b/d", "a/e", "f"].map(str::to_owned);
        assert_eq!(directories(&files), 3);
    }
}
