//! How long an app stands still while it is backed up, by the app's own clock.
//!
//! The app runs in a container of a real engine: a thread of it looks at the clock each millisecond, and
//! another writes to its database. What is between two looks is its pause, with all that the engine and
//! the system add to it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use copal_testkit::{DockerEngine, FileSystem, Mount, World, docker_engine, wait_until};
use rusqlite::Connection;

use crate::data;
use crate::figures::Spread;

/// What the source holds.
struct Load {
    database_bytes: usize,
    upload_bytes: usize,
}

const UPLOADS: usize = 10_000;

/// What the goal speaks of.
const LARGE: Load = Load {
    database_bytes: 1_000_000_000,
    upload_bytes: 4_096,
};

/// As many files, and little enough to be uploaded at 1 MB/s over and over.
const SMALL: Load = Load {
    database_bytes: 1_000_000,
    upload_bytes: 200,
};

/// A pause differs from the next by more than the ratio that is looked for, so that it takes many.
const PAIRS: usize = 4;

const WANTED: Duration = Duration::from_millis(250);

/// A gap between two looks at the clock that is told.
const NOTICED: Duration = Duration::from_millis(10);

/// The rows that the app writes.
const ROWS: i64 = 1000;

/// What a container needs to run this program.
const SYSTEM: [&str; 3] = ["/lib", "/lib64", "/usr"];

/// Measures and prints, `times` for each.
pub(crate) fn run(copal: &Path, times: usize) -> anyhow::Result<()> {
    let Some(engine) = docker_engine() else {
        return Ok(());
    };
    println!(
        "\nhow long an app in a container is paused, by its own clock: {UPLOADS} uploads and a"
    );
    println!(
        "database of 1 GB in WAL mode that is written to; {times} times (at most {WANTED:?} is wanted), the\n\
         uploads of less data {PAIRS} times as often\n"
    );
    println!("                          least    median      most");
    for (kind, mebibytes) in [(FileSystem::Ext4, 4096), (FileSystem::Xfs, 4096)] {
        let Some(mount) = Mount::new(kind, mebibytes) else {
            continue;
        };
        let app = App::on(&mount, engine, copal, "large", &LARGE)?;
        row(&format!("{kind:?}"), &app.pauses(None, times)?);
        row("  the engine alone", &app.engine_alone(times)?);
        drop(app);
        let app = App::on(&mount, engine, copal, "small", &SMALL)?;
        compare(&app, times)?;
    }
    Ok(())
}

/// In turns, and each of them first as often as the other, so that whatever else the machine does befalls both.
fn compare(app: &App<'_>, times: usize) -> anyhow::Result<()> {
    let (mut slow, mut quick) = (Vec::new(), Vec::new());
    for pair in 0..times * PAIRS {
        let mut both = [("1M", &mut slow), ("100M", &mut quick)];
        if pair % 2 == 1 {
            both.reverse();
        }
        for (rate, pauses) in both {
            pauses.extend(app.pauses(Some(rate), 1)?);
        }
    }
    row("  less data, at 1 MB/s", &slow);
    row("  less data, at 100 MB/s", &quick);
    let ratio = Spread::of(slow).median / Spread::of(quick).median;
    println!("  the slow upload's pause is {ratio:.2} of the quick one's (0.95 to 1.05 is wanted)");
    Ok(())
}

fn row(name: &str, milliseconds: &[f64]) {
    let Spread { low, median, high } = Spread::of(milliseconds.to_vec());
    println!("  {name:22} {low:6.0} ms {median:6.0} ms {high:6.0} ms");
}

/// The app, and the world in which it is backed up.
struct App<'a> {
    world: World,
    gaps: PathBuf,
    container: copal_testkit::TestContainer<'a>,
    _place: tempfile::TempDir,
}

impl<'a> App<'a> {
    fn on(
        mount: &Mount,
        engine: &'a DockerEngine,
        copal: &Path,
        name: &str,
        load: &Load,
    ) -> anyhow::Result<Self> {
        let source = mount.path().join(name);
        make(&source, load)?;
        let place = tempfile::Builder::new().prefix("copal-bench-").tempdir()?;
        let world = World::within(place.path(), copal);
        let own = std::env::current_exe()?;
        let mut options: Vec<String> = SYSTEM
            .iter()
            .map(|path| format!("--volume={path}:{path}:ro"))
            .collect();
        for (from, to) in [
            (&own, "/app:ro"),
            (&source, "/data"),
            (&world.path("tmp"), "/told"),
        ] {
            options.push(format!("--volume={}:{to}", from.display()));
        }
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let name = format!("bench-{name}-{}", std::process::id());
        let script = "exec /app be-an-app /data /told/gaps";
        let container = engine.run(&name, &options, script)?;
        let gaps = world.path("tmp/gaps");
        let minute = Duration::from_mins(1);
        wait_until("the app to run", minute, || gaps.exists().then_some(()))?;
        let app = Self {
            world,
            gaps,
            container,
            _place: place,
        };
        app.configure(engine, &source);
        Ok(app)
    }

