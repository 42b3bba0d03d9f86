//! How long a name may be where snapshots go.

/// The longest names that a destination takes. The later ones take no more than those before them, so
/// that the greatest of several serves all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameLimit {
    /// Those of a folder: whatever the source's own file system takes.
    Folder,
    /// Those of a remote: a component has 250 bytes at most (B2), and a path 1024 (B2, S3), of which
    /// a quarter is left to the destination and the snapshot's id.
    #[default]
    Remote,
    /// The same for names that are encrypted on the way, as rclone's crypt does it by default: in
    /// blocks of 16 bytes, with at least one byte to fill the last, written in base 32.
    Encrypted,
}

/// A file system takes so many bytes for a component, and Linux so many for a path.
const FOLDER: (usize, usize) = (255, 4096);
const REMOTE: (usize, usize) = (250, 768);

impl NameLimit {
    /// Whether one component of a path is short enough.
    pub fn takes_component(self, name: &str) -> bool {
        self.length(name) <= self.most().0
    }

    /// Whether a path is short enough, and each of its components.
    pub fn takes(self, path: &str) -> bool {
        let components = path.split('/').map(|name| self.length(name) + 1);
        path.split('/').all(|name| self.takes_component(name))
            && components.sum::<usize>() <= self.most().1 + 1
    }

    fn most(self) -> (usize, usize) {
        match self {
            Self::Folder => FOLDER,
            Self::Remote | Self::Encrypted => REMOTE,
        }
    }

    /// As long as a component becomes.
    fn length(self, name: &str) -> usize {
        const BLOCK: usize = 16;
        match self {
            Self::Folder | Self::Remote => name.len(),
            Self::Encrypted => ((name.len() / BLOCK + 1) * BLOCK * 8).div_ceil(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_component_is_as_long_as_its_destination_takes() {
        for (limit, most) in [
            (NameLimit::Folder, 255),
            (NameLimit::Remote, 250),
            // What rclone's documentation of crypt says.
            (NameLimit::Encrypted, 143),
        ] {
            assert!(limit.takes(&"n".repeat(most)), "{limit:?}");
            assert!(!limit.takes(&"n".repeat(most + 1)), "{limit:?}");
        }
    }

    proptest! {
        #[test]
        fn what_the_greater_limit_takes_the_lesser_takes_too(path in "([a-z]{1,200}/){0,12}[a-z]{1,200}") {
            let takes = [NameLimit::Folder, NameLimit::Remote, NameLimit::Encrypted]
                .map(|limit| limit.takes(&path));
            prop_assert!(takes.is_sorted_by(|a, b| a >= b), "{takes:?}");
        }
    }
}
