//! How fast a hook is: its load, its start, and as a filter.
//!
//! Everything runs on the thread that asks, so that a rate is one core's.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use copal_core::filter::FilterRules;
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::{
    Cancel, EntryKind, FilterSession, Hook, HookEngine, HookSpec, Limits, Phase, RunInfo,
};
use serde::Serialize;

use crate::hook_error::HookCommandError;

/// The sizes of batches.
const BATCHES: [usize; 3] = [1_000, 4_096, 10_000];

/// How many different paths there are: more than in a batch, and few enough to be in the processor's
/// cache, as paths are that a walk has just read.
const PATHS: usize = 20_000;

/// How long each span is that a rate is measured over.
const SPAN: Duration = Duration::from_millis(100);

/// How many spans there are. The quickest counts: what makes the others slower is not the hook but what
/// else the machine does.
const SPANS: usize = 7;

/// How often something short is measured.
const TIMES: usize = 21;

/// What a hook measured.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// The component's size in bytes.
    pub bytes: u64,
    /// Compiling it, and loading it for the first time.
    pub cold_load_ms: f64,
    /// Loading what was compiled before; the median.
    pub warm_load_ms: f64,
    /// A fresh instance; the median.
    pub instance_us: f64,
    /// The most memory that this process ever had, compiling included; none where the system does
    /// not say.
    pub peak_bytes: Option<u64>,
    /// As a filter; none for a hook that is none.
    pub filter: Option<FilterRates>,
}

/// What a filter measured, with packing, in paths a second on one core.
#[derive(Debug, Serialize)]
pub struct FilterRates {
    /// The mean length of the paths in bytes.
    pub path_bytes: usize,
    /// Its start: a fresh instance, and its answer on how it decides.
    pub start_us: f64,
    /// The number of rules that it answers.
    pub rules: usize,
    /// The rate of its rules, as Copal applies them; none where it has none.
    pub by_rules: Option<f64>,
    /// The rate of its answers by the size of the batch; empty where it is never asked.
    pub asked: Vec<Rate>,
    /// A walk over a million paths with this filter: its start, its rules, its answers.
    pub million_ms: f64,
    /// The same with its rules alone, as if they stood in a file.
    pub million_by_rules_ms: Option<f64>,
}

/// A rate.
#[derive(Debug, Serialize)]
pub struct Rate {
    /// Paths in a batch.
    pub batch: usize,
    /// Paths a second.
    pub per_second: f64,
}

/// Measures a component, with this config.
pub fn measure(
    name: &str,
    component: &[u8],
    config: &serde_json::Value,
    scratch: &Path,
) -> Result<Measured, HookCommandError> {
    let engine = HookEngine::new().map_err(HookCommandError::Engine)?;
    let engine = engine.cached(&scratch.join("cache"));
    let load = || {
        let hook = engine.load(HookSpec {
            name,
            component,
            config: config.clone(),
            grants: copal_core::grants::Grants::default(),
            limits: Limits {
                filter_wall: Duration::from_mins(1),
                ..Limits::default()
            },
        });
        hook.map_err(|error| HookCommandError::Refused {
            path: name.into(),
            source: error.flaw,
        })
    };
    let (hook, cold) = timed(load)?;
    let mut warm = Vec::new();
    for _ in 0..TIMES {
        warm.push(timed(load)?.1);
    }
    let mut instances = Vec::new();
    for _ in 0..TIMES * 10 {
        instances.push(hook.instantiate()?);
    }
    let filter = hook.has(Phase::Filter).then(|| rates(&hook)).transpose()?;
    Ok(Measured {
        bytes: component.len() as u64,
        cold_load_ms: milliseconds(cold),
        warm_load_ms: milliseconds(median(warm)),
        instance_us: milliseconds(median(instances)) * 1000.0,
        peak_bytes: peak(),
        filter,
    })
}

