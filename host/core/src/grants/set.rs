//! Everything that a hook is granted, or requests.

use super::{Capability, HttpPattern, Method, Need, Origin, Tree};
use crate::name::Name;
use crate::path::RelPath;

/// What a hook may touch, by capability; nothing by default.
///
/// Entries keep the order in which they were written, each once. They come in through
/// [`add`](Self::add), [`add_need`](Self::add_need) and [`set_state`](Self::set_state) alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    pub(super) sqlite: Paths,
    pub(super) query: Paths,
    pub(super) update: Paths,
    pub(super) archive: Paths,
    pub(super) service: Vec<Name>,
    pub(super) command: Vec<Name>,
    pub(super) http: Vec<HttpPattern>,
    pub(super) state: bool,
    pub(super) secrets: Vec<Name>,
    pub(super) reveal: Vec<Name>,
    pub(super) files: Vec<Tree>,
}

/// Paths in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paths {
    /// Everything of its kind: `"*"`.
    All,
    /// What is named, and nothing in it.
    These(Vec<RelPath>),
}

impl Default for Paths {
    /// Nothing.
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

impl Paths {
    fn is_empty(&self) -> bool {
        matches!(self, Self::These(paths) if paths.is_empty())
    }

    fn cover(&self, path: &RelPath) -> bool {
        match self {
            Self::All => true,
            Self::These(paths) => paths.contains(path),
        }
    }

    fn contain(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::These(_), Self::All) => false,
            (Self::These(_), Self::These(paths)) => paths.iter().all(|path| self.cover(path)),
        }
    }

    pub(super) fn add(&mut self, path: RelPath) {
        if let Self::These(paths) = self {
            push(paths, path);
        }
    }

    /// The entries, as they are written.
    fn entries(&self) -> Vec<String> {
        match self {
            Self::All => vec!["*".to_owned()],
            // A star that is part of a name has to be told from the star for all.
            Self::These(paths) => paths
                .iter()
                .map(|path| path.to_string().replace('*', "%2A"))
                .collect(),
        }
    }
}

/// Adds what is not there yet.
pub(super) fn push<T: PartialEq>(list: &mut Vec<T>, entry: T) {
    if !list.contains(&entry) {
        list.push(entry);
    }
}

fn texts<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

impl Grants {
    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether `need` is granted.
    pub fn cover(&self, need: &Need) -> bool {
        match need {
            Need::Databases => !self.sqlite.is_empty(),
            Need::Database(path) => self.sqlite.cover(path),
            Need::Query(path) => self.query.cover(path),
            Need::Update(path) => self.update.cover(path),
            Need::Directory(path) => self.archive.cover(path),
            Need::Service(name) => self.service.contains(name),
            Need::Command(name) => self.command.contains(name),
            Need::Request {
                method,
                origin,
                private,
            } => self
                .http
                .iter()
                .any(|pattern| pattern.covers(method, origin, *private)),
            Need::Origin(origin) => self.http.iter().any(|pattern| pattern.origin == *origin),
            Need::State => self.state,
            Need::Secret(name) => self.secrets.contains(name),
            Need::Reveal(name) => self.reveal.contains(name),
            Need::Tree(tree) => self.files.contains(tree),
        }
    }

    /// Grants `need` besides what is granted, and as little more as can be written.
    pub fn add_need(&mut self, need: &Need) {
        match need {
            Need::Databases if self.sqlite.is_empty() => self.sqlite = Paths::All,
            Need::Databases => {}
            Need::Database(path) => self.sqlite.add(path.clone()),
            Need::Query(path) => self.query.add(path.clone()),
            Need::Update(path) => self.update.add(path.clone()),
            Need::Directory(path) => self.archive.add(path.clone()),
            Need::Service(name) => push(&mut self.service, name.clone()),
            Need::Command(name) => push(&mut self.command, name.clone()),
            Need::Request { .. } | Need::Origin(_) if self.cover(need) => {}
            Need::Request {
                method,
                origin,
                private,
            } => self.add_request(method, origin, *private),
            Need::Origin(origin) => self.http.push(HttpPattern {
                origin: origin.clone(),
                methods: Vec::new(),
                private: false,
            }),
            Need::State => self.state = true,
            Need::Secret(name) => push(&mut self.secrets, name.clone()),
            Need::Reveal(name) => push(&mut self.reveal, name.clone()),
            Need::Tree(tree) => push(&mut self.files, *tree),
        }
    }

