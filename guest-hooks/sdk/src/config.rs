//! The hook's `config` table.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Error, run};

/// The config of a hook that takes none: anything in it is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// Reads the config of the running hook.
pub(crate) fn read<C: DeserializeOwned>() -> Result<C, Error> {
    parse(&run::config())
}

fn parse<C: DeserializeOwned>(json: &str) -> Result<C, Error> {
    serde_json::from_str(json).map_err(|error| {
        // The place in the JSON means nothing to somebody who wrote TOML.
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or(&text);
        Error::Invalid(format!("config: {what}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its type is looked at")]
        paths: Vec<String>,
    }

    fn message(json: &str) -> String {
        match parse::<Sample>(json) {
            Err(Error::Invalid(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_unknown_key_is_named_without_a_place_that_nobody_sees() {
        let message = message(r#"{"pathes":[]}"#);
        assert_eq!(message, "config: unknown field `pathes`, expected `paths`");
    }

    #[test]
    fn a_wrong_type_is_named() {
        assert!(message(r#"{"paths":1}"#).starts_with("config: invalid type: integer `1`"));
    }
}
