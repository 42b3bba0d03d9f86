//! How a run ended: success and failure fold into this one value, which the last hooks, the terminal,
//! JSON, the history and the exit code are all made from.

mod report;

use std::fmt;
use std::time::Duration;

use copal_core::charges::Charges;
use copal_core::forecast::Terms;
use copal_core::manifest::Totals;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use copal_core::staging::{Choice, Way};
use copal_core::text::count;
use jiff::Timestamp;

use crate::calls::HookRun;
use crate::capability::unheld::Unheld;
use crate::edge::interrupt::Signal;
use crate::edge::remote::RemoteError;
use crate::edges::Step;
use crate::error::CopalError;
use crate::holds::Away;
use crate::hooks::Hooks;
use crate::record::{Ended, Kind, PrunedRecord, SnapshotRecord};
use crate::step::plan::PlannedDatabase;
use crate::step::prune::Pruned;
use crate::step::seal::Sealed;
use crate::step::stage::Staged;

/// How a run ended, with all that there is to tell of it.
#[derive(Debug)]
pub struct Outcome<T> {
    /// The run's id.
    pub run: String,
    /// The job's name.
    pub name: String,
    /// What was run.
    pub kind: Kind,
    /// Whether the command line alone said what was run.
    pub one_off: bool,
    /// The snapshot that it was to try.
    pub about: Option<SnapshotRecord>,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Its steps, in order, and how long each took.
    pub steps: Vec<(Step, Duration)>,
    /// What it achieved, perhaps in part; or what ended it before.
    pub result: Result<T, CopalError>,
    /// The signal that asked for an end.
    pub interrupted: Option<Signal>,
    /// What fell short without being the end of it.
    pub shortcomings: Vec<CopalError>,
    /// The services that were held.
    pub holds: Vec<Away>,
    /// What every hook did, in order.
    pub hooks: Vec<HookRun>,
}

/// What a run that came to its end achieved.
pub trait Achieved {
    /// What failed in it nevertheless.
    fn errors(&self) -> Vec<&CopalError>;
    /// The snapshots that it sealed, tried or put back.
    fn snapshots(&self) -> Vec<SnapshotRecord>;
    /// The snapshots that it pruned.
    fn pruned(&self) -> Vec<PrunedRecord> {
        Vec::new()
    }
    /// Whether it achieved what it was for at one destination at least.
    fn in_part(&self) -> bool {
        false
    }
    /// What somebody may want to know who asks later.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a backup achieved.
#[derive(Debug, Default)]
pub struct Delivered {
    /// What became of each destination, in the order of the configuration.
    pub deliveries: Vec<Delivery>,
    /// What a person may want to know, and no shortcoming.
    pub notes: Notes,
}

/// What became of one destination.
#[derive(Debug)]
pub struct Delivery {
    /// The destination's name, secrets masked.
    pub destination: String,
    /// The sealed snapshot, or why there is none.
    pub result: Result<Snapshot, CopalError>,
    /// Files of a failed attempt that are still there, unsealed.
    pub left_behind: Option<LeftBehind>,
    /// What fell short although it is sealed, until the run takes it.
    pub fell_short: Option<CopalError>,
}

/// A directory that could not be removed.
#[derive(Debug)]
pub struct LeftBehind {
    /// It, at the destination.
    pub dir: String,
    /// Why not.
    pub error: RemoteError,
}

/// What a run tells of a sealed snapshot.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Its files.
    pub totals: Totals,
    /// Those that the remote copied from the last snapshot, without an upload.
    pub copied: Totals,
    /// What was uploaded, files that had to be sent again as often as they were.
    pub uploaded: Totals,
    /// What decides which calls a run makes there.
    pub terms: Option<Terms>,
    /// What the run's calls there are charged as, where that is known.
    pub charges: Option<Charges>,
    /// Why it copied none, although there were some to copy.
    pub not_copied: Option<String>,
    /// Whether those that were not uploaded are hard links to files of the last snapshot.
    pub linked: bool,
    /// What could be none, although the last snapshot has the same, and why.
    pub not_linked: Option<String>,
    /// Files that changed under the transfer and were sent again.
    pub moved: Vec<RelPath>,
    /// Files that the app deleted while the run went on.
    pub vanished: Vec<RelPath>,
    /// Files that were written to although they were frozen by links: these are of a later moment.
    pub outrun: Vec<RelPath>,
    /// What broke at this end of the transfer and was mended.
    pub mended: Option<String>,
    /// What became of all snapshots there, where the job says what is kept.
    pub pruned: Option<Pruned>,
    /// What there is to tell of it where it is no snapshot but a mirror's state.
    pub mirror: Option<Mirrored>,
}

