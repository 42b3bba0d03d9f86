//! Looks into a component without compiling or running anything.

use copal_core::digest::Sha256;
use copal_core::grants::Grants;
use copal_core::units::ByteCount;
use wasmparser::{BinaryReaderError, Chunk, Parser, Payload};

use crate::{Flaw, Phase, cache, check, requests};

/// How deeply components may lie in one another; wasmtime has a limit of its own.
const DEEPEST: u32 = 100;

/// What a component says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The file's size.
    pub size: ByteCount,
    /// Its digest, by which it is pinned.
    pub digest: Sha256,
    /// The phases it takes part in, in the order of a run. Never empty.
    pub phases: Vec<Phase>,
    /// What it imports of `copal:hooks`, by the interface's bare name, sorted.
    pub imports: Vec<String>,
    /// What it imports of WASI, in full: `wasi:http/types@0.2.12`, sorted.
    pub wasi: Vec<String>,
    /// The version of `copal:hooks` that it was built against.
    pub wit_version: String,
    /// What it requests; none where it has no section that says so.
    pub requests: Option<Grants>,
}

/// Looks into a component.
///
/// # Errors
/// [`Flaw`], as when it is loaded, as far as it shows without compiling it.
pub fn inspect(component: &[u8]) -> Result<Inspection, Flaw> {
    let Inspected {
        phases,
        imports,
        wit_version,
        requests,
    } = Inspected::of(component)?;
    let (ours, mut wasi): (Vec<_>, Vec<_>) = imports
        .into_iter()
        .partition(|name| name.starts_with(check::PACKAGE));
    let mut imports: Vec<String> = ours.iter().map(|name| bare(name).to_owned()).collect();
    imports.sort();
    wasi.sort();
    Ok(Inspection {
        size: ByteCount(component.len() as u64),
        digest: cache::sha256(component),
        phases,
        imports,
        wasi,
        wit_version,
        requests,
    })
}

/// What is known of a component before it is compiled.
pub(crate) struct Inspected {
    pub(crate) phases: Vec<Phase>,
    imports: Vec<String>,
    wit_version: String,
    pub(crate) requests: Option<Grants>,
}

impl Inspected {
    /// Reads a component's names and its requests, and refuses one that can't be a hook.
    pub(crate) fn of(component: &[u8]) -> Result<Self, Flaw> {
        check::header(component)?;
        let mut outline = Outline::default();
        outline.read(component, Parser::new(0), 0)?;
        check::imports(outline.imports.iter().map(String::as_str))?;
        let phases = check::phases(outline.exports.iter().map(String::as_str))?;
        let phase = |name: &&String| name.starts_with(check::PACKAGE);
        let version = outline.exports.iter().find(phase);
        let version = version.and_then(|name| name.split_once('@'));
        Ok(Self {
            phases,
            imports: outline.imports,
            wit_version: version.map_or("none", |(_, version)| version).to_owned(),
            requests: requests::read(&outline.own, &outline.inner)?,
        })
    }
}

fn bare(name: &str) -> &str {
    let interface = name.strip_prefix(check::PACKAGE).unwrap_or(name);
    interface
        .split_once('@')
        .map_or(interface, |(bare, _)| bare)
}

/// The names at the top of a component, and the sections that hold requests.
#[derive(Default)]
struct Outline<'a> {
    imports: Vec<String>,
    exports: Vec<String>,
    /// At the top.
    own: Vec<&'a [u8]>,
    /// In core modules, where a compiler puts them.
    inner: Vec<&'a [u8]>,
}

impl<'a> Outline<'a> {
    /// Reads one component or core module, and those in it.
    fn read(&mut self, bytes: &'a [u8], mut parser: Parser, depth: u32) -> Result<(), Flaw> {
        if depth > DEEPEST {
            let why = "components lie too deeply in one another";
            return Err(Flaw::Damaged(why.to_owned()));
        }
        let start = usize::try_from(parser.offset()).unwrap_or(usize::MAX);
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).ok_or_else(cut)?;
            let Chunk::Parsed { consumed, payload } =
                parser.parse(rest, true).map_err(|error| damaged(&error))?
            else {
                return Err(cut());
            };
            at += consumed;
            match payload {
                Payload::ModuleSection {
                    parser: inner,
                    unchecked_range: range,
                }
                | Payload::ComponentSection {
                    parser: inner,
                    unchecked_range: range,
                } => {
                    let (from, to) = (range.start - start, range.end - start);
                    let nested = bytes.get(from..to).ok_or_else(cut)?;
                    self.read(nested, inner, depth + 1)?;
                    at = to;
                }
                // The bodies of functions say nothing here, and are most of it.
                Payload::CodeSectionStart { size, .. } => {
                    parser.skip_section();
                    at += size as usize;
                }
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        let import = import.map_err(|error| damaged(&error))?;
                        self.imports.push(import.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        let export = export.map_err(|error| damaged(&error))?;
                        self.exports.push(export.name.name.to_owned());
                    }
                }
                Payload::CustomSection(section) if section.name() == requests::SECTION => {
                    let place = if depth == 0 {
                        &mut self.own
                    } else {
                        &mut self.inner
                    };
                    place.push(section.data());
                }
                Payload::End(_) => return Ok(()),
                _ => {}
            }
        }
    }
}

fn damaged(error: &BinaryReaderError) -> Flaw {
    Flaw::Damaged(error.message().to_owned())
}

fn cut() -> Flaw {
    Flaw::Damaged("it ends in the midst of a section".to_owned())
}
