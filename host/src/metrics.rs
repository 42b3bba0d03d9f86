//! What the history knows of a job, as metrics: the table of them is in `docs/metrics.md`.

use std::collections::{BTreeMap, BTreeSet};

use copal_core::exposition::{Exposition, Sample, Value};

use crate::edge::history::{History, HistoryError, Whose};
use crate::edge::metrics_file;
use crate::edge::state::StateDir;
use crate::error::CopalError;
use crate::job::{Job, Place};
use crate::record::{Ended, Kind, Record, SnapshotRecord};

/// Writes them into the file that the job names, if it names one.
pub fn write(job: &Job, state: &StateDir) -> Result<(), CopalError> {
    let Some(file) = job.config.metrics_file() else {
        return Ok(());
    };
    let text = of(job, &History::of(state))?.to_text();
    metrics_file::replace(&file.resolve(&job.base), job.name(), &text)?;
    Ok(())
}

/// The metrics of a job.
pub fn of(job: &Job, history: &History) -> Result<Exposition, HistoryError> {
    let of = Of(job.name());
    let mut metrics = Exposition::default();
    let version = of.labelled([("version", env!("CARGO_PKG_VERSION"))], Value::Whole(1));
    metrics.add("copal_info", "The version of Copal.", [version]);
    if let Some(last) = history.last_of::<Record>(job.name(), Kind::Backup.name())? {
        of.last_run(&last, &mut metrics);
    }
    of.destinations(job, history, &mut metrics)?;
    if let Some(drill) = history.last_of::<Record>(job.name(), Kind::Drill.name())? {
        of.last_drill(&drill, &mut metrics);
    }
    let max_age = job.config.max_age().map(|age| {
        let seconds = Value::Whole(age.as_secs());
        of.sample(seconds)
    });
    let help = "How old the last good backup may be, by max_age in copal.toml.";
    metrics.add("copal_max_age_seconds", help, max_age);
    Ok(metrics)
}

const OUTCOMES: [Ended; 5] = [
    Ended::Succeeded,
    Ended::Warned,
    Ended::Failed,
    Ended::Interrupted,
    Ended::Abandoned,
];

/// The job that all samples are of.
struct Of<'a>(&'a str);

