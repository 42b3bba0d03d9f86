//! The name of a place that rclone can reach.

use std::fmt;
use std::str::FromStr;

use crate::redact::{MASK, is_harmless};

/// A remote and a path in it, by rclone's own syntax: `b2:bucket/dir`, `/local/dir`,
/// `:s3,provider=Other,endpoint='http://h:1':bucket`.
///
/// A connection string can hold keys and passwords. `Display` and `Debug` mask every parameter that
/// is not known to be harmless; [`Remote::to_wire`] alone gives the true text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Remote {
    /// Everything before the colon, byte for byte: rclone takes two remotes for one only when these
    /// are identical. Empty for a local path.
    config: String,
    /// Where the name ends in `config`.
    name_length: usize,
    parameters: Vec<(String, String)>,
    path: String,
}

/// A text that names no remote. It may hold secrets, so it is not repeated here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a remote of the form NAME:PATH: {0}")]
pub struct InvalidRemote(&'static str);

impl Remote {
    /// A directory on this machine. Never read as anything else, whatever colons it has.
    pub fn local(path: impl Into<String>) -> Result<Self, InvalidRemote> {
        let path = path.into();
        if !path.starts_with('/') {
            return Err(InvalidRemote(
                "a local directory has to be an absolute path",
            ));
        }
        Ok(Self {
            config: String::new(),
            name_length: 0,
            parameters: Vec::new(),
            path,
        })
    }

    /// The name before the first `,` or `:`: a section of the configuration, a backend when it
    /// begins with `:`, empty for a local path.
    pub fn name(&self) -> &str {
        &self.config[..self.name_length]
    }

    /// The path inside the remote; may be empty.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same remote, `below` deeper.
    #[must_use]
    pub fn join(&self, below: &str) -> Self {
        let mut joined = self.clone();
        if !joined.path.is_empty() && !joined.path.ends_with('/') && !below.is_empty() {
            joined.path.push('/');
        }
        joined.path.push_str(below);
        joined
    }

    /// The same place by way of another instance of rclone's backend, with a connection and a pace
    /// of its own. Instance 0 is the remote itself; a local path has no other.
    #[must_use]
    pub fn instance(&self, number: usize) -> Self {
        let mut other = self.clone();
        if number > 0 && !self.config.is_empty() {
            // rclone tells instances apart by their parameters; this one has no other meaning.
            let (name, value) = ("description", format!("copal-{number}"));
            other.config = format!("{},{name}={value}", other.config);
            other.parameters.push((name.to_owned(), value));
        }
        other
    }

    /// The same place, said to be a directory: with a slash at its end.
    #[must_use]
    pub fn as_directory(&self) -> Self {
        let mut directory = self.clone();
        if !directory.path.is_empty() && !directory.path.ends_with('/') {
            directory.path.push('/');
        }
        directory
    }

    /// The text that rclone understands, **with its secrets**: not for people, files or logs.
    pub fn to_wire(&self) -> String {
        if self.config.is_empty() {
            self.path.clone()
        } else {
            format!("{}:{}", self.config, self.path)
        }
    }

    /// The values that must not be shown.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.parameters
            .iter()
            .filter(|(name, _)| !is_harmless(name))
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        for (name, value) in &self.parameters {
            let shown = if is_harmless(name) { value } else { MASK };
            write!(f, ",{name}={shown}")?;
        }
        if !self.config.is_empty() {
            f.write_str(":")?;
        }
        f.write_str(&self.path)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({self})")
    }
}

impl FromStr for Remote {
    type Err = InvalidRemote;

    /// Reads rclone's syntax (`fs/fspath` in its source): a `/` before the first colon makes the
    /// text a local path.
    fn from_str(text: &str) -> Result<Self, InvalidRemote> {
        if text.is_empty() {
            return Err(InvalidRemote("it is empty"));
        }
        if text.contains('\0') {
            return Err(InvalidRemote("it holds a NUL"));
        }
        let end = text
            .char_indices()
            .position(|(i, c)| i > 0 && matches!(c, ':' | ',' | '/'));
        let end = end.and_then(|nth| text.char_indices().nth(nth));
        match end {
            Some((at, ':' | ',')) if !text.starts_with('/') => parse(text, at),
            _ if text.starts_with(':') => Err(InvalidRemote("a backend's name ends with a colon")),
            _ if text.contains(',') && !text.contains('/') && text.contains('=') => {
                Err(InvalidRemote("its parameters don't end with a colon"))
            }
            _ => Ok(Self {
                config: String::new(),
                name_length: 0,
                parameters: Vec::new(),
                path: text.to_owned(),
            }),
        }
    }
}

/// Reads `text`, whose name ends at `name_length`.
fn parse(text: &str, name_length: usize) -> Result<Remote, InvalidRemote> {
    check_name(&text[..name_length])?;
    let mut parameters = Vec::new();
    let mut at = name_length;
    while text[at..].starts_with(',') {
        let (parameter, end) = parse_parameter(text, at + 1)?;
        parameters.push(parameter);
        at = end;
    }
    if !text[at..].starts_with(':') {
        return Err(InvalidRemote("its parameters don't end with a colon"));
    }
    Ok(Remote {
        config: text[..at].to_owned(),
        name_length,
        parameters,
        path: text[at + 1..].to_owned(),
    })
}

