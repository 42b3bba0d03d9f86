//! Downloads: <https://www.backblaze.com/apidocs/b2-download-file-by-name> and `-by-id`.

use crate::auth::{Scope, Token};
use crate::content::Content;
use crate::encoding::encode;
use crate::error::B2Error;
use crate::state::{Kind, Store, Version};

/// What goes back: status, headers, and the bytes of the body.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Content,
}

/// The file of that name, to whoever has the token for it; to anybody where the bucket is public.
pub(crate) fn by_name(
    store: &Store,
    token: Result<Token, B2Error>,
    bucket: &str,
    name: &str,
    range: Option<&str>,
) -> Result<Download, B2Error> {
    let found = store.bucket_named(bucket);
    let found =
        found.ok_or_else(|| B2Error::not_found(format!("Bucket does not exist: {bucket}")))?;
    if found.kind != "allPublic" {
        let token = token?;
        token.access.to_name(&found.id, name)?;
        if let Scope::Download(of, prefix) = &token.scope
            && (*of != found.id || !name.starts_with(prefix))
        {
            return Err(B2Error::unauthorized("the token is for other files"));
        }
    }
    let missing = || B2Error::not_found(format!("File with such name does not exist: {name}"));
    reply(found.visible(name).ok_or_else(missing)?, range)
}

pub(crate) fn by_id(
    store: &Store,
    token: Result<Token, B2Error>,
    id: &str,
    range: Option<&str>,
) -> Result<Download, B2Error> {
    let token = token?;
    let missing = |_| B2Error::not_found(format!("File with such id does not exist: {id}"));
    let (bucket, version) = store.version(id).map_err(missing)?;
    token.access.to_name(bucket, &version.name)?;
    reply(version, range)
}

fn reply(version: &Version, range: Option<&str>) -> Result<Download, B2Error> {
    let Kind::Upload { content, sha1 } = &version.kind else {
        return Err(B2Error::not_found(format!("not a file: {}", version.id)));
    };
    let kind = version.content_type.clone().unwrap_or_default();
    let mut headers = vec![
        ("content-type".to_owned(), kind),
        ("accept-ranges".to_owned(), "bytes".to_owned()),
        ("x-bz-file-id".to_owned(), version.id.clone()),
        ("x-bz-file-name".to_owned(), encode(&version.name)),
        ("x-bz-content-sha1".to_owned(), sha1.clone()),
        ("x-bz-upload-timestamp".to_owned(), version.time.to_string()),
    ];
    for (name, value) in &version.info {
        headers.push((format!("x-bz-info-{name}"), encode(value)));
    }
    let Some(range) = range.map(Range::parse).transpose()? else {
        return Ok(Download {
            status: 200,
            headers,
            content: content.clone(),
        });
    };
    let (range, length) = (range.within(content.len())?, content.len());
    let said = format!("bytes {}-{}/{length}", range.start, range.end - 1);
    headers.push(("content-range".to_owned(), said));
    Ok(Download {
        status: 206,
        headers,
        content: content.slice(&range),
    })
}

/// A range of bytes as HTTP writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    From(u64, Option<u64>),
    Last(u64),
}

impl Range {
    pub(crate) fn parse(text: &str) -> Result<Self, B2Error> {
        let number = |digits: &str| digits.parse::<u64>().ok();
        let parsed = text
            .strip_prefix("bytes=")
            .and_then(|range| match range.split_once('-')? {
                ("", last) => Some(Self::Last(number(last)?)),
                (first, "") => Some(Self::From(number(first)?, None)),
                (first, last) => Some(Self::From(number(first)?, Some(number(last)?))),
            });
        parsed.ok_or_else(|| B2Error::bad_request(format!("invalid range: {text}")))
    }

    /// Its bytes in a file of so many.
    pub(crate) fn within(self, length: u64) -> Result<std::ops::Range<u64>, B2Error> {
        let range = match self {
            Self::From(first, last) => first..last.map_or(length, |last| length.min(last + 1)),
            Self::Last(count) => length.saturating_sub(count)..length,
        };
        if range.is_empty() {
            let message = format!("the file has {length} bytes");
            return Err(B2Error::new(416, "range_not_satisfiable", message));
        }
        Ok(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<std::ops::Range<u64>, &'static str> {
        let range = Range::parse(text).and_then(|range| range.within(10));
        range.map_err(|error| error.code)
    }

    #[test]
    fn ranges_are_read_as_http_means_them() {
        assert_eq!(of("bytes=0-3"), Ok(0..4));
        assert_eq!(of("bytes=4-"), Ok(4..10));
        assert_eq!(of("bytes=4-99"), Ok(4..10));
        assert_eq!(of("bytes=-3"), Ok(7..10));
        assert_eq!(of("bytes=10-"), Err("range_not_satisfiable"));
        assert_eq!(of("lines=1-2"), Err("bad_request"));
    }
}
