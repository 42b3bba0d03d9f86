//! How files are going to be kept as they are.

use serde_json::{Value, json};

use super::count;
use crate::step::way::Forecast;

/// One line: the way, what is copied in it, and why.
pub(super) fn line(forecast: &Forecast) -> String {
    let choice = &forecast.choice;
    let copies = match choice.copies.files {
        0 => String::new(),
        files => format!(
            ", with copies of {} ({})",
            count(files, "file"),
            choice.copies.bytes
        ),
    };
    let place = if choice.way.freezes() {
        format!(", in {}", forecast.place.display())
    } else {
        String::new()
    };
    format!("{}{copies}{place}: {}", choice.way, choice.why)
}

/// The same as JSON.
pub(super) fn to_json(forecast: &Forecast) -> Value {
    let choice = &forecast.choice;
    let place = choice
        .way
        .freezes()
        .then(|| forecast.place.display().to_string());
    json!({
        "mode": choice.way,
        "why": choice.why,
        "copied_files": choice.copies.files,
        "copied_bytes": choice.copies.bytes,
        "directory": place,
    })
}