fn check_name(name: &str) -> Result<(), InvalidRemote> {
    let bare = name.strip_prefix(':').unwrap_or(name);
    let allowed = |c: char| c.is_alphanumeric() || "_.+@ -".contains(c);
    if bare.is_empty() || bare.starts_with([' ', '-']) || bare.ends_with(' ') {
        return Err(InvalidRemote("the name is empty or begins or ends badly"));
    }
    if !bare.chars().all(allowed) {
        return Err(InvalidRemote(
            "a name holds letters, digits, spaces and `_-.+@` only",
        ));
    }
    Ok(())
}

/// One `name=value` or `name` (which means `true`) at `start`, and where it ends.
fn parse_parameter(text: &str, start: usize) -> Result<((String, String), usize), InvalidRemote> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let length = text[start..]
        .find(|c| !is_name(c))
        .unwrap_or(text.len() - start);
    let name = text[start..start + length].to_owned();
    if name.is_empty() {
        return Err(InvalidRemote("a parameter has no name"));
    }
    let after = start + length;
    let Some(value) = text[after..].strip_prefix('=') else {
        return Ok(((name, "true".to_owned()), after));
    };
    let value_at = after + 1;
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        let length = value.find([',', ':']).unwrap_or(value.len());
        return Ok(((name, value[..length].to_owned()), value_at + length));
    };
    let (unquoted, length) = unquote(value, quote)?;
    Ok(((name, unquoted), value_at + length))
}

/// The text between quotes at the start of `value`, and the length of it all; a doubled quote
/// stands for one.
fn unquote(value: &str, quote: char) -> Result<(String, usize), InvalidRemote> {
    let mut unquoted = String::new();
    let mut characters = value.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != quote {
            unquoted.push(c);
        } else if characters.next_if(|&(_, next)| next == quote).is_some() {
            unquoted.push(quote);
        } else {
            return Ok((unquoted, at + 1));
        }
    }
    Err(InvalidRemote("a quote is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(text: &str) -> Remote {
        text.parse().unwrap()
    }

    #[test]
    fn names_parameters_and_paths_are_told_apart() {
        let parsed = remote(":b2,account=A,key='a:b,''c',hard_delete:bucket/x:y");
        assert_eq!(parsed.name(), ":b2");
        assert_eq!(parsed.path(), "bucket/x:y");
        let pairs: Vec<_> = parsed
            .parameters
            .iter()
            .map(|(n, v)| (&n[..], &v[..]))
            .collect();
        assert_eq!(
            pairs,
            [("account", "A"), ("key", "a:b,'c"), ("hard_delete", "true")]
        );
        assert_eq!(remote("my remote:").path(), "");
    }

    #[test]
    fn a_slash_before_the_colon_makes_a_local_path() {
        for path in ["/a:b", "./a:b,c=d", "dir/a:b", "plain", "/a,b=c:d"] {
            let parsed = remote(path);
            assert_eq!((parsed.name(), parsed.path()), ("", path));
        }
    }

    #[test]
    fn the_wire_form_is_what_was_read() {
        for text in [
            "b2:bucket/x",
            ":s3,provider=\"O\"\"x\":b",
            "/srv/data",
            "r:",
        ] {
            assert_eq!(remote(text).to_wire(), text);
        }
    }

    #[test]
    fn secrets_never_show_in_display_or_debug() {
        let parsed = remote(":s3,provider=Other,access_key_id=AKIA,secret_access_key='S:1':b/p");
        let shown = ":s3,provider=Other,access_key_id=***,secret_access_key=***:b/p";
        assert_eq!(parsed.to_string(), shown);
        assert_eq!(format!("{parsed:?}"), format!("Remote({shown})"));
        let nested = remote("c,remote=':b2,key=K:x':");
        assert!(!format!("{nested} {nested:?}").contains('K'));
    }

    #[test]
    fn what_is_no_remote_is_refused_without_repeating_it() {
        let bad = [
            "",
            ":",
            "::x",
            ":b2",
            "b2,key=SECRET",
            "b2,key='SECRET:x",
            "b2,=SECRET:x",
            "b2,k=\"SECRET\"x:y",
            "b2,ke y=SECRET:",
            "-b:",
            "b*d:x",
            ":b2/x:y",
            "a\0b",
        ];
        for text in bad {
            let error = text.parse::<Remote>().expect_err(text).to_string();
            assert!(!error.contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn instances_differ_in_their_description_alone() {
        let b2 = remote("b2:bucket/a");
        assert_eq!(b2.instance(0), b2);
        assert_eq!(b2.instance(2).to_wire(), "b2,description=copal-2:bucket/a");
        let again: Remote = b2.instance(2).to_wire().parse().unwrap();
        assert_eq!(again, b2.instance(2));
        assert_eq!(remote("/a").instance(1), remote("/a"));
    }

    #[test]
    fn joining_adds_one_slash_where_it_is_needed() {
        let joined = |base: &str, below| remote(base).join(below).to_wire();
        assert_eq!(joined("b2:", "a"), "b2:a");
        assert_eq!(joined("b2:a", "b/c"), "b2:a/b/c");
        assert_eq!(joined("/", "a"), "/a");
        assert_eq!(joined("b2:a", ""), "b2:a");
    }

    #[test]
    fn a_directory_ends_with_one_slash_and_the_top_with_none() {
        let directory = |base: &str| remote(base).as_directory().to_wire();
        assert_eq!(directory("b2:a"), "b2:a/");
        assert_eq!(directory("b2:a/"), "b2:a/");
        assert_eq!(directory("b2:"), "b2:");
    }
}