/// What a run did to a mirror beside sending files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mirrored {
    /// Files that it deleted there.
    pub deleted: u64,
    /// Files that the source does not have and that are still there, filtered ones aside.
    pub surplus: u64,
    /// Files of the source that the map does not name.
    pub unmapped: Totals,
}

impl Snapshot {
    /// Whether so much was deleted or renamed under the run that it can't be told from a failure: more than
    /// ten files, and more than one in a hundred.
    pub fn missed_much(&self) -> bool {
        let missed = self.vanished.len() as u64;
        missed > 10 && missed * 100 > self.totals.files + missed
    }

    /// What somebody may ask for later of what went on under the run.
    fn notes(&self) -> impl Iterator<Item = String> {
        let told = [
            ("deleted by the app meanwhile", &self.vanished),
            ("changed meanwhile, taken as a private copy", &self.moved),
        ];
        let told = told.map(|(what, paths)| {
            let told = format!("{what}: {}", crate::error::some(paths));
            (!paths.is_empty()).then_some(told)
        });
        told.into_iter().flatten()
    }
}

impl From<Sealed> for Snapshot {
    fn from(sealed: Sealed) -> Self {
        let Sealed {
            manifest,
            copied,
            uploaded,
            not_copied,
            linked,
            unlinked,
            last_damaged: _,
            vanished,
            moved,
            outrun,
        } = sealed;
        Self {
            id: manifest.id,
            totals: manifest.totals,
            copied,
            uploaded,
            terms: None,
            charges: None,
            linked,
            not_linked: unlinked.map(|it| {
                let files = count(it.files, "file");
                format!("{files} ({})", it.why)
            }),
            not_copied: not_copied.map(|error| CopalError::from(error).in_one_line()),
            moved,
            vanished,
            outrun,
            mended: None,
            mirror: None,
            pruned: None,
        }
    }
}

/// What a run noticed.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// What the filters left out; `true` for whole directories.
    pub left_out: Vec<(RelPath, bool)>,
    /// Sockets, pipes and devices.
    pub specials: Vec<RelPath>,
    /// Databases that hooks were to copy and check.
    pub databases: Vec<RelPath>,
    /// Databases that were copied live, as the owner allowed.
    pub live_databases: Vec<RelPath>,
    /// How files were kept as they were.
    pub staging: Option<StagingNote>,
    /// Why nothing would have released services if the run had been killed.
    pub unguarded: Option<String>,
    /// Services that were not held, since there was nothing to hold.
    pub unheld: Vec<Unheld>,
}

/// How files were kept as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagingNote {
    /// The way that was taken.
    pub way: Way,
    /// Why this one.
    pub why: String,
    /// Whether services were held for a moment that could not be kept, and the owner did not ask for that.
    pub moment_lost: bool,
}

impl fmt::Display for StagingNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "staging: {} ({})", self.way, self.why)?;
        if self.moment_lost {
            f.write_str(": files are not of one moment")?;
        }
        Ok(())
    }
}

impl Notes {
    /// How files were kept while services were held, or were not.
    pub fn staged(&mut self, way: Way, choice: &Choice, held: bool) {
        let why = if way == choice.way {
            choice.why.clone()
        } else {
            "no service was held".to_owned()
        };
        self.staging = Some(StagingNote {
            way,
            why,
            moment_lost: held && way == Way::Direct && !choice.asked_for,
        });
    }

