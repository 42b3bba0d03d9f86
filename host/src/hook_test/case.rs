//! Calls a phase as a case says, and writes down what happened.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use copal_core::filter::{self, FilterRules};
use copal_core::path::RelPath;
use copal_hooks::{
    Account, Cancel, Capabilities, Deed, EntryKind, FailureKind, FilterSession, Hook, HookFailure,
    HookSpec, Limits, Phase, RunInfo, Verdict,
};

use super::fake::Fake;
use super::spec::{Case, Request, Spec, TreeEntry};
use super::trees::path;
use super::words::json;
use super::{HookTestError, Subject};

/// What happened in a case.
#[derive(Debug, Default)]
pub struct Observed {
    /// `ok`, or in one word what it ended with instead.
    pub result: &'static str,
    /// The code of an `error`.
    pub code: Option<String>,
    /// The failure's text.
    pub message: Option<String>,
    /// The functions that were running when it trapped, innermost first.
    pub backtrace: Vec<String>,
    /// Each thing that it was denied, with what would help.
    pub denials: Vec<String>,
    /// Each use of a capability.
    pub deeds: Vec<String>,
    /// Each request that was sent.
    pub requests: Vec<Request>,
    /// What it logged.
    pub log: Vec<String>,
    /// The rules that a filter started with.
    pub rules: Vec<String>,
    /// The verdict on each path of the tree, as far as it got.
    pub verdicts: Vec<Verdict>,
    /// The hook's store afterwards.
    pub state: BTreeMap<String, Vec<u8>>,
    /// The facts that it recorded.
    pub facts: BTreeMap<String, String>,
    /// What it left in `/staging`.
    pub staged: BTreeMap<String, String>,
    /// How long it computed and waited.
    pub computed: Duration,
}

/// Runs one case that begins with this state.
pub(super) fn run(
    subject: &Subject<'_>,
    spec: &Spec,
    mut case: Case,
    mut state: BTreeMap<String, Vec<u8>>,
) -> Result<(Case, Observed), HookTestError> {
    let hook = load(subject, spec, &case)?;
    let given = std::mem::take(&mut case.given);
    let own = given.state.iter();
    state.extend(own.map(|(key, value)| (key.clone(), value.clone().into_bytes())));
    let run = RunInfo {
        run_id: "test".to_owned(),
        job: "test".to_owned(),
        dry_run: case.dry_run,
        snapshot: given.snapshot.clone(),
        counters: case.report.counters.clone(),
    };
    let unfit = |source| HookTestError::Given {
        case: case.name.clone(),
        source,
    };
    for entry in &case.tree {
        path(entry.bare()).map_err(unfit)?;
    }
    let fake = Arc::new(Fake::new(given, state, case.dry_run).map_err(unfit)?);
    let mut observed = Observed {
        result: "ok",
        ..Observed::default()
    };
    match call(&hook, &case, &run, &fake, &mut observed) {
        Ok(account) => observed.note(account),
        Err(failure) => observed.fail(failure),
    }
    observed.state = fake.state();
    observed.requests = fake.requests();
    observed.facts = fake.facts();
    observed.staged = fake.staged().map_err(|error| unfit(error.into()))?;
    Ok((case, observed))
}

fn load(subject: &Subject<'_>, spec: &Spec, case: &Case) -> Result<Hook, HookTestError> {
    let config = case.config.as_ref().or(spec.config.as_ref());
    let config = config.map_or(Some(serde_json::Value::Null), |config| {
        json(&toml::Value::Table(config.clone()))
    });
    let config = config.ok_or_else(|| HookTestError::Config {
        case: case.name.clone(),
    })?;
    let grants = case.grants.clone().or_else(|| spec.grants.clone());
    Ok(subject.engine.load(HookSpec {
        name: subject.name,
        component: subject.component,
        config,
        grants: grants.unwrap_or_else(|| subject.requested()),
        limits: Limits::default(),
    })?)
}

fn call(
    hook: &Hook,
    case: &Case,
    run: &RunInfo,
    fake: &Arc<Fake>,
    observed: &mut Observed,
) -> Result<Account, HookFailure> {
    let cancel = Cancel::new();
    let host = Arc::clone(fake) as Arc<dyn Capabilities>;
    match case.phase {
        Phase::PreBackup => hook.pre_backup(run, host, &cancel),
        Phase::Staged => hook.staged(run, host, &cancel),
        Phase::PostBackup => hook.post_backup(run, case.report.report(), host, &cancel),
        Phase::PreRestore => hook.pre_restore(run, host, &cancel),
        Phase::PostRestore => hook.post_restore(run, case.report.report(), host, &cancel),
        Phase::Drill => hook.drill(run, host, &cancel),
        Phase::Filter => {
            let mut session = hook.filter(run, &cancel)?;
            observed.rules.clone_from(&session.approach().rules);
            match FilterRules::parse(observed.rules.iter().map(String::as_str)) {
                Ok(rules) => walk(&mut session, &rules, &case.tree, observed)?,
                Err(error) => {
                    observed.result = "bad-rules";
                    observed.message = Some(error.to_string());
                }
            }
            Ok(session.finish())
        }
    }
}

