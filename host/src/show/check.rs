//! The findings of a check: a line each, and what to do about what is not as it should be.

use std::fmt::Write as _;
use std::path::Path;

use copal_core::diagnostic::{Diagnostic, Style};
use serde_json::{Value, json};

use super::Output;
use crate::check::{Finding, Told};
use crate::error::CopalError;
use crate::job::Job;

/// What to do about an error.
pub type Next<'a> = dyn Fn(&CopalError) -> String + 'a;

/// Prints them.
pub fn print(
    job: &Job,
    file: Option<&Path>,
    findings: &[Finding],
    next: &Next<'_>,
    output: Output,
) -> Result<(), CopalError> {
    if output.json {
        let findings: Vec<Value> = findings.iter().map(|one| to_json(one, next)).collect();
        let is_ok = findings.iter().all(|one| one["state"] != "failed");
        return super::json(&json!({
            "name": job.name(),
            "config": file.map(|file| file.display().to_string()),
            "ok": is_ok,
            "findings": findings,
        }));
    }
    let lines = findings.iter().map(|one| text(one, next));
    super::result(&lines.collect::<String>())
}

/// A finding in three parts.
struct Words {
    mark: char,
    state: &'static str,
    what: String,
    why: Vec<String>,
    next: String,
}

impl Words {
    fn of(told: &Told, next: &Next<'_>) -> Self {
        let plain = |mark, state, what: &str, next: &str| Self {
            mark,
            state,
            what: what.to_owned(),
            why: Vec::new(),
            next: super::advice::here(next),
        };
        let of_error = |mark, state, error: &CopalError| Self {
            mark,
            state,
            what: error.to_string(),
            why: why(error),
            next: what_next(error, next),
        };
        match told {
            Told::Well(what) => plain('✓', "ok", what, ""),
            Told::Note { what, next } => plain('!', "warning", what, next),
            Told::Warning(error) => of_error('!', "warning", error),
            Told::Failure(error) => of_error('✗', "failed", error),
        }
    }
}

/// What is told with its place in a file brings what to do, too.
fn what_next(error: &CopalError, next: &Next<'_>) -> String {
    match error {
        CopalError::RcloneOptions(problems) => {
            let next: Vec<&str> = problems.iter().map(|one| one.next.as_str()).collect();
            next.join("\n")
        }
        error => next(error),
    }
}

/// What brings places in a file is shown with these.
fn why(error: &CopalError) -> Vec<String> {
    match error {
        CopalError::RcloneOptions(problems) => vec![Diagnostic::render_all(problems, Style::Plain)],
        error => error.in_full(),
    }
}

fn text(finding: &Finding, next: &Next<'_>) -> String {
    let words = Words::of(&finding.told, next);
    let about = finding.about.as_ref();
    let about = about.map_or_else(String::new, |about| format!("{about}: "));
    let (mark, part) = (words.mark, finding.part.name());
    let mut text = String::new();
    part_of(
        &mut text,
        &format!("{mark} {part:<12}"),
        &format!("{about}{}", words.what),
    );
    for why in &words.why {
        part_of(&mut text, "    why: ", why);
    }
    if !words.next.is_empty() {
        part_of(&mut text, "   next: ", &words.next);
    }
    text
}

fn part_of(text: &mut String, label: &str, part: &str) {
    let mut lines = part.trim_end().lines();
    writeln!(text, "{label}{}", lines.next().unwrap_or_default())
        .expect("a String takes every write");
    for line in lines {
        writeln!(text, "         {line}").expect("a String takes every write");
    }
}

fn to_json(finding: &Finding, next: &Next<'_>) -> Value {
    let words = Words::of(&finding.told, next);
    json!({
        "part": finding.part.name(),
        "about": finding.about,
        "state": words.state,
        "what": words.what,
        "why": words.why,
        "next": words.next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Part;
    use crate::step::preflight::PreflightError;

    #[test]
    fn a_finding_has_a_line_and_what_is_not_well_says_what_to_do() {
        let finding = |part, about: Option<&str>, told| Finding {
            part,
            about: about.map(str::to_owned),
            told,
        };
        let clock = PreflightError::ClockOff {
            host: "api.example.com".to_owned(),
            seconds: -600,
        };
        let wrong = PreflightError::NotWritable {
            place: "/mnt/disk".into(),
            source: std::io::ErrorKind::PermissionDenied.into(),
        };
        let findings = [
            finding(Part::Config, None, Told::Well("copal.toml".to_owned())),
            finding(
                Part::Schedule,
                None,
                Told::Note {
                    what: "the job is not started by itself".to_owned(),
                    next: "`copal schedule install daily 03:00`".to_owned(),
                },
            ),
            finding(Part::Clock, None, Told::Warning(Box::new(clock.into()))),
            finding(
                Part::Destination,
                Some("/mnt/disk"),
                Told::Failure(Box::new(wrong.into())),
            ),
        ];
        let told = findings
            .iter()
            .map(|one| text(one, &|_| "mend\nit".to_owned()));
        let told: Vec<String> = told.collect();
        assert_eq!(told[0], "✓ config      copal.toml\n");
        assert_eq!(
            told[1],
            "! schedule    the job is not started by itself\n   next: `copal schedule install daily 03:00`\n"
        );
        assert_eq!(
            told[2],
            "! clock       this machine's clock is 10 minutes behind that of api.example.com\n    \
             why: snapshots are named by this machine's clock, and some servers refuse what comes at another time\n   \
             next: mend\n         it\n"
        );
        assert_eq!(
            told[3],
            "✗ destination /mnt/disk: can't write to `/mnt/disk`\n    why: permission denied\n   \
             next: mend\n         it\n"
        );
        let json = to_json(&findings[3], &|_| "mend it".to_owned());
        assert_eq!(json["part"], "destination");
        assert_eq!(json["about"], "/mnt/disk");
        assert_eq!(json["state"], "failed");
        assert_eq!(json["next"], "mend it");
    }
}
