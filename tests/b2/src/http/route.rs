//! Which call a request is, by its method and path.

use http::{Method, Request};

use crate::call::Call;
use crate::encoding::decode;

/// A call, with what the path says of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Authorize,
    Json(Call),
    /// To a bucket of that id.
    UploadFile(String),
    /// Of the large file of that id.
    UploadPart(String),
    ById {
        id: String,
    },
    ByName {
        bucket: String,
        name: String,
        /// The authorization, where the link itself carries it.
        token: Option<String>,
    },
}

impl Route {
    /// `None` where there is no such call. All versions of the API are the same here.
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        let path = request.uri().path();
        let query = request.uri().query().unwrap_or_default();
        let reading = matches!(*request.method(), Method::GET | Method::HEAD);
        if let Some(file) = path.strip_prefix("/file/") {
            let (bucket, name) = file.split_once('/')?;
            let route = Self::ByName {
                bucket: decode(bucket).ok()?,
                name: decode(name).ok()?,
                token: parameter(query, "Authorization"),
            };
            return reading.then_some(route);
        }
        let (version, rest) = path.strip_prefix("/b2api/v")?.split_once('/')?;
        if !matches!(version, "1" | "2" | "3" | "4") {
            return None;
        }
        let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let first = || rest.split('/').next().map(str::to_owned);
        match Call::named(name)? {
            Call::AuthorizeAccount => Some(Self::Authorize),
            Call::UploadFile => Some(Self::UploadFile(first()?)),
            Call::UploadPart => Some(Self::UploadPart(first()?)),
            Call::DownloadFileByName => None,
            Call::DownloadFileById => {
                let id = parameter(query, "fileId")?;
                reading.then_some(Self::ById { id })
            }
            call => (*request.method() == Method::POST).then_some(Self::Json(call)),
        }
    }

    pub(super) fn call(&self) -> Call {
        match self {
            Self::Authorize => Call::AuthorizeAccount,
            Self::Json(call) => *call,
            Self::UploadFile(_) => Call::UploadFile,
            Self::UploadPart(_) => Call::UploadPart,
            Self::ById { .. } => Call::DownloadFileById,
            Self::ByName { .. } => Call::DownloadFileByName,
        }
    }

    /// The file's name, where the request has it outside its body.
    pub(super) fn name<B>(&self, request: &Request<B>) -> Option<String> {
        match self {
            Self::ByName { name, .. } => Some(name.clone()),
            Self::UploadFile(_) => {
                let name = super::header(request.headers(), "x-bz-file-name")?;
                decode(name).ok()
            }
            _ => None,
        }
    }
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    decode(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: Method, path: &str) -> Option<Route> {
        let request = Request::builder().method(method).uri(path).body(());
        Route::of(&request.expect("a request"))
    }

    #[test]
    fn calls_are_told_by_path_in_every_version() {
        for version in 1..=4 {
            let path = format!("/b2api/v{version}/b2_list_buckets");
            assert_eq!(
                of(Method::POST, &path),
                Some(Route::Json(Call::ListBuckets))
            );
        }
        assert_eq!(of(Method::POST, "/b2api/v5/b2_list_buckets"), None);
        assert_eq!(of(Method::POST, "/b2api/v1/b2_make_coffee"), None);
        assert_eq!(of(Method::DELETE, "/file/bucket/name"), None);
    }

    #[test]
    fn a_link_carries_its_authorization() {
        let route = of(Method::GET, "/file/my-bucket/a%20b/%2Bc?Authorization=4_x");
        let expected = Route::ByName {
            bucket: "my-bucket".to_owned(),
            name: "a b/+c".to_owned(),
            token: Some("4_x".to_owned()),
        };
        assert_eq!(route, Some(expected));
    }
}
