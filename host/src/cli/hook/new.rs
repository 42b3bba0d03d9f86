//! `copal hook new`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use include_dir::{Dir, DirEntry, include_dir};
use serde_json::json;

use crate::cli::Global;
use crate::cli::ending::Exit;
use crate::error::CopalError;
use crate::hook_error::HookCommandError;
use crate::show;

/// One directory a language; see its README.
static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// The contract, so that a project needs nothing from anywhere else.
static WIT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../wit");

/// Files that end so are written without it, with their placeholders filled.
const TEMPLATE: &str = ".tmpl";

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The project's name, and the directory that is made for it
    name: String,
    /// The language it is written in
    #[arg(long, value_enum)]
    lang: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// Rust, with the SDK
    Rust,
    /// JavaScript, built by componentize-js
    Js,
    /// Python, built by componentize-py
    Python,
    /// C, built by clang or zig
    C,
}

impl Language {
    const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Python => "python",
            Self::C => "c",
        }
    }
}

pub(super) fn run(args: &NewArgs, global: &Global) -> Result<Exit, CopalError> {
    if !is_project_name(&args.name) {
        return Err(HookCommandError::ProjectName(args.name.clone()).into());
    }
    let project = PathBuf::from(&args.name);
    let not_written = |source| HookCommandError::NotWritten {
        path: project.clone(),
        source,
    };
    match fs::create_dir(&project) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(HookCommandError::Exists(project).into());
        }
        made => made.map_err(not_written)?,
    }
    let template = TEMPLATES
        .get_dir(args.lang.name())
        .expect("there is a template for every language");
    let written = write(template, template.path(), &project, &args.name)
        .and_then(|()| write(&WIT, Path::new(""), &project.join("wit"), &args.name));
    written.map_err(not_written)?;
    let name = &args.name;
    let build = match args.lang {
        Language::Js => "npm ci && npm run build",
        Language::Rust | Language::Python | Language::C => "make",
    };
    if global.json {
        show::json(&json!({
            "directory": name,
            "build": build,
            "component": format!("{name}.wasm"),
        }))?;
    } else {
        show::result(&format!(
            "made {name}/; its README.md says how to build it\n\n  cd {name}\n  {build}\n  copal hook test {name}.wasm\n",
        ))?;
    }
    Ok(Exit::Done)
}

/// What is sound as a directory's name, a crate's, and a package's of npm.
fn is_project_name(name: &str) -> bool {
    name.len() <= 60
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.ends_with('-')
}

/// Writes a directory's files, as seen from `top`, into `into`.
fn write(directory: &Dir<'_>, top: &Path, into: &Path, name: &str) -> io::Result<()> {
    for entry in directory.entries() {
        match entry {
            DirEntry::Dir(below) => write(below, top, into, name)?,
            DirEntry::File(file) => {
                let relative = file.path().strip_prefix(top).unwrap_or(file.path());
                let target = into.join(relative);
                if let Some(parent) = target.parent() {
                    fs::create_dir_all(parent)?;
                }
                let path = target.to_string_lossy();
                match path.strip_suffix(TEMPLATE) {
                    None => fs::write(&target, file.contents())?,
                    Some(plain) => fs::write(plain, filled(file.contents(), name))?,
                }
            }
        }
    }
    Ok(())
}

fn filled(template: &[u8], name: &str) -> String {
    String::from_utf8_lossy(template)
        .replace("{{name}}", name)
        .replace("{{name_snake}}", &name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_name_is_sound_in_every_language() {
        for name in ["hook", "my-hook-2"] {
            assert!(is_project_name(name), "{name}");
        }
        for name in ["", "2x", "My", "a_b", "../x", "a/b", "-a", "a-", "a b", "ä"] {
            assert!(!is_project_name(name), "{name}");
        }
    }

    #[test]
    fn no_template_has_a_placeholder_that_is_not_filled() {
        for language in Language::value_variants() {
            let template = TEMPLATES.get_dir(language.name()).unwrap();
            check(template);
        }
    }

    fn check(directory: &Dir<'_>) {
        for file in directory.files() {
            let path = file.path().to_string_lossy();
            let text = match path.strip_suffix(TEMPLATE) {
                Some(_) => filled(file.contents(), "x"),
                None => String::from_utf8_lossy(file.contents()).into_owned(),
            };
            assert!(!text.contains("{{name"), "{path}");
        }
        directory.dirs().for_each(check);
    }
}
