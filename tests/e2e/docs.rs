//! The documentation as a reader follows it: every command that README.md and the pages of `docs/` show is run, from
//! the first of a page to the last, in a world that the page has to itself.
//!
//! Indented blocks and those of `sh` are commands, and each has to end with 0. Blocks of `text` are what the commands
//! before them say, figures aside. Those of `crontab` are a command behind a time, those of `toml` a configuration or
//! a part of one. What can't be run here stands in [`table`].

mod blocks;
mod links;
mod part;
mod site;
mod table;

use std::fs;
use std::path::Path;

use copal_testkit::Restored;

use crate::common::{redate_in, skip};
use blocks::{Page, What, examples, pages};
use part::completed;
use site::Site;

/// A test for each page: what is there before its first command, and what has to be there after the last.
macro_rules! followed {
    ($($test:ident: $file:literal, $prepare:expr $(, $look:expr)?;)+) => {
        const FOLLOWED: &[&str] = &[$($file),+];

        mod each_command_ends_as_its_page_says {
            use super::*;

            $(
                #[test]
                fn $test() {
                    let page = Page::read($file);
                    let mut site = Site::new();
                    if $prepare(&mut site, &page) {
                        site.follow(&page);
                        $($look(&site);)?
                    }
                }
            )+
        }
    };
}

followed! {
    readme: "README.md", nothing, is_restored;
    check: "docs/check.md", configured;
    configuration: "docs/configuration.md", configured;
    first_backup: "docs/first-backup.md", nothing;
    folders: "docs/folders.md", in_a_folder;
    holds: "docs/holds.md", configured;
    hook_test: "docs/hook-test.md", with_a_filter;
    hooks: "docs/hooks.md", with_a_built_hook, has_heard_of_the_backup;
    install: "docs/install.md", configured;
    local_files: "docs/local-files.md", backed_up;
    metrics: "docs/metrics.md", backed_up;
    mirror: "docs/mirror.md", mirrored;
    open_webui: "docs/open-webui.md", by_its_configuration;
    rclone: "docs/rclone.md", with_a_password;
    report: "docs/report.md", backed_up, has_a_page;
    restore: "docs/restore.md", with_two_snapshots, is_restored;
    retention: "docs/retention.md", with_old_snapshots;
    schedule: "docs/schedule.md", backed_up;
    services: "docs/services.md", nothing;
}

#[test]
fn every_page_with_commands_is_followed() {
    let with_commands: Vec<_> = pages()
        .into_iter()
        .filter(|file| Page::read(file).commands().next().is_some())
        .collect();
    assert_eq!(with_commands, FOLLOWED);
}

#[test]
fn what_is_not_run_or_run_otherwise_stands_in_its_page_still() {
    for (file, command, why) in table::LEFT_OUT {
        let page = Page::read(file);
        let stands = page.commands().any(|it| it == *command);
        assert!(stands, "{file} has no `{command}` any more ({why})");
    }
    for (file, shown, run) in table::STAND_INS {
        let page = Page::read(file);
        let stands = page.commands().any(|it| it.contains(shown));
        assert!(stands, "{file} has no `{shown}` any more, for {run}");
    }
}

#[test]
fn every_configuration_of_the_pages_is_read() {
    let mut site = Site::new();
    with_a_filter(&mut site, &Page::read("docs/hook-test.md"));
    let mut read = 0;
    for file in pages().into_iter().chain(examples()) {
        for block in Page::read(&file).blocks {
            let place = format!("{file}:{}", block.line);
            match block.what {
                What::Configuration(part) => {
                    let whole = completed(&part);
                    site.write("part.toml", &whole);
                    // No run of it is known: the configuration was read, and the answer is no.
                    let output = site.world.copal(&["-c", "part.toml", "status"]);
                    assert_eq!(output.code(), Some(1), "{place}\n{whole}\n{output}");
                }
                What::Cases(cases) => {
                    site.write("cases.toml", &cases);
                    let words = ["hook", "test", "my-hook.wasm", "--spec", "cases.toml"];
                    // The hook is another than theirs.
                    let output = site.world.copal(&words);
                    assert_eq!(output.code(), Some(1), "{place}\n{output}");
                }
                _ => continue,
            }
            read += 1;
        }
    }
    assert!(read > 10, "the pages have configurations: {read}");
}

// --- What is there before the first command ---------------------------------------------------------------

