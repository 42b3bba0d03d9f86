//! Keeps secrets that a hook was given out of what is told about it.

use std::sync::{Arc, Mutex};

use crate::SecretBytes;

/// What stands in a secret's place.
const MASK: &str = "***";

/// Shorter ones are in every second word, and masking them would show where.
const SHORTEST: usize = 4;

/// The secrets that one instance has to do with. Clones are the same.
///
/// What a hook makes of a secret (its base64, its half) is not recognised: a secret that it was
/// granted to read is in its hands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Masks(Arc<Mutex<Vec<SecretBytes>>>);

impl Masks {
    /// Covers a secret from here on.
    pub(crate) fn add(&self, secret: &SecretBytes) {
        let mut secrets = self.0.lock().expect("no holder of this lock panics");
        if secret.expose().len() >= SHORTEST && !secrets.contains(secret) {
            secrets.push(secret.clone());
        }
    }

    /// The text without secrets.
    pub(crate) fn cover(&self, mut text: String) -> String {
        let secrets = self.0.lock().expect("no holder of this lock panics");
        for secret in secrets.iter() {
            match std::str::from_utf8(secret.expose()) {
                Ok(secret) if text.contains(secret) => text = text.replace(secret, MASK),
                _ => {}
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_covered_wherever_it_stands() {
        let masks = Masks::default();
        masks.add(&SecretBytes::new("hunter22"));
        let covered = masks.cover("hunter22, Bearer hunter22".to_owned());
        assert_eq!(covered, "***, Bearer ***");
    }
}
