//! The three forms in which it is told.

use copal_hook_sdk::{Error, http, info};

use crate::config::{Format, Settings};
use crate::notice::{Class, Event, Notice};

/// Sends it; an answer that is none of success is an error with its host and status, and nothing of the
/// path, which may be a secret, or of the answer, which may repeat that.
pub(crate) fn send(settings: &Settings, notice: &Notice) -> Result<(), Error> {
    let request = match settings.format {
        Format::Healthchecks => {
            let suffix = match notice.class() {
                Class::Well => "",
                Class::Short | Class::Failed => "/fail",
            };
            let url = with_suffix(&settings.url, suffix);
            http::post(&url).body(format!("{}\n{}", notice.title, notice.text()))
        }
        Format::Ntfy => http::post(&settings.url)
            .header("title", &notice.title)
            .header("priority", priority(notice))
            .header("tags", tags(notice))
            .body(notice.text()),
        Format::Json => http::post(&settings.url).json(notice),
    };
    let mut request = request;
    for secret in &settings.secrets {
        request = request.secret_in_path(secret);
    }
    if let Some(token) = &settings.token {
        request = request.secret_header("authorization", "Bearer ", token);
    }
    request.send()?.unquoted().ok()?;
    info!("told: {}", notice.title);
    Ok(())
}

/// The parameters of a URL, if it has any, stay behind the suffix.
fn with_suffix(url: &str, suffix: &str) -> String {
    let (path, parameters) = match url.split_once('?') {
        Some((path, parameters)) => (path, format!("?{parameters}")),
        None => (url, String::new()),
    };
    format!("{}{suffix}{parameters}", path.trim_end_matches('/'))
}

/// ntfy's priorities.
fn priority(notice: &Notice) -> &'static str {
    match (notice.is_down(), notice.event(), notice.class()) {
        (true, ..) => "urgent",
        (_, Event::Failure | Event::Reminder, Class::Failed) => "high",
        (_, Event::Success, _) => "low",
        _ => "default",
    }
}

/// ntfy shows these as pictures.
fn tags(notice: &Notice) -> &'static str {
    match (notice.is_down(), notice.class()) {
        (true, _) | (_, Class::Failed) => "rotating_light",
        (_, Class::Short) => "warning",
        (_, Class::Well) => "white_check_mark",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_stands_before_the_parameters() {
        for (url, with) in [
            (
                "https://x.example/{check}",
                "https://x.example/{check}/fail",
            ),
            ("https://x.example/a/?b=c", "https://x.example/a/fail?b=c"),
        ] {
            assert_eq!(with_suffix(url, "/fail"), with);
        }
    }
}
