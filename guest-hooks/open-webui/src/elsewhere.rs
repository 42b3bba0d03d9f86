//! Uploads after a restore to another place: the app stores them by their absolute path.
//!
//! What counts is where the *app* finds its data, which in a container is the same wherever it lies on
//! the host. Only the owner can know that it is another place than before. Without that word nothing is
//! changed; with it, the paths below the one directory that most uploads are recorded in.

use copal_hook_sdk::{Error, ErrorExt, debug, info, sqlite, warn};
use serde::Deserialize;

use crate::WEBUI;
use crate::rows::{literal, rows};

/// A directory that uploads are recorded in.
#[derive(Deserialize)]
struct Recorded {
    /// With the slash at its end.
    directory: String,
    /// How many.
    uploads: u64,
}

impl Recorded {
    /// The data directory that it is the uploads of.
    fn data_dir(&self) -> Option<&str> {
        self.directory.strip_suffix("/uploads/")
    }
}

/// The slashes are what is left when all else is cut off the end.
const RECORDED: &str = "SELECT rtrim(path, replace(path, '/', '')) AS directory, count(*) AS uploads \
                        FROM file WHERE path LIKE '/%' GROUP BY directory ORDER BY uploads DESC, directory";

/// Has the rows name the uploads where the app finds them now.
pub(crate) fn find_uploads(data_dir: Option<&str>) -> Result<(), Error> {
    let Some(data_dir) = data_dir else {
        tell_where();
        return Ok(());
    };
    let data_dir = absolute(data_dir)?;
    let recorded: Vec<Recorded> = match rows(WEBUI, RECORDED, 100) {
        // Of a tree that is swapped back: what lay there before is as the app had it.
        Err(Error::Missing(_)) => return Ok(()),
        rows => rows.map_err(|why| why.about(WEBUI))?,
    };
    let Some((most, others)) = recorded.split_first() else {
        info!("there are no uploads whose paths could lead elsewhere");
        return Ok(());
    };
    match most.data_dir() {
        None => leave(most),
        Some(before) if before == data_dir => {
            info!(
                "{} uploads are recorded below `{data_dir}` already",
                most.uploads
            );
        }
        Some(before) => {
            let changed = sqlite::update(WEBUI, &statement(before, data_dir))?;
            info!("{changed} uploads are now recorded below `{data_dir}` and not `{before}`");
        }
    }
    for other in others
        .iter()
        .filter(|other| other.data_dir() != Some(data_dir))
    {
        leave(other);
    }
    Ok(())
}

fn tell_where() {
    let recorded: Vec<Recorded> = match rows(WEBUI, RECORDED, 1) {
        Ok(recorded) => recorded,
        Err(why) => {
            debug!("not known where uploads are recorded: {}", why.text());
            return;
        }
    };
    for Recorded { directory, uploads } in recorded {
        info!(
            "{uploads} uploads are recorded in `{directory}`, as the app sees it: where it finds its data elsewhere from now on, \
             say so by `data_dir` in this hook's config and restore again"
        );
    }
}

fn leave(Recorded { directory, uploads }: &Recorded) {
    warn!(
        "{uploads} uploads are recorded in `{directory}`, where other uploads are not: their paths are left as they are"
    );
}

/// Only what lies in `uploads/` itself: the app has no directories there.
fn statement(before: &str, now: &str) -> String {
    let (before, now) = (
        literal(&format!("{before}/uploads/")),
        literal(&format!("{now}/uploads/")),
    );
    format!(
        "UPDATE file SET path = {now} || substr(path, length({before}) + 1) \
         WHERE rtrim(path, replace(path, '/', '')) = {before}"
    )
}

fn absolute(data_dir: &str) -> Result<&str, Error> {
    let whole = data_dir.trim_end_matches('/');
    let is_clear = whole
        .split('/')
        .skip(1)
        .all(|part| !["", ".", ".."].contains(&part));
    if !whole.starts_with('/') || !is_clear || whole.contains(char::is_control) {
        return Err(Error::Invalid(format!(
            "config.data_dir `{data_dir}` is no absolute path without `.` and `..`: write where the app finds its data, \
             for example `/app/backend/data`"
        )));
    }
    Ok(whole)
}