/// Has each path decided in its turn, as a walk does: what lies below a directory that was left out
/// or kept whole is not asked about.
fn walk(
    session: &mut FilterSession,
    rules: &FilterRules,
    tree: &[TreeEntry],
    observed: &mut Observed,
) -> Result<(), HookFailure> {
    let mut decided: Vec<(RelPath, Verdict)> = Vec::new();
    for entry in tree {
        let path: RelPath = entry
            .bare()
            .parse()
            .expect("a case whose tree has other names is refused before");
        let above = decided.iter().find(|(whole, _)| path.is_within(whole));
        let verdict = match above {
            Some((_, verdict)) => *verdict,
            None => decide(session, rules, &path, entry)?,
        };
        let whole = matches!(verdict, Verdict::SkipSubtree | Verdict::KeepSubtree);
        if whole && above.is_none() && entry.kind() == EntryKind::Directory {
            decided.push((path, verdict));
        }
        observed.verdicts.push(verdict);
    }
    Ok(())
}

fn decide(
    session: &mut FilterSession,
    rules: &FilterRules,
    path: &RelPath,
    entry: &TreeEntry,
) -> Result<Verdict, HookFailure> {
    let kind = entry.kind();
    match rules.verdict(path, kind == EntryKind::Directory) {
        filter::Verdict::Skip => return Ok(Verdict::Skip),
        filter::Verdict::SkipSubtree => return Ok(Verdict::SkipSubtree),
        filter::Verdict::Keep => {}
    }
    if session.approach().ask.is_none() {
        return Ok(Verdict::Keep);
    }
    let mut batch = session.batch();
    batch.push(path.as_bytes(), kind, entry.size.0, mtime(entry.age));
    let verdicts = session.decide(&batch)?;
    Ok(verdicts.first().copied().unwrap_or(Verdict::Keep))
}

/// The time that long ago, in nanoseconds since 1970.
fn mtime(age: Duration) -> i64 {
    let then = SystemTime::now().checked_sub(age);
    let since = then.and_then(|then| then.duration_since(UNIX_EPOCH).ok());
    i64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(i64::MAX)
}

impl Observed {
    fn note(&mut self, account: Account) {
        self.deeds = account.deeds.iter().map(deed_line).collect();
        let told = account.denials.iter();
        self.denials = told
            .map(|denial| format!("{denial}; what would help: {}", denial.remedy()))
            .collect();
        self.denials.dedup();
        self.log = account.log;
        self.computed = account.computed;
    }

    fn fail(&mut self, failure: HookFailure) {
        self.result = word(&failure.kind);
        self.message = Some(failure.kind.to_string());
        match failure.kind {
            FailureKind::Error { code, .. } => self.code = Some(code),
            FailureKind::Trap { backtrace, .. } => self.backtrace = backtrace,
            _ => {}
        }
        self.note(*failure.account);
    }
}

/// A failure in one word.
fn word(kind: &FailureKind) -> &'static str {
    match kind {
        FailureKind::Error { .. } => "error",
        FailureKind::Denied(_) => "denied",
        FailureKind::Trap { .. } => "trap",
        FailureKind::TimedOut { .. } => "timed-out",
        FailureKind::OutOfMemory { .. } => "out-of-memory",
        FailureKind::OutOfStack { .. } => "out-of-stack",
        FailureKind::BeyondLimit(_) => "beyond-limit",
        FailureKind::BadAnswer(_) => "bad-answer",
        FailureKind::NotExported => "not-exported",
        FailureKind::Interrupted | FailureKind::CutShort { .. } => "interrupted",
        FailureKind::Host(_) => "host",
    }
}

/// A deed as it stands in a file of cases:
/// `http.send method=POST url=https://ntfy.sh/backups body="12 bytes" -> 200`.
pub fn deed_line(deed: &Deed) -> String {
    let mut line = format!("{}.{}", deed.capability, deed.action);
    for (name, value) in &deed.arguments {
        let is_plain = !value.is_empty() && !value.contains([' ', '"', '=']);
        let value = value.replace(char::is_control, " ");
        let value = if is_plain {
            value
        } else {
            format!("{value:?}")
        };
        write!(line, " {name}={value}").expect("a String takes every write");
    }
    let result = match &deed.result {
        Ok(what) if what.is_empty() => String::new(),
        Ok(what) => format!(" -> {what}"),
        Err(why) => format!(" !! {why}"),
    };
    line.push_str(&result.replace(char::is_control, " "));
    line
}
