//! From `[service.NAME]` tables to [`Service`]s.

use std::time::Duration;

use super::command_sections::words;
use super::named_tables::{Tables, tables};
use super::reader::{Field, Table, Unfit, all};
use super::sections::duration;
use super::words::{quoted, suggestion};
use super::{Name, Service, ServiceCommands, ServiceDriver};

/// How long a release waits where nothing is said.
const READY: Duration = Duration::from_mins(1);

/// How long a command that stops or starts a service may take where nothing is said.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A line that could stand in `[service.NAME]`.
pub(super) const SERVICE_EXAMPLE: &str = "driver = \"docker\"";

const DRIVERS: [&str; 4] = ["docker", "compose", "systemd", "command"];

pub(super) fn services(top: &mut Table<'_>) -> Tables<Service> {
    tables(top, "service", "[service.app]", service)
}

fn service(name: Name, field: &Field<'_>) -> Option<Service> {
    let mut table = field.table("[service.app]")?;
    let why = "nothing says what the service is";
    let next = format!("add a line such as `{SERVICE_EXAMPLE}`");
    let driver = table.require("driver", why, &next)?;
    let ready = table.take("ready");
    let place = Some(driver.place());
    let kind = driver.read(SERVICE_EXAMPLE, |text| {
        let known = DRIVERS.into_iter().find(|known| *known == text);
        known.ok_or_else(|| unknown_driver(text))
    })?;
    let driver = match kind {
        "docker" => docker(&mut table),
        "compose" => compose(&mut table),
        "systemd" => systemd(&mut table),
        _ => command(&mut table),
    };
    table.finish();
    let ready = ready.map_or(Some(READY), |field| duration(&field, "ready = \"60s\""));
    Some(Service {
        name,
        driver: driver?,
        ready: ready?,
        place,
    })
}

fn unknown_driver(text: &str) -> Unfit {
    Unfit {
        what: format!("there is no driver {}", quoted(text)),
        why: "services are containers, Compose projects, systemd units, or what two commands stop and start".to_owned(),
        next: match text {
            "podman" => "write `driver = \"docker\"`, and Podman's socket as `host` under `[docker]`"
                .to_owned(),
            _ => suggestion(text, &DRIVERS).unwrap_or_else(|| {
                "the drivers are `docker`, `compose`, `systemd` and `command`".to_owned()
            }),
        },
    }
}

fn docker(table: &mut Table<'_>) -> Option<ServiceDriver> {
    let example = "container = \"open-webui\"";
    let why = "nothing says which container is held";
    let field = table.require("container", why, &format!("add a line such as `{example}`"))?;
    let container = docker_name(&field, "a container", example)?;
    Some(ServiceDriver::Docker { container })
}

fn compose(table: &mut Table<'_>) -> Option<ServiceDriver> {
    let example = "project = \"open-webui\"";
    let why = "nothing says which project's containers are held";
    let project = table.require("project", why, &format!("add a line such as `{example}`"));
    let services = table.take("services");
    let project = project.and_then(|field| docker_name(&field, "a project", example));
    let services = services.map_or(Some(Vec::new()), |field| compose_services(&field));
    Some(ServiceDriver::Compose {
        project: project?,
        services: services?,
    })
}

fn compose_services(field: &Field<'_>) -> Option<Vec<Name>> {
    let example = "services = [\"open-webui\"]";
    let members = field.list("a list of the project's services", example)?;
    if members.is_empty() {
        let what = format!("`{}` is empty", field.path);
        let next = "name one, or remove the line: then all of the project's are held";
        field
            .problems
            .report(&field.span, what, "there would be nothing to hold", next);
        return None;
    }
    let one = |member: &Field<'_>| docker_name(member, "a service of a project", example);
    all(members.iter().map(one))
}

/// A name as Docker takes them.
pub(super) fn docker_name(field: &Field<'_>, kind: &str, example: &str) -> Option<Name> {
    let unfit = |text: &str, why: String| Unfit {
        what: format!("{kind} can't be called {}", quoted(text)),
        why,
        next: format!("write for example `{example}`"),
    };
    field.read(example, |text| {
        let name: Name = text
            .parse()
            .map_err(|why: super::InvalidName| unfit(text, why.to_string()))?;
        if text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            Ok(name)
        } else {
            let why = "Docker's names begin with a letter or a digit";
            Err(unfit(text, why.to_owned()))
        }
    })
}

fn systemd(table: &mut Table<'_>) -> Option<ServiceDriver> {
    let example = "unit = \"open-webui.service\"";
    let why = "nothing says which unit is held";
    let unit = table.require("unit", why, &format!("add a line such as `{example}`"));
    let user = table.take("user");
    let unit = unit.and_then(|field| field.read(example, |text| unit_name(text, example)));
    let user = user.map_or(Some(false), |field| {
        let given = field.value().as_bool();
        given.or_else(|| field.mistyped("true or false", "user = true"))
    });
    Some(ServiceDriver::Systemd {
        unit: unit?,
        user: user?,
    })
}

fn unit_name(text: &str, example: &str) -> Result<String, Unfit> {
    let unfit = |why: &str| Unfit {
        what: format!("no unit is called {}", quoted(text)),
        why: why.to_owned(),
        next: format!("write for example `{example}`"),
    };
    let is_allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.' | '\\' | '@');
    if text.starts_with('-') || !text.chars().all(is_allowed) || text.len() > 255 {
        let why = "a unit's name has letters, digits and `:-_.\\@`, and does not begin with `-`";
        return Err(unfit(why));
    }
    match text.rsplit_once('.') {
        Some((stem, "service" | "target" | "socket" | "slice" | "scope"))
            if !stem.is_empty() && !stem.ends_with('@') =>
        {
            Ok(text.to_owned())
        }
        _ => Err(unfit(
            "it is written with its kind at the end, and a template with its instance",
        )),
    }
}

fn command(table: &mut Table<'_>) -> Option<ServiceDriver> {
    let example = "stop = [\"/etc/init.d/app\", \"stop\"]";
    let stop = table.require("stop", "nothing says how it is stopped", &add(example));
    let start_example = "start = [\"/etc/init.d/app\", \"start\"]";
    let why = "nothing says how it is started again";
    let start = table.require("start", why, &add(start_example));
    let state = table.take("state");
    let timeout = table.take("timeout");
    let stop = stop.and_then(|field| run(&field, example));
    let start = start.and_then(|field| run(&field, start_example));
    // The outer `None` is a problem that was reported, the inner one a missing key.
    let state = state.map_or(Some(None), |field| {
        run(&field, "state = [\"/etc/init.d/app\", \"status\"]").map(Some)
    });
    let timeout = timeout.map_or(Some(TIMEOUT), |field| duration(&field, "timeout = \"60s\""));
    Some(ServiceDriver::Command(ServiceCommands {
        stop: stop?,
        start: start?,
        state: state?,
        timeout: timeout?,
    }))
}

fn add(example: &str) -> String {
    format!("add a line such as `{example}`")
}

fn run(field: &Field<'_>, example: &str) -> Option<Vec<String>> {
    let words = words(field, example)?.into_iter();
    Some(words.map(|(text, _)| text.to_owned()).collect())
}
