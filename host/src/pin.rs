//! Pins: what an owner grants, he grants one version of a component.

use std::path::PathBuf;

use copal_core::config::Hook;
use copal_core::digest::Sha256;

/// Why a component does not get what is granted to its hook.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// Nothing says which version of a component its owner granted what it is granted.
    #[error("hook `{hook}` has no `sha256`, and `{}` could be any component", .path.display())]
    Unpinned {
        /// The hook.
        hook: String,
        /// The file.
        path: PathBuf,
        /// The digest that the file has.
        digest: Sha256,
    },
    /// The component is not the one that its owner granted what it is granted.
    #[error(
        "`{}`, the component of hook `{hook}`, is not the one that was granted: its sha256 is {found}, and copal.toml says {pinned}",
        .path.display()
    )]
    Changed {
        /// The hook.
        hook: String,
        /// The file.
        path: PathBuf,
        /// The digest that the owner knows.
        pinned: Sha256,
        /// The digest that the file has.
        found: Sha256,
    },
}

/// Whether the component with the digest `found`, which was read from `path`, is the one that the owner
/// of `hook` looked at.
pub fn check(hook: &Hook, path: PathBuf, found: Sha256) -> Result<(), Box<PinError>> {
    let name = hook.name.to_string();
    match hook.sha256 {
        Some(pinned) if pinned == found => Ok(()),
        Some(pinned) => Err(Box::new(PinError::Changed {
            hook: name,
            path,
            pinned,
            found,
        })),
        None => Err(Box::new(PinError::Unpinned {
            hook: name,
            path,
            digest: found,
        })),
    }
}

#[cfg(test)]
mod tests {
    use copal_core::config::Config;

    use sha2::Digest as _;

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn digest(component: &[u8]) -> Sha256 {
        Sha256::from_bytes(sha2::Sha256::digest(component).into())
    }

    fn hook(line: &str) -> Hook {
        let text = format!(
            "name = 'n'\nsource.path = 'd'\ndestination = [{{ remote = 'b2:' }}]\n[[hook]]\nfile = 'x.wasm'\n{line}"
        );
        Config::parse(&text, "copal.toml").unwrap().hooks()[0].clone()
    }

    #[test]
    fn the_component_that_was_granted_is_taken() {
        let hook = hook(&format!("sha256 = '{}'", EMPTY.to_uppercase()));
        assert!(check(&hook, "x.wasm".into(), digest(b"")).is_ok());
    }

    #[test]
    fn another_one_is_refused_with_both_digests() {
        let hook = hook(&format!("sha256 = '{EMPTY}'"));
        let refused = check(&hook, "x.wasm".into(), digest(b"x"))
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains(EMPTY) && refused.contains(&digest(b"x").to_string()),
            "{refused}"
        );
    }

    #[test]
    fn one_without_a_pin_is_refused_with_the_digest_it_has() {
        let refused = check(&hook(""), "x.wasm".into(), digest(b"")).unwrap_err();
        assert!(
            matches!(*refused, PinError::Unpinned { digest, .. } if digest.to_string() == EMPTY)
        );
    }
}