impl Of<'_> {
    fn sample(&self, value: Value) -> Sample {
        self.labelled([], value)
    }

    fn labelled<const N: usize>(&self, labels: [(&'static str, &str); N], value: Value) -> Sample {
        let own = std::iter::once(("name", self.0)).chain(labels);
        Sample {
            labels: own.map(|(name, value)| (name, value.to_owned())).collect(),
            value,
        }
    }

    fn last_run(&self, last: &Record, metrics: &mut Exposition) {
        let ended = self.sample(ended(last));
        let help = "When the last backup ended, in seconds since 1970.";
        metrics.add("copal_last_run_timestamp_seconds", help, [ended]);
        let took = self.sample(millis(last.took_ms));
        let help = "How long the last backup took.";
        metrics.add("copal_run_duration_seconds", help, [took]);
        let exit = self.sample(Value::Whole(last.exit.into()));
        let help = "The exit code of the last backup.";
        metrics.add("copal_last_run_exit_code", help, [exit]);
        let outcomes = OUTCOMES.map(|outcome| {
            let is = u64::from(last.outcome == outcome);
            self.labelled([("outcome", outcome.name())], Value::Whole(is))
        });
        let help = "How the last backup ended: 1 for that outcome, 0 for the others.";
        metrics.add("copal_last_run_outcome", help, outcomes);
        self.holds(last, metrics);
    }

    fn holds(&self, last: &Record, metrics: &mut Exposition) {
        // A service may be held more than once.
        let mut paused: BTreeMap<&str, u64> = BTreeMap::new();
        for hold in &last.holds {
            *paused.entry(&hold.service).or_default() += hold.away_ms.unwrap_or(0);
        }
        let paused = paused.into_iter();
        let paused = paused.map(|(service, ms)| self.labelled([("service", service)], millis(ms)));
        let help = "How long the last backup held the service, paused or stopped.";
        metrics.add("copal_pause_seconds", help, paused);
        let unreleased = last.holds.iter().filter(|hold| hold.away_ms.is_none());
        let unreleased = self.sample(Value::Whole(unreleased.count() as u64));
        let help = "Services that the last backup held and nobody has released yet.";
        metrics.add("copal_services_held", help, [unreleased]);
    }

    fn destinations(
        &self,
        job: &Job,
        history: &History,
        metrics: &mut Exposition,
    ) -> Result<(), HistoryError> {
        let places: BTreeSet<Place> = job.places().into_iter().collect();
        let mut last: Vec<(Place, Option<Record>)> = Vec::new();
        for place in places {
            let record = history.last_at(self.0, place.asked(), Whose::Job)?;
            last.push((place, record));
        }
        let good = last.iter().map(|(place, record)| {
            let began = record.as_ref().map_or(0, |it| it.started.as_millisecond());
            self.labelled(at(place), Value::Millis(began))
        });
        let help = "When the last good backup at the destination began, in seconds since 1970; 0 for none.";
        metrics.add("copal_last_success_timestamp_seconds", help, good);
        let snapshots: Vec<_> = last
            .iter()
            .filter_map(|(place, record)| Some((place, place.find(&record.as_ref()?.snapshots)?)))
            .collect();
        self.of_snapshots(&snapshots, metrics);
        let calls = snapshots
            .iter()
            .filter_map(|(place, it)| Some((*place, it.calls?)));
        let calls = calls.flat_map(|(place, calls)| {
            let classes = [
                ("A", calls.class_a),
                ("B", calls.class_b),
                ("C", calls.class_c),
            ];
            classes.map(|(class, count)| {
                let [destination, layout] = at(place);
                let labels = [destination, layout, ("class", class)];
                self.labelled(labels, Value::Whole(count))
            })
        });
        let help = "Calls to the destination of the last good backup, by the class they are charged as; on B2 alone.";
        metrics.add("copal_calls", help, calls);
        Ok(())
    }

    fn of_snapshots(&self, snapshots: &[(&Place, &SnapshotRecord)], metrics: &mut Exposition) {
        type Figure = fn(&SnapshotRecord) -> Option<u64>;
        let figures: [(&'static str, &'static str, Figure); 4] = [
            (
                "copal_snapshot_files",
                "Files in the last good backup.",
                |it| Some(it.files),
            ),
            (
                "copal_snapshot_bytes",
                "Bytes in the last good backup.",
                |it| Some(it.bytes),
            ),
            (
                "copal_transferred_bytes",
                "Bytes that the last good backup uploaded.",
                |it| it.uploaded_bytes,
            ),
            (
                "copal_reused_bytes",
                "Bytes of the last good backup that the destination had already.",
                |it| Some(it.copied_bytes),
            ),
        ];
        for (name, help, figure) in figures {
            let samples = snapshots.iter().filter_map(|(place, snapshot)| {
                let value = Value::Whole(figure(snapshot)?);
                Some(self.labelled(at(place), value))
            });
            metrics.add(name, help, samples);
        }
    }

    fn last_drill(&self, drill: &Record, metrics: &mut Exposition) {
        let when = self.sample(ended(drill));
        let help = "When the last drill ended, in seconds since 1970.";
        metrics.add("copal_last_drill_timestamp_seconds", help, [when]);
        let is_well = drill.outcome == Ended::Succeeded;
        let is_well = self.sample(Value::Whole(is_well.into()));
        let help = "Whether the last drill found nothing wrong.";
        metrics.add("copal_last_drill_success", help, [is_well]);
    }
}

/// The labels of a destination: a mirror and snapshots may lie at one.
fn at(place: &Place) -> [(&'static str, &str); 2] {
    [("destination", &place.shown), ("layout", place.layout())]
}

fn ended(record: &Record) -> Value {
    let took = i64::try_from(record.took_ms).unwrap_or(i64::MAX);
    Value::Millis(record.started.as_millisecond().saturating_add(took))
}

fn millis(ms: u64) -> Value {
    Value::Millis(i64::try_from(ms).unwrap_or(i64::MAX))
}