    /// What staging came to.
    pub fn take(&mut self, staged: &Staged, databases: Vec<PlannedDatabase>) {
        self.specials.clone_from(&staged.specials);
        let (live, copied): (Vec<_>, Vec<_>) =
            databases.into_iter().partition(|database| database.live);
        self.databases = copied.into_iter().map(|database| database.path).collect();
        self.live_databases = live.into_iter().map(|database| database.path).collect();
    }
}

/// The short form of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All is done: every destination has the snapshot.
    Succeeded,
    /// All is done, and something fell short on the way or after it.
    Warned,
    /// Some of it failed: a destination has no snapshot.
    Failed,
    /// A signal ended the run; something may have failed before.
    Interrupted(Signal),
}

impl Verdict {
    /// Its word, for JSON.
    pub fn name(self) -> &'static str {
        Ended::from(self).name()
    }
}

impl<T: Achieved> Outcome<T> {
    /// The short form.
    pub fn verdict(&self) -> Verdict {
        let done = self.errors().next().is_none();
        match (done, self.interrupted) {
            // A signal that came after the last step interrupted nothing.
            (true, _) if self.shortcomings.is_empty() => Verdict::Succeeded,
            (true, _) => Verdict::Warned,
            (false, Some(signal)) if self.errors().any(CopalError::is_interruption) => {
                Verdict::Interrupted(signal)
            }
            (false, _) => Verdict::Failed,
        }
    }

    /// Adds a shortcoming, unless the same was told.
    pub fn tell_once(&mut self, error: CopalError) {
        let line = error.in_one_line();
        let is_new = |known: &CopalError| known.in_one_line() != line;
        if self.errors().chain(&self.shortcomings).all(is_new) {
            self.shortcomings.push(error);
        }
    }

    /// Everything that failed, in the order in which it did.
    pub fn errors(&self) -> impl Iterator<Item = &CopalError> {
        let (achieved, failure) = match &self.result {
            Ok(achieved) => (achieved.errors(), None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        failure.into_iter().chain(achieved)
    }

    /// The snapshots that it sealed, tried or put back.
    pub fn snapshots(&self) -> Vec<SnapshotRecord> {
        match &self.result {
            Ok(achieved) => achieved.snapshots(),
            // That it could not be tried, or not be fetched, is what there is to know of it.
            Err(error) if !error.is_interruption() => self.about.clone().into_iter().collect(),
            Err(_) => Vec::new(),
        }
    }

    /// What hooks warned of: which one, and what.
    pub fn warnings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.hooks.iter().flat_map(|run| {
            let warnings = run.account.warnings.iter();
            warnings.map(|warning| (run.hook.as_str(), warning.as_str()))
        })
    }

    /// Takes down what hooks did since it was last asked, and which of it fell short.
    pub fn hear(&mut self, hooks: &mut Hooks) {
        self.hooks.append(&mut hooks.runs);
        let failures = hooks.shortcomings.drain(..);
        self.shortcomings.extend(failures.map(CopalError::Hook));
    }
}

impl Outcome<Delivered> {
    /// The sealed snapshots.
    pub fn sealed(&self) -> impl Iterator<Item = &Snapshot> {
        let delivered = self.result.as_ref().ok();
        let deliveries = delivered.into_iter().flat_map(|it| &it.deliveries);
        deliveries.filter_map(|delivery| delivery.result.as_ref().ok())
    }
}

impl Achieved for Delivered {
    fn errors(&self) -> Vec<&CopalError> {
        let results = self.deliveries.iter().map(|delivery| &delivery.result);
        results.filter_map(|result| result.as_ref().err()).collect()
    }

    fn in_part(&self) -> bool {
        self.deliveries.iter().any(|it| it.result.is_ok())
    }

