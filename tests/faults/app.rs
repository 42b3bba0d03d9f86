//! The app: `front`, which is paused, and `back`, which is stopped. `idle` belongs to it and is down.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use copal_testkit::{DockerEngine, Output, TestContainer, World, wait_until};

use crate::processes::guards_below;
use crate::states::states;

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Writes the same number into two files, one after the other, for ever: a copy of one moment has
/// them equal, or the second one behind by one.
const FRONT: &str = "cd /data; i=$(cat second || echo 0); while :; do i=$((i+1)); echo $i >.front; mv .front first; echo $i >.front; mv .front second; usleep 10000; done";

/// Adds to a log until it is told to end.
const BACK: &str = "trap 'exit 0' TERM; cd /data; while :; do date >>log; usleep 20000; done";

/// The app, and the world whose job backs it up.
pub(crate) struct LiveApp<'a> {
    pub(crate) world: World,
    pub(crate) engine: &'a DockerEngine,
    front: TestContainer<'a>,
    back: TestContainer<'a>,
    idle: TestContainer<'a>,
    known: BTreeSet<String>,
    state: PathBuf,
}

impl<'a> LiveApp<'a> {
    /// Starts it. `name` keeps it apart from others of the same engine.
    pub(crate) fn start(engine: &'a DockerEngine, name: &str) -> Self {
        let world = World::new(env!("CARGO_BIN_EXE_copal"));
        for n in 0..20 {
            world.write(
                format!("source/letters/{n}"),
                format!("letter {n}\n").repeat(500),
            );
        }
        let data = format!("{}:/data", world.source().display());
        let run = |part: &str, restart: &str, script: &str| {
            let options = ["--volume", &data, "--restart", restart];
            let name = format!("{name}-{part}");
            engine.run(&name, &options, script).unwrap()
        };
        let app = Self {
            front: run("front", "always", FRONT),
            back: run("back", "always", BACK),
            idle: run("idle", "no", "true"),
            known: BTreeSet::new(),
            state: world.path("home/.local/state"),
            world,
            engine,
        };
        app.idle.wait_for("exited");
        let wrote = || (app.world.path("source/second").exists() && app.is_well()).then_some(());
        wait_until("the app to write", PATIENCE, wrote).unwrap();
        app.configure("", "");
        app
    }

    /// The job, with these lines of `[staging]`, and these hooks after those that hold.
    pub(crate) fn configure(&self, staging: &str, hooks: &str) {
        let services: String = [&self.front, &self.back, &self.idle]
            .map(|container| {
                let name = &container.name;
                let part = name.rsplit('-').next().unwrap();
                format!("[service.{part}]\ndriver = \"docker\"\ncontainer = \"{name}\"\nready = \"60s\"\n\n")
            })
            .concat();
        let host = self.engine.host();
        self.world.write(
            "copal.toml",
            format!(
                r#"name = "letters"
source.path = "source"
destination = [{{ remote = "vault:" }}]

[docker]
host = "{host}"

[staging]
{staging}

[[hook]]
name = "pausing"
use = "quiesce"
config = {{ how = "pause" }}
grants = {{ service = ["front"] }}

[[hook]]
name = "stopping"
use = "quiesce"
config = {{ how = "stop", grace = "10s" }}
grants = {{ service = ["back", "idle"] }}

{hooks}{services}"#
            ),
        );
    }

    /// Has Copal keep its state here.
    pub(crate) fn keep_state_at(&mut self, state: &Path) {
        self.world.set("XDG_STATE_HOME", state);
        state.clone_into(&mut self.state);
    }

    /// Waits until the guard of a run that was killed has been killed as well: it has the journal
    /// unlocked then.
    pub(crate) fn guard_is_gone(&self, killed: Instant) -> Result<(), String> {
        let gone = || self.guards().is_empty().then_some(());
        let waited = wait_until("the guard's end", PATIENCE, gone);
        waited.map_err(|error| format!("{error}, {:?} after the kill", killed.elapsed()))
    }

    /// Those over this app's journals.
    fn guards(&self) -> Vec<u32> {
        guards_below(&self.state)
    }

