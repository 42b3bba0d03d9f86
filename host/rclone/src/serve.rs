//! The worker's side: rclone in a process of its own, driven through its standard input.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::ffi::{Answer, Library};
use crate::frame::{self, FromWorker, Start, Started, ToWorker};
use crate::options::{self, KnownOption, OptionProblem};
use crate::signals;

/// How long rclone may take to stop its transfers once the parent is gone.
const PARTING: Duration = Duration::from_secs(3);

/// Runs rclone for the parent process until it closes this one's standard input, or dies.
///
/// What `copal worker` is: requests come in on standard input and answers go out on standard
/// output, which nothing else in this process can reach. Never returns to its caller's work: what it
/// returns is the exit code to end with.
pub fn serve_worker() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(target: "rclone", "the worker's pipe failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    let (mut requests, answers) = take_pipes()?;
    signals::leave_to_parent()?;
    let answers = Answers(Arc::new(Mutex::new(answers)));
    let Some(ToWorker::Start(start)) = frame::read(&mut requests)? else {
        return Ok(());
    };
    let library = Library::wake();
    #[cfg(target_os = "linux")]
    end_with_parent(library, start.parent);
    let begun = begin(library, &start, &answers);
    let ready = matches!(begun, FromWorker::Started(_));
    answers.send(&begun);
    if !ready {
        return Ok(());
    }
    while let Some(message) = frame::read(&mut requests)? {
        if let ToWorker::Call { id, method, input } = message {
            let answers = answers.clone();
            thread::Builder::new().spawn(move || {
                let Answer { status, output } = library.call(&method, input.get());
                let output = raw(output);
                answers.send(&FromWorker::Answer { id, status, output });
            })?;
        }
    }
    cancel_everything(library);
    Ok(())
}

/// Takes standard input and output for the messages, and leaves `/dev/null` and standard error in
/// their places: a stray `print` of any backend would otherwise corrupt them.
fn take_pipes() -> io::Result<(File, File)> {
    const ABOVE_STANDARD: i32 = 3;
    let keep = |fd| rustix::io::fcntl_dupfd_cloexec(fd, ABOVE_STANDARD);
    let (input, output): (OwnedFd, OwnedFd) = (keep(stdin())?, keep(stdout())?);
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(stderr())?;
    Ok((input.into(), output.into()))
}

/// The way back to the parent, shared by all threads.
#[derive(Clone)]
struct Answers(Arc<Mutex<File>>);

impl Answers {
    fn send(&self, message: &FromWorker) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody is left to tell when this fails: the parent has gone, and the end of standard
        // input ends this process.
        if let Err(error) = frame::write(&mut *file, message) {
            tracing::debug!(target: "rclone", "an answer found no reader: {error}");
        }
    }
}

/// Sets rclone up. Options come before `initialize`, which starts what they are for.
fn begin(library: Library, start: &Start, answers: &Answers) -> FromWorker {
    match prepare(library, start) {
        Ok(problems) if !problems.is_empty() => return FromWorker::BadOptions(problems),
        Ok(_) => {}
        Err(failed) => return not_started(failed),
    }
    let lines = answers.clone();
    library.initialize(move |line| {
        if !line.echoes_a_call() {
            lines.send(&FromWorker::Log(line));
        }
    });
    match attempts(library) {
        Ok(attempts) => FromWorker::Started(Started { attempts }),
        Err(failed) => not_started(failed),
    }
}

fn not_started(Answer { status, output }: Answer) -> FromWorker {
    FromWorker::NotStarted {
        status,
        output: raw(output),
    }
}

