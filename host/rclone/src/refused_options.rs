//! Options of rclone's that Copal does not take, although rclone knows them.

const SELECTS: &str = "chooses files, which the hooks of the `filter` phase do here: the built-in \
                       `exclude` takes rclone's filter rules";
const ALTERS: &str = "could leave files out of a snapshot or change their names";
const OWN: &str = "is set by Copal itself";
const USELESS: &str = "has no effect here";
const FOLLOWS: &str =
    "would take what links at a folder lead to for the folder's own, to delete it as well";
const LEAKS: &str = "prints secrets";

/// Options that are refused although rclone knows them, and why.
const REFUSED: &[(&str, &[&str])] = &[
    (
        SELECTS,
        &[
            "delete_excluded",
            "exclude",
            "exclude_from",
            "exclude_if_present",
            "files_from",
            "files_from0",
            "files_from_raw",
            "filter",
            "filter_from",
            "hash_filter",
            "ignore_case",
            "include",
            "include_from",
            "max_age",
            "max_size",
            "metadata_exclude",
            "metadata_exclude_from",
            "metadata_filter",
            "metadata_filter_from",
            "metadata_include",
            "metadata_include_from",
            "min_age",
            "min_size",
        ],
    ),
    (
        ALTERS,
        &[
            "backup_dir",
            "compare_dest",
            "copy_dest",
            "cutoff_mode",
            "dry_run",
            "ignore_existing",
            "ignore_size",
            "interactive",
            "links",
            "max_depth",
            "max_duration",
            "max_transfer",
            "name_transform",
            "no_check_dest",
            "no_unicode_normalization",
            "size_only",
            "suffix",
            "suffix_keep_extension",
            "update",
        ],
    ),
    (
        OWN,
        &[
            "ask_password",
            "log_file",
            "log_file_compress",
            "log_file_max_age",
            "log_file_max_backups",
            "log_file_max_size",
            "log_format",
            "log_level",
            "log_systemd",
            "max_stats_groups",
            "syslog",
            "syslog_facility",
            "use_json_log",
        ],
    ),
    (
        USELESS,
        &[
            "auto_confirm",
            "color",
            "error_on_no_transfer",
            "human_readable",
            "no_console",
            "progress",
            "progress_terminal_title",
            "retries_sleep",
            "stats_file_name_length",
            "stats_log_level",
            "stats_one_line",
            "stats_one_line_date",
            "stats_one_line_date_format",
            "stats_unit",
        ],
    ),
    (FOLLOWS, &["copy_links", "local_copy_links"]),
    (LEAKS, &["dump"]),
];

/// Why an option is refused, if it is.
pub(crate) fn why_refused(name: &str) -> Option<&'static str> {
    let found = REFUSED.iter().find(|(_, names)| names.contains(&name));
    found.map(|(why, _)| *why)
}

/// The environment variables that would set a refused option in the worker.
pub(crate) fn refused_variables() -> impl Iterator<Item = String> {
    let names = REFUSED.iter().flat_map(|(_, names)| *names);
    names.map(|name| format!("RCLONE_{}", name.to_ascii_uppercase()))
}