    fn add_request(&mut self, method: &Method, origin: &Origin, private: bool) {
        // An entry that only lacks `private` is the owner's own word for this request.
        let mut patterns = self.http.iter_mut();
        match patterns.find(|pattern| pattern.names(method, origin)) {
            Some(pattern) => pattern.private = private,
            None => self.http.push(HttpPattern {
                origin: origin.clone(),
                methods: vec![method.clone()],
                private: private && !origin.is_private_by_name(),
            }),
        }
    }

    /// Grants the store, or takes it away.
    pub fn set_state(&mut self, state: bool) {
        self.state = state;
    }

    /// The entries of one capability, as they are written in copal.toml; `true` for the store.
    pub fn of(&self, capability: Capability) -> Vec<String> {
        match capability {
            Capability::Sqlite => self.sqlite.entries(),
            Capability::Query => self.query.entries(),
            Capability::Update => self.update.entries(),
            Capability::Archive => self.archive.entries(),
            Capability::Service => texts(&self.service),
            Capability::Command => texts(&self.command),
            Capability::Http => texts(&self.http),
            Capability::State if self.state => vec!["true".to_owned()],
            Capability::State => Vec::new(),
            Capability::Secrets => texts(&self.secrets),
            Capability::Reveal => texts(&self.reveal),
            Capability::Files => texts(&self.files),
        }
    }

    /// Every entry, capability by capability, as it is written in copal.toml.
    pub fn entries(&self) -> Vec<(Capability, String)> {
        let of = |one| self.of(one).into_iter().map(move |entry| (one, entry));
        Capability::ALL.into_iter().flat_map(of).collect()
    }

    /// The commands that it names.
    pub fn commands(&self) -> &[Name] {
        &self.command
    }

    /// The services that it names.
    pub fn services(&self) -> &[Name] {
        &self.service
    }

    /// The secrets that it names, to be put into requests or to be read.
    pub fn secrets(&self) -> impl Iterator<Item = &Name> {
        self.secrets.iter().chain(&self.reveal)
    }

    /// The entries that `granted` does not cover all of.
    pub fn beyond(&self, granted: &Self) -> Vec<(Capability, String)> {
        let mut entries = self.entries();
        entries.retain(|entry| !granted.contain(&Self::of_entry(entry)));
        entries
    }

    /// An entry alone, out of [`entries`](Self::entries).
    pub(super) fn of_entry((capability, entry): &(Capability, String)) -> Self {
        let mut one = Self::default();
        one.add_entry(*capability, entry)
            .expect("an entry reads back as it was written");
        one
    }

    /// Whether all that `other` covers is covered.
    pub fn contain(&self, other: &Self) -> bool {
        let http = |wanted: &HttpPattern| {
            let is_whole = self.http.iter().any(|pattern| pattern.contains(wanted));
            is_whole || (!wanted.methods.is_empty() && self.cover_each_method(wanted))
        };
        self.sqlite.contain(&other.sqlite)
            && self.query.contain(&other.query)
            && self.update.contain(&other.update)
            && self.archive.contain(&other.archive)
            && other.service.iter().all(|name| self.service.contains(name))
            && other.command.iter().all(|name| self.command.contains(name))
            && other.http.iter().all(http)
            && (self.state || !other.state)
            && other.secrets.iter().all(|name| self.secrets.contains(name))
            && other.reveal.iter().all(|name| self.reveal.contains(name))
            && other.files.iter().all(|tree| self.files.contains(tree))
    }

    /// Several entries together may cover what none does alone.
    fn cover_each_method(&self, wanted: &HttpPattern) -> bool {
        wanted.methods.iter().all(|method| {
            let mut patterns = self.http.iter();
            patterns.any(|pattern| pattern.covers(method, &wanted.origin, wanted.private))
        })
    }
}