fn rates(hook: &Hook) -> Result<FilterRates, HookCommandError> {
    let paths = paths();
    let (run, cancel) = (RunInfo::default(), Cancel::new());
    let start = || hook.filter(&run, &cancel).map_err(HookCommandError::from);
    let mut starts = Vec::new();
    for _ in 0..TIMES {
        starts.push(timed(start)?.1);
    }
    let mut session = start()?;
    let rules = rules(&session)?;
    let count = session.approach().rules.len();
    let mut asked = Vec::new();
    if session.approach().ask.is_some() {
        for batch in BATCHES {
            let per_second = asked_rate(&mut session, &paths, batch)?;
            asked.push(Rate { batch, per_second });
        }
    }
    let (result, million) = timed(|| {
        let mut session = start()?;
        let parsed = self::rules(&session)?;
        walk(&mut session, &parsed, &paths)
    })?;
    black_box(result);
    let by_rules = (count > 0).then(|| walk_by_rules(&rules, &paths));
    Ok(FilterRates {
        path_bytes: paths
            .iter()
            .map(|path| path.as_bytes().len())
            .sum::<usize>()
            / paths.len(),
        start_us: milliseconds(median(starts)) * 1000.0,
        rules: count,
        by_rules: by_rules.map(|took| 1e6 / took.as_secs_f64()),
        asked,
        million_ms: milliseconds(million),
        million_by_rules_ms: by_rules.map(milliseconds),
    })
}

fn rules(session: &FilterSession) -> Result<FilterRules, HookCommandError> {
    let rules = session.approach().rules.iter().map(String::as_str);
    FilterRules::parse(rules).map_err(|error| HookCommandError::Requests {
        path: "its filter rules".into(),
        why: error.to_string(),
    })
}

fn asked_rate(
    session: &mut FilterSession,
    paths: &[RelPath],
    size: usize,
) -> Result<f64, HookCommandError> {
    let mut batch = session.batch();
    let mut chunks = paths.chunks_exact(size).cycle();
    let mut best = 0.0_f64;
    for _ in 0..SPANS {
        let mut decided = 0;
        let began = Instant::now();
        while began.elapsed() < SPAN {
            batch.clear();
            let chunk = chunks.next().expect("there are more paths than in a batch");
            for (at, path) in chunk.iter().enumerate() {
                batch.push(path.as_bytes(), EntryKind::File, at as u64, 0);
            }
            decided += session.decide(&batch)?.len();
        }
        best = best.max(rate(decided, began.elapsed()));
    }
    Ok(best)
}

/// A million paths, as a walk has them decided.
fn walk(
    session: &mut FilterSession,
    rules: &FilterRules,
    paths: &[RelPath],
) -> Result<usize, HookCommandError> {
    let has_rules = !session.approach().rules.is_empty();
    let asks = session.approach().ask.is_some();
    let mut kept = 0;
    let mut batch = session.batch();
    for chunk in million(paths) {
        batch.clear();
        for path in chunk {
            let is_kept = !has_rules || by_rule(rules, path);
            if is_kept && asks {
                batch.push(path.as_bytes(), EntryKind::File, 0, 0);
            } else {
                kept += usize::from(is_kept);
            }
        }
        if !batch.is_empty() {
            kept += session.decide(&batch)?.len();
        }
    }
    Ok(kept)
}

fn walk_by_rules(rules: &FilterRules, paths: &[RelPath]) -> Duration {
    let began = Instant::now();
    let kept: usize = million(paths)
        .map(|chunk| chunk.iter().filter(|path| by_rule(rules, path)).count())
        .sum();
    black_box(kept);
    began.elapsed()
}

fn by_rule(rules: &FilterRules, path: &RelPath) -> bool {
    rules.verdict(path, false) == copal_core::filter::Verdict::Keep
}

fn million(paths: &[RelPath]) -> impl Iterator<Item = &[RelPath]> {
    let whole = std::iter::repeat_n(paths, 1_000_000 / PATHS);
    whole.flat_map(|paths| paths.chunks(copal_hooks::FilterBatch::PATHS))
}

/// Paths of about 55 bytes, as apps have them.
fn paths() -> Vec<RelPath> {
    let path = |n: usize| {
        let mixed = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let text = match n % 10 {
            0 => format!("cache/embedding/models/{mixed:016x}/part-{n:06}.bin"),
            _ => format!(
                "uploads/{:02x}/{mixed:016x}-{n:06}_quarterly-report.pdf",
                n % 256
            ),
        };
        text.parse().expect("a sound path")
    };
    (0..PATHS).map(path).collect()
}

fn timed<T, E>(what: impl FnOnce() -> Result<T, E>) -> Result<(T, Duration), E> {
    let began = Instant::now();
    let value = what()?;
    Ok((value, began.elapsed()))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "a rate is no exact number")]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// The most memory that this process ever had.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(ByteCount(kib * 1024).0)
}
