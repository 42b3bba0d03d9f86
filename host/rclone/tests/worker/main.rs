//! Real rclone in a real worker: this binary starts itself again as that worker, so it has a `main`
//! of its own. An argument chooses tests by a part of their names.

#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails and says how it went"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

mod config;
mod copy;
mod life;
mod local_roots;
mod names;
mod options;
mod secrets;
mod world;

use world::World;

type Test = (&'static str, fn(&World));

/// Names tests by their functions.
macro_rules! tests {
    ($($module:ident: $($name:ident)+;)+) => {
        &[$($((concat!(stringify!($module), "::", stringify!($name)), $module::$name),)+)+]
    };
}

const TESTS: &[Test] = tests! {
    config:
        an_encrypted_configuration_opens_with_its_password
        an_encrypted_configuration_without_the_right_password_is_locked
        a_password_command_opens_an_encrypted_configuration
        a_remote_of_the_environment_works_like_one_of_the_file
        rclone_config_may_say_that_there_is_no_file
        an_unreadable_configuration_is_an_error_and_not_the_end
        an_unknown_remote_is_named
        a_connection_string_makes_a_remote;
    copy:
        files_are_copied_listed_found_and_purged
        what_is_missing_or_unreadable_fails_the_copy_by_name
        unreadable_files_keep_nothing_else_from_arriving
        names_that_unicode_holds_for_the_same_both_arrive
        what_lies_beside_the_files_is_left_alone_whatever_its_name
        a_directory_below_is_listed_by_paths_below_it
        what_is_there_of_some_files_is_found_by_their_names
        what_can_not_be_asked_for_is_not_taken_for_missing
        what_looks_the_same_is_sent_again_where_that_is_asked_for
        the_backend_of_a_remote_is_known_without_contact
        one_file_is_copied_under_another_name
        a_cancelled_copy_stops_and_leaves_no_half_file
        a_dropped_copy_stops
        calls_from_many_threads_are_answered_each_with_its_own
        crypt_over_local_hides_names_and_gives_files_back;
    life:
        the_version_that_runs_is_the_one_that_is_pinned
        a_copy_leaves_the_signals_alone
        a_worker_killed_in_a_copy_is_an_error_at_once_and_for_ever
        a_call_that_hangs_times_out_and_the_worker_lives
        a_call_that_hangs_can_be_killed
        a_call_under_way_can_be_cancelled
        a_worker_that_ends_itself_is_an_error
        a_program_that_is_no_worker_is_an_error
        a_stopped_worker_keeps_no_caller_beyond_its_deadline
        the_death_of_the_parent_ends_the_worker
        the_death_of_the_parent_ends_the_worker_although_the_pipe_is_held_open
        an_idle_worker_ends_when_it_is_dropped
        a_variable_that_rclone_refuses_does_not_touch_a_program_without_a_worker
        a_variable_that_rclone_refuses_is_told;
    local_roots:
        a_local_path_is_its_own_root
        roots_are_found_through_alias_crypt_and_chunker
        a_union_and_a_combine_have_several
        a_remote_elsewhere_has_none_and_is_not_asked
        remotes_that_go_round_in_a_circle_are_an_error;
    names:
        names_that_travel_unchanged_do
        names_that_do_not_are_listed_otherwise;
    options:
        transfers_takes_effect
        bwlimit_takes_effect
        retries_takes_effect
        the_option_of_a_backend_takes_effect
        every_bad_option_is_refused_by_name
        variables_that_would_alter_a_snapshot_are_ignored
        a_log_file_variable_takes_nothing_over;
    secrets:
        a_key_in_a_connection_string_shows_in_no_error
        a_key_in_a_raw_call_shows_in_no_error;
};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("worker") => return copal_rclone::serve_worker(),
        Some("hold-a-worker") => return life::hold_a_worker(),
        Some("do-nothing") => return ExitCode::SUCCESS,
        _ => {}
    }
    let wanted = args.iter().find(|arg| !arg.starts_with('-'));
    let mut failed = Vec::new();
    for (name, test) in TESTS {
        if wanted.is_some_and(|part| !name.contains(part.as_str())) {
            continue;
        }
        let world = World::new();
        let passed = catch_unwind(AssertUnwindSafe(|| test(&world))).is_ok();
        world::say(&format!(
            "test {name} ... {}",
            if passed { "ok" } else { "FAILED" }
        ));
        if !passed {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        world::say(&format!("failed: {failed:?}"));
        ExitCode::FAILURE
    }
}
