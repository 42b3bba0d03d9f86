//! `copal report`: a page about a job.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::common::small_world;

const JOB: &str = "name = \"app\"\nmax_age = \"1h\"\nsource.path = \"source\"\n[[destination]]\nremote = \"vault:\"\n";

#[test]
fn a_page_tells_of_good_failed_and_verified_runs_and_of_what_to_do() {
    let world = small_world();
    world.write("copal.toml", JOB);
    let empty = world.copal(&["report", "--html"]);
    let empty = empty.succeeds().stdout();
    assert!(empty.contains("No run is known"), "{empty}");
    assert!(empty.contains("app: not ok"), "{empty}");

    world.copal(&["backup"]).succeeds();
    world.copal(&["verify"]).succeeds();
    let page = world.copal(&["report", "--html"]);
    let page = page.succeeds().stdout();
    for told in [
        "app: ok",
        ">verified<",
        "2 runs, succeeded",
        "None is known.",
    ] {
        assert!(page.contains(told), "{told}\n{page}");
    }

    fs::rename(world.source(), world.path("<away>")).unwrap();
    world.write("copal.toml", JOB.replace("\"source\"", "\"<b>source\""));
    world.copal(&["backup"]).exits_with(2);
    let page = world.copal(&["report", "--html", "page.html"]);
    assert_eq!(page.succeeds().stdout(), "");
    let page = fs::read_to_string(world.path("page.html")).unwrap();
    for told in ["the worst failed", "&lt;b&gt;source", "exit code 2"] {
        assert!(page.contains(told), "{told}\n{page}");
    }
    assert!(!page.contains("<b>"), "{page}");
}

#[test]
fn a_page_takes_the_place_of_the_one_that_is_there_with_its_rights_and_of_nothing_else() {
    let world = small_world();
    world.write("copal.toml", JOB);
    let file = world.write("page.html", "the one before");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    world.copal(&["report", "--html", "page.html"]).succeeds();
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .starts_with("<!DOCTYPE html>")
    );
    let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o644);
    for place in ["source", "no/such/page.html"] {
        let failed = world.copal(&["report", "--html", place]);
        failed.exits_with(1).says(place).says(" next: ");
    }
    assert!(world.path("source/letter.txt").is_file());
    world.copal(&["report"]).exits_with(2).says("--html");
    world.copal(&["report", "--html", "--json"]).exits_with(2);
}

#[test]
fn a_page_is_made_from_the_manifests_at_a_place_alone() {
    let mut world = small_world();
    world.write("copal.toml", JOB);
    world.copal(&["backup"]).succeeds();
    world.copal(&["verify"]).succeeds();
    let id = world.copal(&["snapshots", "--json"]).json()[0]["snapshot"].clone();
    let id = id.as_str().unwrap();
    fs::remove_file(world.path("copal.toml")).unwrap();
    // A machine that knows nothing of it.
    let elsewhere = world.path("elsewhere");
    world.set("COPAL_STATE_DIR", elsewhere.to_str().unwrap());
    let page = world.copal(&["report", "--from", "vault:", "--html"]);
    let page = page.succeeds().stdout();
    for told in [
        "app: ok",
        id,
        ">verified<",
        "1 run, succeeded",
        "from the manifests there alone",
    ] {
        assert!(page.contains(told), "{told}\n{page}");
    }
    for never in [
        "not scheduled",
        "last drill",
        "; drilled",
        "did not go well",
        "no run<",
        "pruned since",
    ] {
        assert!(!page.contains(never), "{never}\n{page}");
    }
    let json = world.copal(&["report", "--from", "vault:", "--json"]);
    let json = json.succeeds().json();
    assert_eq!((&json["name"], &json["ok"]), (&"app".into(), &true.into()));
    assert!(
        json["html"]
            .as_str()
            .unwrap()
            .starts_with("<!DOCTYPE html>")
    );
    world
        .copal(&["report", "--from", "vault:nothing", "--html"])
        .exits_with(2);
    let mistyped = world.copal(&["report", "--from", "vault:", "--name", "ap", "--html"]);
    mistyped
        .succeeds()
        .says("there is no sealed snapshot in `vault:ap`");

    world.write(format!("vault/app/{id}/letter.txt"), "not what was sealed");
    world.copal(&["verify", "--from", "vault:"]).exits_with(1);
    let page = world.copal(&["report", "--from", "vault:", "--html"]);
    let page = page.succeeds().stdout();
    for told in ["app: not ok", "of a destination was found to be damaged"] {
        assert!(page.contains(told), "{told}\n{page}");
    }
}