fn nothing(_: &mut Site, _: &Page) -> bool {
    true
}

fn configured(site: &mut Site, _: &Page) -> bool {
    for file in ["copal.toml", "home/me/copal.toml", "etc/copal/app.toml"] {
        site.write(file, &completed(""));
    }
    true
}

fn backed_up(site: &mut Site, page: &Page) -> bool {
    configured(site, page);
    site.world.copal(&["backup"]).succeeds();
    true
}

fn with_two_snapshots(site: &mut Site, page: &Page) -> bool {
    backed_up(site, page);
    site.date_a_snapshot();
    site.write("opt/open-webui/uploads/a-new-one.txt", "Dear reader,\n");
    site.world.copal(&["backup"]).succeeds();
    true
}

/// The snapshots of the table that the page shows, and no other.
fn with_old_snapshots(site: &mut Site, page: &Page) -> bool {
    let retention = page.configuration();
    site.write("copal.toml", &completed(retention));
    let told = site.world.copal(&["backup", "--json"]);
    let made = crate::common::sealed_id(&told);
    let there = site.world.path("b2/my-bucket/copal/open-webui");
    for id in [
        "2026-11-24T030000Z",
        "2026-11-23T210000Z",
        "2026-11-23T150000Z",
        "2026-10-01T030000Z",
    ] {
        redate_in(&there, &made, id);
    }
    fs::remove_dir_all(there.join(made)).unwrap();
    true
}

fn in_a_folder(site: &mut Site, _: &Page) -> bool {
    let words = ["backup", "--source", "opt/open-webui", "--to", "mnt/backup"];
    site.world.copal(&words).succeeds();
    true
}

fn with_a_password(site: &mut Site, page: &Page) -> bool {
    site.write("rc-password", "correct-horse-battery\n");
    backed_up(site, page)
}

/// The page's own configuration, of the directory that it names beside the volume.
fn mirrored(site: &mut Site, page: &Page) -> bool {
    by_its_configuration(site, page)
}

fn by_its_configuration(site: &mut Site, page: &Page) -> bool {
    let volume = "volume = \"open-webui\"";
    let config = page.configuration();
    assert!(config.contains(volume), "{config}");
    let config = config.replace(volume, "path = \"/opt/open-webui\"");
    site.write("copal.toml", &config);
    site.world.copal(&["backup"]).succeeds();
    true
}

fn with_a_filter(site: &mut Site, _: &Page) -> bool {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-hooks/prebuilt");
    let component = fs::read(committed.join("exclude.wasm")).unwrap();
    site.world.write("my-hook.wasm", component);
    let case = "[[case]]\nname = \"nothing stays out but the cache\"\nphase = \"filter\"\n";
    for file in ["hook-test.toml", "other.toml"] {
        site.write(file, case);
    }
    true
}

/// What `make` would build, as `scripts/build-language-hooks` did; without requests, since the port is another.
fn with_a_built_hook(site: &mut Site, _: &Page) -> bool {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/hooks-languages");
    let built = std::env::var_os("COPAL_LANGUAGE_HOOKS").map_or(beside, Into::into);
    let component = built.join("c-open.wasm");
    if !component.is_file() {
        let why = format!(
            "{}: scripts/build-language-hooks builds it",
            component.display()
        );
        assert!(std::env::var_os("CI").is_none(), "{why}");
        skip(&why);
        return false;
    }
    site.world.set("COMPONENT", component);
    true
}

// --- What has to be there after the last ------------------------------------------------------------------

fn is_restored(site: &Site) {
    let restored = site.world.path("opt/open-webui-restored");
    let report = Restored::check(&restored, &[]).unwrap();
    assert!(report.is_whole(), "{:#?}", report.shortfalls());
}

fn has_heard_of_the_backup(site: &Site) {
    let told = site.all_told();
    assert!(told.contains("{\"outcome\":\"succeeded\","), "{told}");
    assert!(told.contains("http.send"), "{told}");
    let sealed = crate::common::files_below(&site.world.path("backups"));
    let letter = |ending: &str| sealed.iter().any(|path| path.ends_with(ending));
    assert!(letter("letter.txt") && !letter("letter.tmp"), "{sealed:?}");
}

fn has_a_page(site: &Site) {
    for page in ["page.html", "var/www/copal/app.html"] {
        let text = fs::read_to_string(site.world.path(page)).unwrap();
        assert!(text.contains("open-webui"), "{page}");
    }
}
