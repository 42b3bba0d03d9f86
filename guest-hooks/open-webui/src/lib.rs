//! Knows Open WebUI by heart: what its data directory holds, and in which order it has to be copied.
//!
//! `webui.db` comes first, then the vectors, and the uploads when the host walks the source: the app
//! writes a file before the row that names it, so that every row in the copy has its file. Chroma's
//! database and the index files beside it are one moment.
//!
//! After a restore in place it has the rows name the uploads where the app finds them now, and in a
//! drill it tries whether the copy would work.
//!
//! Config: `vectors`, `tree` (the default) or `archive` for one `vector_db.tar.gz`; `secret_key =
//! "kept"` says that the owner keeps a copy of the secret key elsewhere; `data_dir`, where the app finds
//! its data. Wants the grants `sqlite`, `query` for `webui.db`, and `archive` for `vector_db`; with a
//! `data_dir` also `update` for `webui.db`, and for drills `query` for Chroma's database and `files`.
#![forbid(unsafe_code)]

mod drill;
mod elsewhere;
mod look;
mod rows;

use copal_hook_sdk::archive::{self, Format};
use copal_hook_sdk::report::Outcome;
use copal_hook_sdk::{
    Drill, Error, ErrorExt, PostRestore, PreBackup, PreRestore, Report, info, sqlite, warn,
};
use serde::Deserialize;

/// Everything relational.
const WEBUI: &str = "webui.db";
/// Chroma's directory.
const VECTORS: &str = "vector_db";
/// Chroma's database.
const CHROMA: &str = "vector_db/chroma.sqlite3";

struct OpenWebUi;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    vectors: Vectors,
    secret_key: Option<SecretKey>,
    /// Where the app finds its data: in a container the path there.
    data_dir: Option<String>,
}

#[derive(Default, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Vectors {
    #[default]
    Tree,
    Archive,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SecretKey {
    Kept,
}

impl PreBackup for OpenWebUi {
    type Config = Config;

    fn run(config: Config) -> Result<(), Error> {
        let databases = sqlite::databases()?;
        let has = |name: &str| databases.iter().any(|database| database == name);
        if !has(WEBUI) {
            return Err(Error::Missing(format!(
                "{WEBUI}: with DATABASE_URL the app keeps its rows elsewhere, and a backup of this directory is not one of the app"
            )));
        }
        if config.secret_key.is_none() {
            warn!(
                "the secret key (WEBUI_SECRET_KEY, or the file `.webui_secret_key` where the app was started) is not in the data directory: \
                 without it sessions end and tokens can't be read after a restore; keep a copy, and say `secret_key = \"kept\"`"
            );
        }
        look::who_has_it_open(WEBUI)?;
        copy(WEBUI)?;
        look::at_rows(WEBUI)?;
        if has(CHROMA) {
            copy_vectors(config.vectors)?;
        } else {
            look::at_missing_vectors(WEBUI)?;
        }
        let others = databases.iter().map(String::as_str);
        for other in others.filter(|name| ![WEBUI, CHROMA].contains(name)) {
            copy(other)?;
        }
        Ok(())
    }
}

impl PreRestore for OpenWebUi {
    type Config = Config;

    /// Copal compares the version that the app has now with the snapshot's.
    fn run(_: Config) -> Result<(), Error> {
        look::at_live_version(WEBUI)
    }
}

impl PostRestore for OpenWebUi {
    type Config = Config;

    fn run(config: Config, report: &Report) -> Result<(), Error> {
        match report.outcome() {
            Outcome::Succeeded | Outcome::Warned => {
                elsewhere::find_uploads(config.data_dir.as_deref())
            }
            // What lies there is what lay there before.
            Outcome::Failed | Outcome::Interrupted | Outcome::Abandoned => Ok(()),
        }
    }
}

impl Drill for OpenWebUi {
    type Config = Config;

    fn run(_: Config) -> Result<(), Error> {
        drill::try_copy()
    }
}

fn copy(database: &str) -> Result<(), Error> {
    let copied = sqlite::backup(database).map_err(|error| error.about(database))?;
    match copied.pages.saturating_mul(copied.page_size.into()) {
        // In a dry run, which copies nothing.
        0 => info!("would copy {database}"),
        bytes => info!("copied {database}: {bytes} bytes"),
    }
    Ok(())
}

fn copy_vectors(vectors: Vectors) -> Result<(), Error> {
    let copied =
        sqlite::backup_with(CHROMA, &[VECTORS.to_owned()]).map_err(|error| error.about(CHROMA))?;
    match copied.pages.saturating_mul(copied.page_size.into()) {
        0 => info!("would copy {VECTORS} as one moment with {CHROMA}"),
        bytes => info!("copied {VECTORS} as one moment, with {bytes} bytes of {CHROMA}"),
    }
    if vectors == Vectors::Archive {
        let made = archive::create(VECTORS, Format::TarGz).map_err(|error| error.about(VECTORS))?;
        match made.archive_bytes {
            0 => info!("would archive {VECTORS}"),
            bytes => info!(
                "archived {VECTORS}: {} entries, {bytes} bytes",
                made.entries
            ),
        }
    }
    Ok(())
}

copal_hook_sdk::hook!(OpenWebUi: PreBackup, PreRestore, PostRestore, Drill);
