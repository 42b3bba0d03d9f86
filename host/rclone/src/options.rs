//! rclone's options by rclone's names, checked before they are set.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refused_options::why_refused;

/// The value of an option as a configuration file writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OptionValue {
    /// `true` or `false`.
    Bool(bool),
    /// A number; where rclone wants a size or a duration it means what it means after a flag.
    Integer(i64),
    /// Anything else: `16Mi`, `1m30s`, `08:00,512k 19:00,10M`, `0.5`.
    Text(String),
    /// Several values, for the few options that take them.
    List(Vec<String>),
}

/// Why an option was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionProblem {
    /// The name as it was given.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
    /// The name that may have been meant.
    pub nearest: Option<String>,
}

impl fmt::Display for OptionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rclone option `{}`: {}", self.name, self.why)
    }
}

/// An option that rclone knows: its name in snake case, and the name of its Go type.
#[derive(Clone, Debug)]
pub(crate) struct KnownOption {
    pub(crate) name: String,
    pub(crate) kind: String,
}

/// The values in the form that flags take them, by rclone's names; or every problem there is.
pub(crate) fn check(
    wanted: &BTreeMap<String, OptionValue>,
    known: &[KnownOption],
) -> Result<BTreeMap<String, Vec<String>>, Vec<OptionProblem>> {
    let mut values = BTreeMap::new();
    let mut problems = Vec::new();
    for (given, value) in wanted {
        let name = canonical(given);
        match check_one(&name, value, known) {
            Ok(_) if values.contains_key(&name) => {
                problems.push(problem(
                    given,
                    "is given twice, once with `-` and once with `_`",
                ));
            }
            Ok(flags) => {
                values.insert(name, flags);
            }
            Err((why, nearest)) => problems.push(OptionProblem {
                nearest,
                ..problem(given, &why)
            }),
        }
    }
    if problems.is_empty() {
        Ok(values)
    } else {
        Err(problems)
    }
}

/// The problem that rclone itself had with the values of `name`.
pub(crate) fn refused_by_rclone(
    name: &str,
    wanted: &BTreeMap<String, OptionValue>,
    known: &[KnownOption],
    words: &str,
) -> OptionProblem {
    let given = wanted.keys().find(|given| canonical(given) == name);
    let kind = known.iter().find(|option| option.name == name);
    let why = match kind.and_then(|option| wants(&option.kind)) {
        Some(wants) => format!("wants {wants}"),
        None => format!("is refused by rclone: {words}"),
    };
    problem(given.map_or(name, String::as_str), &why)
}

fn problem(name: &str, why: &str) -> OptionProblem {
    OptionProblem {
        name: name.to_owned(),
        why: why.to_owned(),
        nearest: None,
    }
}

fn canonical(name: &str) -> String {
    name.replace('-', "_")
}

type Refusal = (String, Option<String>);

fn check_one(
    name: &str,
    value: &OptionValue,
    known: &[KnownOption],
) -> Result<Vec<String>, Refusal> {
    if let Some(why) = why_refused(name) {
        return Err((why.to_owned(), None));
    }
    let Some(option) = known.iter().find(|option| option.name == name) else {
        return Err((
            "is not an option of rclone's".to_owned(),
            nearest(name, known),
        ));
    };
    let takes_many = matches!(
        option.kind.as_str(),
        "stringArray" | "CommaSepList" | "SpaceSepList"
    );
    let separator = if option.kind == "SpaceSepList" {
        " "
    } else {
        ","
    };
    match value {
        OptionValue::List(_) if !takes_many => Err(("takes one value, not a list".into(), None)),
        OptionValue::List(items) if option.kind == "stringArray" => Ok(items.clone()),
        OptionValue::List(items) => Ok(vec![items.join(separator)]),
        OptionValue::Bool(_) if option.kind != "bool" => {
            let wants = wants(&option.kind).unwrap_or("another type");
            Err((format!("wants {wants}"), None))
        }
        OptionValue::Bool(value) => Ok(vec![value.to_string()]),
        OptionValue::Integer(_) if option.kind == "bool" => {
            Err(("wants true or false".into(), None))
        }
        OptionValue::Integer(value) => Ok(vec![value.to_string()]),
        OptionValue::Text(value) => Ok(vec![value.clone()]),
    }
}