    /// Whether what ran before runs. An engine that is away runs nothing.
    pub(crate) fn is_well(&self) -> bool {
        let states = states(self.engine).unwrap_or_default();
        let runs = |container: &TestContainer<'_>| {
            states
                .get(&container.name)
                .is_some_and(|state| state == "running")
        };
        runs(&self.front) && runs(&self.back)
    }

    /// What was down is down.
    pub(crate) fn leaves_the_idle(&self) -> Result<(), String> {
        let states = states(self.engine).unwrap_or_default();
        let state = states.get(&self.idle.name).cloned().unwrap_or_default();
        if state == "exited" && self.idle.lines() == 0 && self.restarts_of_idle() == "0" {
            return Ok(());
        }
        Err(format!("what was down is `{state}`"))
    }

    fn restarts_of_idle(&self) -> String {
        self.idle.inspect("{{.RestartCount}}").unwrap_or_default()
    }

    /// The journals that there are.
    pub(crate) fn journals(&self) -> usize {
        fs::read_dir(self.state.join("copal/holds"))
            .into_iter()
            .flatten()
            .count()
    }

    /// Waits until all is well and nobody is at it any more; how long after `since` something was last
    /// seen down.
    pub(crate) fn is_back(&self, since: Instant, within: Duration) -> Result<Duration, String> {
        let mut down = Duration::ZERO;
        let well = || {
            let is_well = self.is_well();
            if !is_well {
                down = since.elapsed();
            }
            (is_well && self.guards().is_empty() && self.held_in_journals() == 0).then_some(())
        };
        let waited = wait_until("all to be back", PATIENCE, well);
        if let Err(error) = waited {
            let (states, guards) = (states(self.engine), self.guards());
            let journals = self.journal_texts().join("\n");
            return Err(format!(
                "{error}: {states:?}, guards {guards:?}, journals:\n{journals}"
            ));
        }
        if down > within {
            return Err(format!(
                "it was back after {down:?}, and not within {within:?}"
            ));
        }
        Ok(down)
    }

    /// How many holds journals tell of. A run that was killed before it held anything leaves one
    /// without, for the next command to remove.
    fn held_in_journals(&self) -> usize {
        let texts = self.journal_texts();
        let held = texts.iter().map(|text| text.matches("\"holding\"").count());
        held.sum()
    }

    fn journal_texts(&self) -> Vec<String> {
        let journals = fs::read_dir(self.state.join("copal/holds"));
        let texts = journals.into_iter().flatten().map(|entry| {
            // It may be gone by now.
            fs::read_to_string(entry.unwrap().path()).unwrap_or_default()
        });
        texts.collect()
    }

    /// A run that nothing befalls.
    pub(crate) fn goes_on(&mut self) -> Result<Duration, String> {
        let began = Instant::now();
        let output = self.world.copal(&["backup", "--json"]);
        let took = began.elapsed();
        if output.code() != Some(0) {
            return Err(format!("the next run fails: {output}"));
        }
        if !self.is_well() || self.journals() > 0 {
            return Err("the next run left something down, or a journal".to_owned());
        }
        self.all_are_whole()?;
        Ok(took)
    }

    /// Every snapshot that is visible is whole, and of one moment. The older ones are removed.
    pub(crate) fn all_are_whole(&mut self) -> Result<(), String> {
        let listed = self.world.copal(&["snapshots", "--json"]);
        if listed.code() != Some(0) {
            return Err(format!("{listed}"));
        }
        let ids: Vec<String> = listed
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["snapshot"].as_str().unwrap_or("damaged").to_owned())
            .collect();
        for id in ids.iter().filter(|id| !self.known.contains(*id)) {
            let verified = self.world.copal(&["verify", "--full", id]);
            if verified.code() != Some(0) {
                return Err(format!("a half snapshot: {verified}"));
            }
            self.is_of_one_moment(id)?;
        }
        self.known.extend(ids.iter().cloned());
        for id in ids.iter().rev().skip(2) {
            fs::remove_dir_all(self.world.vault().join("letters").join(id)).unwrap();
        }
        Ok(())
    }

    fn is_of_one_moment(&self, id: &str) -> Result<(), String> {
        let folder = self.world.vault().join("letters").join(id);
        let number = |name: &str| {
            let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
            let number = text.trim().parse::<u64>();
            number.map_err(|_| format!("`{name}` of {id} says «{text}»"))
        };
        let (first, second) = (number("first")?, number("second")?);
        if first == second || first == second + 1 {
            return Ok(());
        }
        Err(format!("{id} is of two moments: {first} and {second}"))
    }

    /// Repairs what a trial that failed left, so that it fails no other.
    pub(crate) fn mend(&self) {
        if self.is_well() && self.journals() == 0 {
            return;
        }
        let _may_be_nothing = self.world.copal(&["recover"]);
        for container in [&self.front, &self.back] {
            drop(self.engine.docker(&["unpause", &container.id]));
            drop(self.engine.docker(&["start", &container.id]));
        }
        drop(fs::remove_dir_all(self.state.join("copal/holds")));
        wait_until("the app to be mended", PATIENCE, || {
            self.is_well().then_some(())
        })
        .unwrap();
    }
}

/// Nothing was sealed by a run that failed.
pub(crate) fn sealed_nothing(output: &Output) -> Result<(), String> {
    if output.stdout().contains("sealed") {
        return Err(format!("it sealed a snapshot: {output}"));
    }
    Ok(())
}
