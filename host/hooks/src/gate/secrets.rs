//! Secrets of the owner's.

use copal_core::grants::{Capability, Need, Origin};
use http::{HeaderName, HeaderValue};

use super::http::is_host_only;
use super::sqlite::known;
use super::{Answer, Asked, Gate, name};
use crate::{CapabilityError, SecretBytes};

/// The longest header name or prefix worth looking at.
const LONGEST: usize = 1024;

/// A secret that goes into every later request to one origin.
pub(super) struct Bound {
    pub(super) origin: Origin,
    pub(super) header: HeaderName,
    pub(super) value: SecretBytes,
}

impl Gate {
    pub(crate) fn bind_header(
        &mut self,
        secret: &str,
        origin: &str,
        header: &str,
        prefix: &str,
    ) -> Answer<()> {
        let to = origin.parse::<Origin>();
        let to = to.map_err(|why| format!("`{}` is no origin: {why}", origin.escape_debug()));
        let place = place(header, prefix);
        let asked = Asked::of(Capability::Secrets, "bind-header")
            .with("name", secret)
            .with("origin", origin)
            .with("header", header)
            .with("prefix", prefix)
            .needing(name(secret).map(Need::Secret))
            .needing(to.clone().map(Need::Origin))
            .unless(place.clone().err());
        let masks = self.masks.clone();
        let bound = self.deed(
            asked,
            |host, call| {
                let (origin, header) = (known(to)?, known(place)?);
                let secret = host.secret(call, secret)?;
                masks.add(&secret);
                let value = [prefix.as_bytes(), secret.expose()].concat();
                if HeaderValue::from_bytes(&value).is_err() {
                    let why = "the secret holds bytes that can't stand in a header";
                    return Err(CapabilityError::Invalid(why.to_owned()));
                }
                let value = SecretBytes::new(value);
                Ok(Bound {
                    origin,
                    header,
                    value,
                })
            },
            |_| "bound".to_owned(),
        )?;
        Ok(bound.map(|new| {
            let same = |old: &Bound| old.origin == new.origin && old.header == new.header;
            self.bound.retain(|old| !same(old));
            self.bound.push(new);
        }))
    }

    pub(crate) fn reveal(&mut self, secret: &str) -> Answer<Vec<u8>> {
        let asked = Asked::of(Capability::Reveal, "reveal")
            .with("name", secret)
            .needing(name(secret).map(Need::Reveal));
        let masks = self.masks.clone();
        self.deed(
            asked,
            |host, call| {
                let secret = host.secret(call, secret)?;
                masks.add(&secret);
                Ok(secret.expose().to_vec())
            },
            |_| "revealed".to_owned(),
        )
    }
}

/// The header that a secret is to stand in, if it and the prefix can be.
fn place(header: &str, prefix: &str) -> Result<HeaderName, String> {
    if header.len() > LONGEST || prefix.len() > LONGEST {
        return Err(format!(
            "a header and a prefix have at most {LONGEST} bytes"
        ));
    }
    let name: HeaderName = header
        .parse()
        .map_err(|_| format!("`{}` is no header", header.escape_debug()))?;
    if is_host_only(&name) {
        return Err(format!("the header `{name}` is the host's own to set"));
    }
    if HeaderValue::from_str(prefix).is_err() || !prefix.is_ascii() {
        return Err("the prefix holds characters that can't stand in a header".to_owned());
    }
    Ok(name)
}
