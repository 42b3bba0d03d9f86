//! Keeps passwords and keys out of what people read.

/// What stands in for a secret.
pub(crate) const MASK: &str = "***";

/// Connection-string parameters whose values may be shown. Anything else is taken for a secret: the
/// list of what backends call their secrets is long and grows.
const HARMLESS: &[&str] = &[
    "acl",
    "case_insensitive",
    "case_sensitive",
    "chunk_size",
    "copy_cutoff",
    "copy_links",
    "create_policy",
    "description",
    "directory_name_encryption",
    "disable_checksum",
    "encoding",
    "endpoint",
    "env_auth",
    "filename_encoding",
    "filename_encryption",
    "hard_delete",
    "hash_type",
    "host",
    "links",
    "list_version",
    "no_check_bucket",
    "no_check_updated",
    "one_file_system",
    "port",
    "provider",
    "region",
    "skip_links",
    "storage_class",
    "test_mode",
    "type",
    "upload_concurrency",
    "upload_cutoff",
    "vendor",
    "versions",
];

/// Query parameters of URLs that sign or authorise, as error texts of HTTP calls show them.
const SIGNING: &[&str] = &[
    "access_token",
    "authorization",
    "key",
    "sig",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
];

pub(crate) fn is_harmless(parameter: &str) -> bool {
    let name = parameter
        .strip_prefix("global.")
        .or_else(|| parameter.strip_prefix("override."))
        .unwrap_or(parameter);
    HARMLESS.contains(&name)
}

/// Masks what looks like a secret: values of connection-string parameters, of URLs' signatures and
/// passwords, and every one of `known` literally.
pub(crate) fn redact(text: &str, known: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in known {
        text = text.replace(secret.as_str(), MASK);
    }
    mask_url_passwords(&mask_parameters(&mask_settings(&text)))
}

/// `Setting  rc_pass="P" from environment variable RCLONE_RC_PASS` becomes `Setting  rc_pass=*** from …`:
/// rclone masks only what its options are marked for, and this one is not.
fn mask_settings(text: &str) -> String {
    let parts = || {
        let (before, setting) = text.split_once("Setting ")?;
        let (name, rest) = setting.split_once('=')?;
        let (_, variable) = rest.rsplit_once(" from environment variable ")?;
        let secret = ["pass", "secret", "key", "token"]
            .iter()
            .any(|word| name.to_ascii_lowercase().contains(word));
        secret
            .then(|| format!("{before}Setting {name}={MASK} from environment variable {variable}"))
    };
    parts().unwrap_or_else(|| text.to_owned())
}

/// `remote,account=A,key='K':path` becomes `remote,account=***,key=***:path`, wherever it stands.
fn mask_parameters(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find([',', '?', '&']) {
        let (before, from) = rest.split_at(at + 1);
        masked.push_str(before);
        rest = from;
        let name = rest.split(|c: char| !is_parameter(c)).next().unwrap_or("");
        let Some(value) = rest[name.len()..].strip_prefix('=') else {
            continue;
        };
        let secret = if before.ends_with(',') {
            !name.is_empty() && !is_harmless(name)
        } else {
            SIGNING.contains(&name.to_ascii_lowercase().as_str())
        };
        if secret {
            masked.push_str(name);
            masked.push('=');
            masked.push_str(MASK);
            rest = &value[value_length(value)..];
        }
    }
    masked.push_str(rest);
    masked
}

fn is_parameter(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// How long the value at the start of `text` is: to the closing quote (a doubled one is a literal
/// one), or to the first character that ends an unquoted value or a URL's parameter.
fn value_length(text: &str) -> usize {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let Some(quote) = quote else {
        let ends = |c: char| matches!(c, ',' | ':' | '&' | '"' | '\'') || c.is_whitespace();
        return text.find(ends).unwrap_or(text.len());
    };
    let mut at = 1;
    while let Some(found) = text[at..].find(quote) {
        at += found + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// `https://user:password@host` becomes `https://user:***@host`.
fn mask_url_passwords(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, from) = rest.split_at(at + 3);
        masked.push_str(before);
        let end = from
            .find(|c: char| c == '/' || c == '"' || c.is_whitespace())
            .unwrap_or(from.len());
        let (authority, after) = from.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => {
                masked.push_str(user.split(':').next().unwrap_or(""));
                masked.push(':');
                masked.push_str(MASK);
                masked.push('@');
                masked.push_str(host);
            }
            _ => masked.push_str(authority),
        }
        rest = after;
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_masked_wherever_a_connection_string_stands() {
        let cases = [
            (
                r#"failed to make ":b2,account=A1,key='s:e,c''r':bucket/x": boom"#,
                r#"failed to make ":b2,account=***,key=***:bucket/x": boom"#,
            ),
            (
                "s3,provider=Other,secret_access_key=K",
                "s3,provider=Other,secret_access_key=***",
            ),
            (r#"x,pass="a""b",region=eu:"#, r"x,pass=***,region=eu:"),
            ("sftp,pass=unterminated", "sftp,pass=***"),
            ("b2,override.key=K:x", "b2,override.key=***:x"),
        ];
        for (text, expected) in cases {
            assert_eq!(redact(text, &[]), expected);
        }
    }

    #[test]
    fn signatures_and_passwords_in_urls_are_masked() {
        assert_eq!(
            redact("Get \"https://h/x?sv=1&sig=abc%3D&se=2\": EOF", &[]),
            "Get \"https://h/x?sv=1&sig=***&se=2\": EOF"
        );
        assert_eq!(
            redact("dial https://me:pw@example.org/dav failed", &[]),
            "dial https://me:***@example.org/dav failed"
        );
    }

    #[test]
    fn a_password_that_is_set_by_the_environment_is_masked() {
        let line = |value: &str| {
            format!("DEBUG : Setting  rc_pass={value} from environment variable RCLONE_RC_PASS")
        };
        assert_eq!(redact(&line("\"a=b from\""), &[]), line(MASK));
        let harmless = r#"Setting  transfers="4" from environment variable RCLONE_TRANSFERS"#;
        assert_eq!(redact(harmless, &[]), harmless);
    }

    #[test]
    fn a_known_secret_is_masked_even_where_nothing_announces_it() {
        assert_eq!(redact("bad key K0015", &["K0015".into()]), "bad key ***");
    }

    #[test]
    fn ordinary_sentences_stay_as_they_are() {
        for text in [
            "a, b = c",
            "no such file, errno=2",
            "https://example.org/a:b@c",
            "2,5 MiB",
        ] {
            assert_eq!(redact(text, &[]), text);
        }
    }
}