    fn configure(&self, engine: &DockerEngine, source: &Path) {
        let Self {
            world, container, ..
        } = self;
        let text = format!(
            "name = 'app'\nsource.path = '{}'\ndestination = [{{ remote = 'vault:' }}]\n\
             docker.host = '{}'\n\
             [service.app]\ndriver = 'docker'\ncontainer = '{}'\n\
             [[hook]]\nuse = 'quiesce'\nconfig = {{ how = 'pause' }}\ngrants = {{ service = ['app'] }}\n\
             [[hook]]\nuse = 'sqlite-backup'\ngrants = {{ sqlite = ['*'] }}\n",
            source.display(),
            engine.host(),
            container.name,
        );
        world.write("copal.toml", &text);
        for rate in ["1M", "100M"] {
            let limited = format!("{text}[rclone]\nbwlimit = '{rate}'\n");
            world.write(format!("{rate}.toml"), limited);
        }
    }

    /// The pause of each of so many backups, in milliseconds.
    fn pauses(&self, rate: Option<&str>, times: usize) -> anyhow::Result<Vec<f64>> {
        let file = rate.map_or("copal.toml".to_owned(), |rate| format!("{rate}.toml"));
        (0..times)
            .map(|_| {
                self.forget_snapshots()?;
                self.longest_during(|| {
                    self.world.copal(&["-c", &file, "backup"]).succeeds();
                    Ok(())
                })
            })
            .collect()
    }

    fn engine_alone(&self, times: usize) -> anyhow::Result<Vec<f64>> {
        let docker = |what| self.container.engine.docker(&[what, &self.container.id]);
        (0..times)
            .map(|_| {
                self.longest_during(|| {
                    docker("pause")?;
                    docker("unpause").map(drop)
                })
            })
            .collect()
    }

    fn longest_during(&self, deed: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
        let before = fs::read_to_string(&self.gaps)?.len();
        deed()?;
        let told = fs::read_to_string(&self.gaps)?;
        let gaps = told[before..].lines().map(str::parse::<f64>);
        let gaps = gaps.collect::<Result<Vec<f64>, _>>()?;
        gaps.into_iter()
            .reduce(f64::max)
            .context("the app was not paused")
    }

    /// Each backup uploads everything.
    fn forget_snapshots(&self) -> anyhow::Result<()> {
        fs::remove_dir_all(self.world.vault())?;
        fs::create_dir(self.world.vault())?;
        rustix::fs::sync();
        Ok(())
    }
}

/// The source: uploads that were made an hour ago, and a database.
fn make(source: &Path, load: &Load) -> anyhow::Result<()> {
    let mut random = copal_testkit::Random::new(1, "pause");
    let then = SystemTime::now() - Duration::from_hours(1);
    for n in 0..UPLOADS {
        let folder = source.join(format!("uploads/{:02}", n % 20));
        fs::create_dir_all(&folder)?;
        let mut file = fs::File::create(folder.join(format!("{n:05}-document.pdf")))?;
        file.write_all(&random.bytes(load.upload_bytes))?;
        file.set_modified(then)?;
    }
    data::make_database(
        &source.join(data::DATABASE),
        &mut random,
        load.database_bytes,
    )
}

/// The app itself, in its container: looks at the clock, tells of gaps, and writes rows.
pub(crate) fn be_an_app(directory: &Path, gaps: &Path) -> anyhow::Result<()> {
    let database = directory.join(data::DATABASE);
    std::thread::spawn(move || {
        let written = write_on(&database);
        if let Err(error) = written {
            println!("the app can't write: {error}");
        }
    });
    let mut told = fs::File::create(gaps)?;
    let mut last = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(1));
        let gap = last.elapsed();
        if gap >= NOTICED {
            writeln!(told, "{:.3}", gap.as_secs_f64() * 1000.0)?;
        }
        last = Instant::now();
    }
}

fn write_on(database: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    // What a disk takes for an fsync is not what is measured.
    connection.pragma_update(None, "synchronous", "OFF")?;
    let newest: i64 = connection.query_row("SELECT max(id) FROM item", [], |row| row.get(0))?;
    // Over and over the same rows, so that what is measured last has no more to send than what came first.
    for id in (newest + 1..=newest + ROWS).cycle() {
        let row = "INSERT OR REPLACE INTO item VALUES (?1, hex(randomblob(16)), randomblob(200))";
        connection.execute(row, [id])?;
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
