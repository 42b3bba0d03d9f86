//! Grants as the line of copal.toml that says so.

use std::fmt::Write;

use super::{Capability, Grants, Need};
use crate::text::is_harmful;

impl Grants {
    /// The line of copal.toml: `grants = { sqlite = ["webui.db"], state = true }`.
    pub fn line(&self) -> String {
        let granted: Vec<_> = Capability::ALL
            .into_iter()
            .filter_map(|capability| self.assignment(capability))
            .collect();
        if granted.is_empty() {
            "grants = {}".to_owned()
        } else {
            format!("grants = {{ {} }}", granted.join(", "))
        }
    }

    /// The line that grants `need` besides what is granted.
    pub fn line_with(&self, need: &Need) -> String {
        let mut wider = self.clone();
        wider.add_need(need);
        wider.line()
    }

    /// What it has of one capability, as it stands in a table: `sqlite = ["webui.db"]`.
    pub fn assignment(&self, capability: Capability) -> Option<String> {
        let entries = self.of(capability);
        match capability {
            _ if entries.is_empty() => None,
            Capability::State => Some("state = true".to_owned()),
            _ => {
                let quoted: Vec<_> = entries.iter().map(|entry| toml_text(entry)).collect();
                Some(format!("{capability} = [{}]", quoted.join(", ")))
            }
        }
    }
}

/// A text between quotes, as TOML reads it back.
pub fn toml_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if is_harmful(character) => {
                write!(quoted, "\\u{:04X}", u32::from(character))
                    .expect("a String takes every write");
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
