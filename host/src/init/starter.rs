//! The configuration that a job begins with: few lines, and each says why it is there.

use std::fmt::Write as _;

use copal_core::grants::toml_text;
use copal_core::name::Name;

/// What is known of a job before it has a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starter {
    /// Its name.
    pub name: Name,
    /// What it is of.
    pub app: App,
    /// Where the source is.
    pub origin: Origin,
    /// The container that writes to it, if there is one.
    pub container: Option<String>,
    /// Where snapshots go, as rclone names it. No secret is in it.
    pub remote: String,
}

/// Whose data it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App {
    /// Open WebUI.
    OpenWebUi,
    /// Nothing that a built-in hook knows.
    Other,
}

/// Where a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A directory, absolute.
    Path(String),
    /// A volume of Docker's.
    Volume(String),
    /// What a container has mounted.
    Container {
        /// Its name.
        name: String,
        /// Which of its mounts, as it sees it; none where there is one alone.
        mount: Option<String>,
    },
}

const HEAD: &str = "\
# Written by `copal init`. `copal check` tells whether a backup would succeed, `copal backup` makes one.

";

const RETENTION: &str = "
[retention]                   # without this section, all snapshots are kept
daily = 7
weekly = 5
monthly = 12
";

const OPEN_WEBUI: &str = r#"
[[hook]]
use = "exclude"               # what can be made anew, or is of no use elsewhere
config = { paths = ["cache/", "audit.log"] }

[[hook]]
use = "open-webui"            # webui.db and vector_db, each as of one moment; the app goes on meanwhile
# config = { secret_key = "kept" }   # says that you keep WEBUI_SECRET_KEY elsewhere: it is not in the data
grants = { sqlite = ["*"], query = ["webui.db", "vector_db/chroma.sqlite3"], archive = ["vector_db"], files = ["source"] }
"#;

const OTHER: &str = r#"
[[hook]]
use = "exclude"               # what can be made anew: paths below the source
config = { paths = ["cache/"] }

[[hook]]
use = "sqlite-backup"         # copies every SQLite database as of one moment; the app goes on meanwhile
grants = { sqlite = ["*"] }
"#;

impl Starter {
    /// The configuration.
    pub fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        let mut line = |key: &str, value: &str, why: &str| {
            let setting = format!("{key} = {}", toml_text(value));
            writeln!(text, "{setting:<29} # {why}").expect("a String takes every write");
        };
        line(
            "name",
            self.name.as_str(),
            "the job's lock, snapshots and history carry it",
        );
        line(
            "# max_age",
            "26h",
            "`copal status` fails where the last good backup is older",
        );
        text.push_str("\n[source]\n");
        text.push_str(&self.source());
        text.push_str("\n[[destination]]\n");
        writeln!(
            text,
            "{:<29} # any remote of rclone's; its secrets stay in rclone.conf",
            format!("remote = {}", toml_text(&self.remote))
        )
        .expect("a String takes every write");
        text.push_str(RETENTION);
        if let Some(container) = &self.container {
            text.push_str(&pause(container));
        }
        text.push_str(match self.app {
            App::OpenWebUi => OPEN_WEBUI,
            App::Other => OTHER,
        });
        text
    }

    fn source(&self) -> String {
        let line = |key: &str, value: &str| format!("{key} = {}", toml_text(value));
        match &self.origin {
            Origin::Path(path) => line("path", path) + "\n",
            Origin::Volume(volume) => {
                format!(
                    "{:<29} # Docker tells where it lies\n",
                    line("volume", volume)
                )
            }
            Origin::Container { name, mount } => {
                let mount = mount.as_ref();
                let mount = mount.map_or_else(String::new, |it| line("mount", it) + "\n");
                let container = line("container", name);
                format!("{container:<29} # Docker tells what it has mounted\n{mount}")
            }
        }
    }
}

/// What nobody wants by surprise is there to be switched on.
fn pause(container: &str) -> String {
    format!(
        r#"
# To have files and databases of one moment, the container can be stopped while they are staged, which takes seconds.
# It goes on before anything is uploaded, whatever happens. Take the `#` away from these lines:
#
#[service.app]
#driver = "docker"
#container = {}
#
#[[hook]]
#use = "quiesce"               # comes before the other hooks
#config = {{ how = "stop" }}
#grants = {{ service = ["app"] }}
"#,
        toml_text(container)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use copal_core::config::Config;

    fn starter(app: App, origin: Origin, container: Option<&str>) -> Starter {
        Starter {
            name: "open-webui".parse().unwrap(),
            app,
            origin,
            container: container.map(str::to_owned),
            remote: "b2:my-bucket/copal".to_owned(),
        }
    }

    /// With what is there to be switched on.
    fn switched_on(text: &str) -> String {
        let on = |line: &str| {
            let setting = line.strip_prefix('#').filter(|it| !it.starts_with(' '));
            setting.unwrap_or(line).to_owned() + "\n"
        };
        text.lines().map(on).collect()
    }

    #[test]
    fn what_is_written_is_a_configuration_as_it_is_and_with_all_switched_on() {
        let container = Origin::Container {
            name: "app".to_owned(),
            mount: Some("/data \"x\"".to_owned()),
        };
        let all = [
            starter(
                App::OpenWebUi,
                Origin::Volume("open-webui".to_owned()),
                Some("open-webui"),
            ),
            starter(App::Other, Origin::Path("/srv/app".to_owned()), None),
            starter(App::Other, container, Some("app")),
        ];
        for starter in &all {
            let text = starter.text();
            for text in [text.clone(), switched_on(&text)] {
                let config = Config::parse(&text, "copal.toml");
                let config = config.unwrap_or_else(|error| panic!("{error:?}\n{text}"));
                let is_on = text.contains("\n[service.app]");
                assert_eq!(config.hooks().len(), if is_on { 3 } else { 2 });
            }
        }
    }
}
