//! From `[source]` and `[docker]` to what is backed up, and who knows where it lies.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::reader::{Field, Table, Unfit};
use super::sections::path_of;
use super::service_sections::docker_name;
use super::words::{listed, quoted};
use super::{Docker, Source};

pub(super) fn source(top: &mut Table<'_>) -> Option<Source> {
    let why = "nothing says what to back up";
    let next = "add the lines `[source]` and `path = \"/opt/open-webui\"`";
    let field = top.require("source", why, next)?;
    if let DeValue::Array(_) = field.value() {
        let next = "write `[source]` once; a second source needs a file of its own";
        top.problems.report(
            &field.span,
            "`source` is a list",
            "a job has one source",
            next,
        );
        return None;
    }
    let mut table = field.table("[source]")?;
    let given: Vec<_> = ["path", "volume", "container"]
        .into_iter()
        .filter(|key| table.has(key))
        .collect();
    if given.len() > 1 {
        let what = format!("`source` has {}", listed(&given));
        let why = "a job has one source";
        let next = "keep one of them; a second source needs a file of its own";
        table.problems.report(&table.span, what, why, next);
    }
    let example = "path = \"/opt/open-webui\"";
    let path = if given.is_empty() {
        table.require("path", why, &format!("add a line such as `{example}`"))
    } else {
        table.take("path")
    };
    let path = path.and_then(|field| {
        Some(Source::Path {
            path: path_of(&field, example)?,
            place: Some(field.place()),
        })
    });
    let volume = table.take("volume").and_then(|field| {
        Some(Source::Volume {
            volume: docker_name(&field, "a volume", "volume = \"open-webui\"")?,
            place: Some(field.place()),
        })
    });
    let container = container(&mut table);
    table.finish();
    let source = path.or(volume).or(container);
    source.filter(|_| given.len() == 1)
}

fn container(table: &mut Table<'_>) -> Option<Source> {
    let container = table.take("container");
    let mount = table.take("mount");
    if let (None, Some(mount)) = (&container, &mount) {
        mount.problems.report(
            &mount.span,
            format!("`{}` speaks of no container", mount.path),
            "it says which mount of a container is backed up",
            "name the container with `container = \"open-webui\"`, or remove the line",
        );
    }
    // The outer `None` is a problem that was reported, the inner one a missing key.
    let mount = mount.map_or(Some(None), |field| {
        absolute(&field, "mount = \"/app/backend/data\"").map(Some)
    });
    let field = container?;
    Some(Source::Container {
        container: docker_name(&field, "a container", "container = \"open-webui\"")?,
        mount: mount?,
        place: Some(field.place()),
    })
}

/// A path as a container sees it.
fn absolute(field: &Field<'_>, example: &str) -> Option<PathBuf> {
    let path = path_of(field, example)?;
    let path = path.as_written();
    if path.is_absolute() {
        return Some(path.to_owned());
    }
    let what = format!("`{}` is not a usable path", field.path);
    let why = "it is the path that the container sees, and begins with `/`";
    let next = format!("write for example `{example}`");
    field.problems.report(&field.span, what, why, next);
    None
}

pub(super) fn docker(top: &mut Table<'_>) -> Option<Docker> {
    let Some(field) = top.take("docker") else {
        return Some(Docker::default());
    };
    let mut table = field.table("[docker]")?;
    let host = table.take("host");
    table.finish();
    let Some(field) = host else {
        return Some(Docker::default());
    };
    Some(Docker {
        socket: Some(field.read(HOST_EXAMPLE, socket)?),
        place: Some(field.place()),
    })
}

const HOST_EXAMPLE: &str = "host = \"unix:///var/run/docker.sock\"";

fn socket(text: &str) -> Result<PathBuf, Unfit> {
    let unfit = |why: &str| Unfit {
        what: format!("Docker can't be reached at {}", quoted(text)),
        why: why.to_owned(),
        next: format!("write for example `{HOST_EXAMPLE}`"),
    };
    let Some(path) = text.strip_prefix("unix://") else {
        return Err(unfit(
            "Copal speaks to the engine of this machine alone, by its socket",
        ));
    };
    if path.contains('\0') {
        return Err(unfit("no path holds a NUL character"));
    }
    if !Path::new(path).is_absolute() {
        return Err(unfit("the socket's path begins with `/`, after `unix://`"));
    }
    Ok(path.into())
}