fn prepare(library: Library, start: &Start) -> Result<Vec<OptionProblem>, Answer> {
    #[derive(Deserialize)]
    struct Reply {
        refused: BTreeMap<String, String>,
    }
    // rclone's library finds the default by rclone's own rules but does not read this variable. An
    // empty one means no file at all.
    if let Some(path) = std::env::var_os("RCLONE_CONFIG") {
        let path = path.to_string_lossy();
        ask::<serde::de::IgnoredAny>(library, "config/setpath", &json!({ "path": path }))?;
    }
    let known = known_options(library, start)?;
    let mut values = match options::check(&start.options, &known) {
        Ok(values) => values,
        Err(problems) => return Ok(problems),
    };
    // Nobody could answer a question that is asked here.
    values.insert("ask_password".into(), vec!["false".into()]);
    let log_level = start.log_level.as_option().to_owned();
    values.insert("log_level".into(), vec![log_level]);
    let reply: Reply = ask(library, "copal/set-options", &json!({ "options": values }))?;
    let told = reply.refused.iter();
    Ok(told
        .map(|(name, words)| options::refused_by_rclone(name, &start.options, &known, words))
        .collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OptionInfo {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
}

/// rclone's global options; and those of the backends where one of the wanted is none of these.
fn known_options(library: Library, start: &Start) -> Result<Vec<KnownOption>, Answer> {
    #[derive(Deserialize)]
    struct Global {
        main: Vec<OptionInfo>,
    }
    let global: Global = ask(library, "options/info", &json!({ "blocks": "main" }))?;
    let mut known: Vec<_> = global
        .main
        .into_iter()
        .map(|OptionInfo { name, kind }| KnownOption { name, kind })
        .collect();
    let is_known = |name: &String| {
        known
            .iter()
            .any(|option| option.name == name.replace('-', "_"))
    };
    if !start.options.keys().all(is_known) {
        known.append(&mut backend_options(library)?);
    }
    Ok(known)
}

fn backend_options(library: Library) -> Result<Vec<KnownOption>, Answer> {
    #[derive(Deserialize)]
    struct Reply {
        providers: Vec<Backend>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Backend {
        prefix: String,
        options: Vec<OptionInfo>,
    }
    let reply: Reply = ask(library, "config/providers", &json!({}))?;
    let mut known = Vec::new();
    for Backend { prefix, options } in reply.providers {
        known.extend(options.into_iter().map(|option| KnownOption {
            name: format!("{prefix}_{}", option.name),
            kind: option.kind,
        }));
    }
    Ok(known)
}

/// How often rclone's command line would try a copy; its library does not repeat by itself.
fn attempts(library: Library) -> Result<u32, Answer> {
    #[derive(Deserialize)]
    struct Reply {
        main: Main,
    }
    #[derive(Deserialize)]
    struct Main {
        #[serde(rename = "Retries")]
        retries: i64,
    }
    let reply: Reply = ask(library, "options/get", &json!({ "blocks": "main" }))?;
    Ok(u32::try_from(reply.main.retries).unwrap_or(1).max(1))
}

fn ask<T: for<'de> Deserialize<'de>>(
    library: Library,
    method: &str,
    input: &serde_json::Value,
) -> Result<T, Answer> {
    let answer = library.call(method, &input.to_string());
    if answer.status != 200 {
        return Err(answer);
    }
    serde_json::from_str(&answer.output).map_err(|error| Answer {
        status: 500,
        output: json!({ "error": format!("`{method}` answered in another form: {error}") })
            .to_string(),
    })
}

/// rclone's text as it is; should it not be JSON, as a JSON text, which the reader will refuse.
fn raw(output: String) -> Box<RawValue> {
    RawValue::from_string(output).unwrap_or_else(|error| {
        let text = serde_json::Value::String(format!("not JSON: {error}")).to_string();
        RawValue::from_string(text).expect("a JSON text is JSON")
    })
}

/// Ends this process when its parent does, although somebody else may hold the pipe open.
#[cfg(target_os = "linux")]
fn end_with_parent(library: Library, parent: u32) {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::{Pid, PidfdFlags, getppid, pidfd_open};

    let Some(parent) = i32::try_from(parent).ok().and_then(Pid::from_raw) else {
        return;
    };
    let watched = pidfd_open(parent, PidfdFlags::empty());
    if getppid() != Some(parent) {
        std::process::exit(0); // it has died already
    }
    let Ok(parent) = watched else {
        return; // an old kernel: the end of the pipe has to do
    };
    thread::spawn(move || {
        let mut ended = [PollFd::new(&parent, PollFlags::IN)];
        while poll(&mut ended, None).is_err() {}
        cancel_everything(library);
        std::process::exit(0);
    });
}

/// Stops all jobs, so that half-written files go and uploads are aborted, and waits a little.
fn cancel_everything(library: Library) {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Jobs {
        running_ids: Vec<i64>,
    }
    let running = || ask::<Jobs>(library, "job/list", &json!({})).unwrap_or_default();
    let Jobs { running_ids } = running();
    for id in &running_ids {
        // One that has ended meanwhile is not found, which is as good.
        library.call("job/stop", &json!({ "jobid": id }).to_string());
    }
    let deadline = Instant::now() + PARTING;
    while Instant::now() < deadline
        && running()
            .running_ids
            .iter()
            .any(|id| running_ids.contains(id))
    {
        thread::sleep(Duration::from_millis(20));
    }
}
