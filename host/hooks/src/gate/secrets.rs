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
    pub(super) place: Place,
    pub(super) value: SecretBytes,
}

/// Where in a request it goes.
#[derive(PartialEq, Eq)]
pub(super) enum Place {
    /// It is this header's value.
    Header(HeaderName),
    /// It takes the place of this text, `{name}`, in the path and the query.
    Path(String),
}

impl Gate {
    pub(crate) fn bind_header(
        &mut self,
        secret: &str,
        origin: &str,
        header: &str,
        prefix: &str,
    ) -> Answer<()> {
        let to = destined(origin);
        let header_name = place(header, prefix);
        let asked = Asked::of(Capability::Secrets, "bind-header")
            .with("name", secret)
            .with("origin", origin)
            .with("header", header)
            .with("prefix", prefix)
            .needing(name(secret).map(Need::Secret))
            .needing(to.clone().map(Need::Origin))
            .unless(header_name.clone().err());
        self.bind(asked, secret, to, |secret| {
            let value = [prefix.as_bytes(), secret.expose()].concat();
            if HeaderValue::from_bytes(&value).is_err() {
                return Err("the secret holds bytes that can't stand in a header".to_owned());
            }
            Ok((Place::Header(header_name?), SecretBytes::new(value)))
        })
    }

    pub(crate) fn bind_path(&mut self, secret: &str, origin: &str) -> Answer<()> {
        let to = destined(origin);
        let asked = Asked::of(Capability::Secrets, "bind-path")
            .with("name", secret)
            .with("origin", origin)
            .needing(name(secret).map(Need::Secret))
            .needing(to.clone().map(Need::Origin));
        let placeholder = format!("{{{secret}}}");
        self.bind(asked, secret, to, |secret| {
            stands_in_a_path(secret.expose())?;
            Ok((Place::Path(placeholder), secret.clone()))
        })
    }

    /// Keeps a secret for later requests, in the place and the form that `fit` finds for it.
    fn bind(
        &mut self,
        asked: Asked,
        secret: &str,
        to: Result<Origin, String>,
        fit: impl FnOnce(&SecretBytes) -> Result<(Place, SecretBytes), String>,
    ) -> Answer<()> {
        let masks = self.masks.clone();
        let bound = self.deed(
            asked,
            |host, call| {
                let origin = known(to)?;
                let secret = host.secret(call, secret)?;
                masks.add(&secret);
                let (place, value) = fit(&secret).map_err(CapabilityError::Invalid)?;
                Ok(Bound {
                    origin,
                    place,
                    value,
                })
            },
            |_| "bound".to_owned(),
        )?;
        Ok(bound.map(|new| {
            let same = |old: &Bound| old.origin == new.origin && old.place == new.place;
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

fn destined(origin: &str) -> Result<Origin, String> {
    let to = origin.parse::<Origin>();
    to.map_err(|why| format!("`{}` is no origin: {why}", origin.escape_debug()))
}

/// Whether a secret can be a part of a path or a query, where it must neither end it nor be read as
/// something else. (RFC 3986, `pchar`, and slashes.)
fn stands_in_a_path(secret: &[u8]) -> Result<(), String> {
    if secret.windows(3).any(|three| three == b"://") {
        let why = "the secret is a whole URL: it is to hold what stands behind the origin alone";
        return Err(why.to_owned());
    }
    let may = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(byte);
    if !secret.iter().all(may) {
        let why =
            "the secret holds characters that can't stand in a path, such as a space or a `?`";
        return Err(why.to_owned());
    }
    Ok(())
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
