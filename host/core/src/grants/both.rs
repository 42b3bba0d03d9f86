//! What two sides cover together: the owner's grants, and a component's requests.

use super::set::{Paths, push};
use super::{Grants, HttpPattern, Need};

impl Grants {
    /// What of these grants a component with `requests` gets.
    pub(super) fn requested_by(&self, requests: &Self) -> Self {
        Self {
            sqlite: self.sqlite.and(&requests.sqlite),
            archive: self.archive.and(&requests.archive),
            command: common(&self.command, &requests.command),
            http: patterns(&self.http, &requests.http),
            state: self.state && requests.state,
            secrets: common(&self.secrets, &requests.secrets),
            reveal: common(&self.reveal, &requests.reveal),
            files: common(&self.files, &requests.files),
            service: common(&self.service, &requests.service),
            query: self.query.and(&requests.query),
            update: self.update.and(&requests.update),
        }
    }

    /// Whether these requests ask for `need`. That an address is private only the owner can know: no
    /// component has to say so.
    pub(super) fn request(&self, need: &Need) -> bool {
        match need {
            Need::Request { method, origin, .. } => {
                let mut patterns = self.http.iter();
                patterns.any(|pattern| pattern.names(method, origin))
            }
            need => self.cover(need),
        }
    }

    /// Adds what `requests` has of the kind that `need` is of: any database, any request to an origin.
    pub(super) fn add_kind(&mut self, need: &Need, requests: Option<&Self>) {
        match (need, requests) {
            (Need::Databases, Some(Self { sqlite, .. })) => match sqlite {
                Paths::All => self.sqlite = Paths::All,
                Paths::These(paths) => paths.iter().for_each(|path| self.sqlite.add(path.clone())),
            },
            (Need::Origin(origin), Some(Self { http, .. })) => {
                let to_it = http.iter().filter(|pattern| pattern.origin == *origin);
                let public = |pattern: &HttpPattern| HttpPattern {
                    private: false,
                    ..pattern.clone()
                };
                to_it.for_each(|pattern| push(&mut self.http, public(pattern)));
            }
            _ => {}
        }
    }
}

impl Paths {
    fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, some) | (some, Self::All) => some.clone(),
            (Self::These(one), Self::These(other)) => Self::These(common(one, other)),
        }
    }
}

fn common<T: PartialEq + Clone>(one: &[T], other: &[T]) -> Vec<T> {
    let both = one.iter().filter(|entry| other.contains(entry));
    both.cloned().collect()
}

fn patterns(granted: &[HttpPattern], requested: &[HttpPattern]) -> Vec<HttpPattern> {
    let mut both = Vec::new();
    for pattern in granted {
        for wanted in requested {
            if let Some(common) = pattern.and(wanted) {
                push(&mut both, common);
            }
        }
    }
    both
}

impl HttpPattern {
    /// What it grants of the requests that `wanted` names, wherever the host's name leads.
    fn and(&self, wanted: &Self) -> Option<Self> {
        let methods = match (&self.methods[..], &wanted.methods[..]) {
            (any, some) | (some, any) if any.is_empty() => some.to_vec(),
            (granted, wanted) => common(granted, wanted),
        };
        let any = self.methods.is_empty() && wanted.methods.is_empty();
        let is_some = self.origin == wanted.origin && (any || !methods.is_empty());
        is_some.then(|| Self {
            methods,
            ..self.clone()
        })
    }
}