    fn snapshots(&self) -> Vec<SnapshotRecord> {
        let record = |delivery: &Delivery| {
            let snapshot = delivery.result.as_ref().ok()?;
            Some(SnapshotRecord {
                id: snapshot.id,
                destination: delivery.destination.clone(),
                files: snapshot.totals.files,
                bytes: snapshot.totals.bytes.0,
                copied_files: snapshot.copied.files,
                copied_bytes: snapshot.copied.bytes.0,
                uploaded_files: Some(snapshot.uploaded.files),
                uploaded_bytes: Some(snapshot.uploaded.bytes.0),
                calls: snapshot.charges,
                terms: snapshot.terms.clone(),
                is_mirror: snapshot.mirror.is_some(),
                deleted_files: snapshot.mirror.map(|mirror| mirror.deleted),
            })
        };
        self.deliveries.iter().filter_map(record).collect()
    }

    fn pruned(&self) -> Vec<PrunedRecord> {
        let sealed = self
            .deliveries
            .iter()
            .filter_map(|it| it.result.as_ref().ok());
        let pruned = sealed.filter_map(|it| it.pruned.as_ref());
        pruned.flat_map(Pruned::records).collect()
    }

    fn notes(&self) -> Vec<String> {
        let staging = self.notes.staging.iter();
        let staging = staging.map(ToString::to_string);
        let unheld = self.notes.unheld.iter();
        let unheld = unheld.map(|it| format!("not held: {it}"));
        let results = self.deliveries.iter().map(|delivery| &delivery.result);
        let snapshots = results.filter_map(|result| result.as_ref().ok());
        let mut notes: Vec<String> = staging
            .chain(unheld)
            .chain(self.notes.unguarded.clone())
            .collect();
        let pruned = snapshots.clone().filter_map(|it| it.pruned.as_ref());
        notes.extend(pruned.filter_map(Pruned::note));
        for note in snapshots.flat_map(Snapshot::notes) {
            // Several destinations mostly have the same to tell.
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::interrupt::Interrupted;
    use crate::step::swap::SwapError;

    fn after_a_signal(errors: Vec<CopalError>) -> Outcome<Delivered> {
        let delivery = |error| Delivery {
            destination: String::new(),
            result: Err(error),
            left_behind: None,
            fell_short: None,
        };
        Outcome {
            run: String::new(),
            name: String::new(),
            kind: Kind::Backup,
            one_off: false,
            about: None,
            started: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            steps: Vec::new(),
            result: Ok(Delivered {
                deliveries: errors.into_iter().map(delivery).collect(),
                notes: Notes::default(),
            }),
            interrupted: Some(Signal::Interrupt),
            shortcomings: Vec::new(),
            holds: Vec::new(),
            hooks: Vec::new(),
        }
    }

    #[test]
    fn a_signal_makes_an_interruption_only_of_what_it_ended() {
        let failed = || SwapError::NotADirectory("file".into()).into();
        let ended = || Interrupted(Signal::Interrupt).into();
        let verdict = |errors| after_a_signal(errors).verdict();
        assert_eq!(verdict(vec![failed()]), Verdict::Failed);
        let interrupted = Verdict::Interrupted(Signal::Interrupt);
        assert_eq!(verdict(vec![ended()]), interrupted);
        assert_eq!(verdict(vec![failed(), ended()]), interrupted);
        assert_eq!(verdict(Vec::new()), Verdict::Succeeded);
    }

    #[test]
    fn a_moment_that_could_not_be_kept_is_told() {
        let told = |asked_for, held| {
            let choice = Choice {
                way: Way::Direct,
                why: "not link: it can't".to_owned(),
                copies: copal_core::staging::Copies::default(),
                asked_for,
            };
            let mut notes = Notes::default();
            notes.staged(Way::Direct, &choice, held);
            notes.staging.unwrap().to_string()
        };
        let plain = "staging: direct (not link: it can't)";
        let lost = format!("{plain}: files are not of one moment");
        assert_eq!(told(false, true), lost);
        assert_eq!(told(true, true), plain, "the owner knows");
        assert_eq!(told(false, false), plain, "there was no moment");
    }
}
