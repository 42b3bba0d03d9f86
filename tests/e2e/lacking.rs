//! What hooks are granted and is not there, found out before anything is done.

use crate::common::{files_below, leaves_no_staging};
use crate::specimen::{configure, hook, tell_commands, told, world_with_specimen};

const TABLES: &str = "[secret.token]\nfile = \"secrets/token.txt\"\n\n\
                      [secret.unset]\nenv = \"COPAL_NO_SUCH_VARIABLE\"\n\n\
                      [command.dump]\nrun = [\"./bin/dump\", \"{database}\"]\nsecret_env = { PASSWORD = \"token\" }\n\n";

#[test]
fn a_plan_a_backup_and_a_dry_run_name_all_that_hooks_are_granted_and_is_not_there() {
    let world = world_with_specimen();
    let tells = tell_commands(&world, &["own"]);
    let notifies = hook(
        "notifies",
        "config = { tell = \"tell-own\", within = \"post-backup\" }\ngrants = { command = [\"tell-own\"], secrets = [\"token\"], reveal = [\"unset\"] }",
    );
    let dumps = hook("dumps", "grants.command = [\"dump\"]");
    configure(&world, &format!("{TABLES}{tells}{notifies}{dumps}"));

    let planned = world.copal(&["plan"]);
    planned
        .exits_with(2)
        .says("error: hooks are granted what is not there: see [command.dump], [secret.token], [secret.unset]\n")
        .says("command `dump`: can't run `")
        .says("(for hook `dumps`)")
        .says("secret `token`: can't read `")
        .says("(for hook `notifies` and command `dump`)")
        .says("secret `unset`: the variable `COPAL_NO_SUCH_VARIABLE` is not set (for hook `notifies`)")
        .says(" next: put it in place, or mend [command.dump], [secret.token], [secret.unset]");
    assert_eq!(planned.stdout(), "");
    let dry = world.copal(&["backup", "--dry-run"]);
    dry.exits_with(2).says("./bin/dump");
    let backed_up = world.copal(&["backup"]);
    backed_up.exits_with(2).says("COPAL_NO_SUCH_VARIABLE");
    assert_eq!(files_below(&world.vault()), [""; 0]);
    leaves_no_staging(&world);
    let listed = world.copal(&["history"]);
    let listed = listed.succeeds().stdout();
    assert!(
        listed.contains("see [command.dump], [secret.token]"),
        "{listed}"
    );
    // Who can be told of it is told.
    assert_eq!(told(&world), ["own post-backup Failed"]);
}

#[test]
fn what_no_hook_is_granted_need_not_be_there() {
    let world = world_with_specimen();
    configure(&world, &format!("{TABLES}{}", hook("own", "")));
    world.copal(&["plan"]).succeeds();
    world.copal(&["backup"]).succeeds();
}
