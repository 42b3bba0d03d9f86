//! The hook's own store.

use copal_core::grants::{Capability, Need};

use super::{Answer, Asked, Gate};
use crate::plural::{bytes, count};

/// The longest key, in bytes.
const LONGEST_KEY: usize = 256;

impl Gate {
    pub(crate) fn state_get(&mut self, key: &str) -> Answer<Option<Vec<u8>>> {
        self.deed(
            keyed("get", key),
            |host, call| host.state_get(call, key),
            |value| {
                value
                    .as_ref()
                    .map_or_else(|| "no value".to_owned(), |value| bytes(value.len()))
            },
        )
    }

    pub(crate) fn state_set(&mut self, key: &str, value: &[u8]) -> Answer<()> {
        let most = self.limits.state;
        let too_long = (value.len() as u64 > most.0).then(|| {
            let length = value.len();
            format!("a value of {length} bytes is more than the {most} of the whole store (`state` in its `limits`)")
        });
        let asked = keyed("set", key)
            .with("value", bytes(value.len()))
            .unless(too_long);
        self.deed(
            asked,
            |host, call| host.state_set(call, key, value),
            |()| "set".to_owned(),
        )
    }

    pub(crate) fn state_delete(&mut self, key: &str) -> Answer<()> {
        self.deed(
            keyed("delete", key),
            |host, call| host.state_delete(call, key),
            |()| "deleted".to_owned(),
        )
    }

    pub(crate) fn state_keys(&mut self) -> Answer<Vec<String>> {
        let asked = Asked::of(Capability::State, "keys").needing(Ok(Need::State));
        self.deed(
            asked,
            |host, call| host.state_keys(call),
            |keys| count(keys.len(), "key", "keys"),
        )
    }
}

fn keyed(action: &'static str, key: &str) -> Asked {
    let wrong = (key.is_empty() || key.len() > LONGEST_KEY).then(|| {
        format!(
            "a key has 1 to {LONGEST_KEY} bytes, and this one {}",
            key.len()
        )
    });
    Asked::of(Capability::State, action)
        .with("key", key)
        .needing(Ok(Need::State))
        .unless(wrong)
}
