//! What was written to begin with, and what comes next.

use std::path::Path;

use serde_json::json;

use super::Output;
use super::advice::word;
use crate::error::CopalError;
use crate::init::Starter;

/// Prints it. `named` is whether the next commands have to be told which file.
pub fn print(
    file: &Path,
    named: bool,
    starter: &Starter,
    source: &str,
    output: Output,
) -> Result<(), CopalError> {
    let shown = file.display().to_string();
    let with = if named {
        format!(" -c {}", word(&shown))
    } else {
        String::new()
    };
    let next = ["check", "backup"].map(|command| format!("copal{with} {command}"));
    if output.json {
        return super::json(&json!({
            "file": shown,
            "name": starter.name.as_str(),
            "source": source,
            "destination": starter.remote,
            "next": next,
        }));
    }
    let [check, backup] = next;
    super::result(&format!(
        "wrote `{shown}`: {source} goes to `{}`\n\nnext:\n  {check}\n  {backup}\n",
        starter.remote
    ))
}