/// The known name that is most like `name`, if any is like it at all.
fn nearest(name: &str, known: &[KnownOption]) -> Option<String> {
    const ALIKE: f64 = 0.8;
    let rated = known
        .iter()
        .filter(|option| why_refused(&option.name).is_none())
        .map(|option| (strsim::jaro_winkler(name, &option.name), &option.name));
    let best = rated.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(likeness, _)| *likeness >= ALIKE)
        .map(|(_, name)| name.clone())
}

/// What a Go type of rclone's options is in a person's words.
fn wants(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "bool" => "true or false",
        "int" | "int64" | "uint" | "uint32" | "uint8" => "a whole number",
        "float64" => "a number",
        "SizeSuffix" => "a size such as 16Mi",
        "Duration" | "fs.Duration" => "a duration such as 1m30s",
        "BwTimetable" => "a bandwidth such as 10M, or a timetable such as \"08:00,512k 19:00,off\"",
        "string" => "a text",
        "stringArray" | "CommaSepList" | "SpaceSepList" => "a list of texts",
        "Tristate" => "true, false or unset",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<KnownOption> {
        [
            ("transfers", "int"),
            ("bwlimit", "BwTimetable"),
            ("fast_list", "bool"),
            ("buffer_size", "SizeSuffix"),
            ("ca_cert", "stringArray"),
            ("password_command", "SpaceSepList"),
            ("exclude", "stringArray"),
        ]
        .map(|(name, kind)| KnownOption {
            name: name.into(),
            kind: kind.into(),
        })
        .to_vec()
    }

    fn checked(wanted: &[(&str, OptionValue)]) -> Result<Vec<(String, Vec<String>)>, Vec<String>> {
        let wanted = wanted
            .iter()
            .map(|(n, v)| ((*n).to_owned(), v.clone()))
            .collect();
        match check(&wanted, &known()) {
            Ok(values) => Ok(values.into_iter().collect()),
            Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
        }
    }

    fn text(value: &str) -> OptionValue {
        OptionValue::Text(value.into())
    }

    #[test]
    fn values_become_what_a_flag_would_be_given() {
        let list = |items: &[&str]| OptionValue::List(items.iter().map(|&i| i.into()).collect());
        let values = checked(&[
            ("transfers", OptionValue::Integer(32)),
            ("buffer-size", text("16Mi")),
            ("fast_list", OptionValue::Bool(true)),
            ("ca-cert", list(&["/a", "/b"])),
            ("password_command", list(&["pass", "show"])),
        ]);
        let expected = [
            ("buffer_size", vec!["16Mi"]),
            ("ca_cert", vec!["/a", "/b"]),
            ("fast_list", vec!["true"]),
            ("password_command", vec!["pass show"]),
            ("transfers", vec!["32"]),
        ];
        let expected = expected.map(|(n, v)| (n.to_owned(), v.iter().map(|&s| s.into()).collect()));
        assert_eq!(values.unwrap(), expected);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest_known_one() {
        let wanted = BTreeMap::from([("tranfers".to_owned(), OptionValue::Integer(4))]);
        let problems = check(&wanted, &known()).unwrap_err();
        assert_eq!(problems[0].name, "tranfers");
        assert_eq!(problems[0].nearest.as_deref(), Some("transfers"));
        let wanted = BTreeMap::from([("zzz".to_owned(), OptionValue::Integer(4))]);
        assert_eq!(check(&wanted, &known()).unwrap_err()[0].nearest, None);
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let problems = checked(&[
            ("transfers", OptionValue::List(vec!["1".into()])),
            ("buffer_size", OptionValue::Bool(true)),
            ("exclude", text("*.tmp")),
            ("buffer-size", text("1M")),
            ("fast-list", OptionValue::Integer(1)),
        ])
        .unwrap_err();
        assert_eq!(problems.len(), 4, "{problems:#?}");
    }

    #[test]
    fn one_option_under_two_spellings_is_refused() {
        let problems = checked(&[("buffer-size", text("1M")), ("buffer_size", text("2M"))]);
        assert!(problems.unwrap_err()[0].contains("twice"));
    }
}
