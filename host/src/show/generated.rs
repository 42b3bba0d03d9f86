//! What was made of the command line.

use std::path::Path;

use serde_json::json;

use super::Output;
use crate::error::CopalError;

/// Prints where the manual is.
pub fn print_pages(directory: &Path, output: Output) -> Result<(), CopalError> {
    let place = directory.display();
    if output.json {
        return super::json(&json!({ "directory": place.to_string() }));
    }
    super::result(&format!(
        "the manual is in {place}: `man {place}/copal.1`\n"
    ))
}
