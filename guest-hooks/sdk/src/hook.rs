//! The macro that makes exports of a hook's traits.

/// Exports a hook: its type, and the phases that it takes part in by the names of their traits.
///
/// ```
/// use copal_hook_sdk::{Error, NoConfig, PostBackup, PreBackup, Report, info};
///
/// struct Watcher;
///
/// impl PreBackup for Watcher {
///     type Config = NoConfig;
///
///     fn run(_: NoConfig) -> Result<(), Error> {
///         info!("it begins");
///         Ok(())
///     }
/// }
///
/// impl PostBackup for Watcher {
///     type Config = NoConfig;
///
///     fn run(_: NoConfig, report: &Report) -> Result<(), Error> {
///         info!("it ended: {:?}", report.outcome());
///         Ok(())
///     }
/// }
///
/// copal_hook_sdk::hook!(Watcher: PreBackup, PostBackup);
/// # fn main() {}
/// ```
///
/// Once in a crate, at its top level.
#[macro_export]
macro_rules! hook {
    ($hook:ty: $($phase:ident),+ $(,)?) => {
        $($crate::export_phase!($phase $hook);)+
    };
}

/// One phase of [`hook!`].
#[doc(hidden)]
#[macro_export]
macro_rules! export_phase {
    (PreBackup $hook:ty) => {
        struct ExportedPreBackup;

        impl $crate::bindings::pre_backup::exports::copal::hooks::pre_backup::Guest
            for ExportedPreBackup
        {
            fn run() -> ::std::result::Result<(), $crate::Error> {
                $crate::glue::pre_backup::<$hook>()
            }
        }

        $crate::bindings::pre_backup::export_pre_backup!(
            ExportedPreBackup with_types_in $crate::bindings::pre_backup
        );
    };
    (Staged $hook:ty) => {
        struct ExportedStaged;

        impl $crate::bindings::staged::exports::copal::hooks::staged::Guest
            for ExportedStaged
        {
            fn run() -> ::std::result::Result<(), $crate::Error> {
                $crate::glue::staged::<$hook>()
            }
        }

        $crate::bindings::staged::export_staged!(
            ExportedStaged with_types_in $crate::bindings::staged
        );
    };
    (PostBackup $hook:ty) => {
        struct ExportedPostBackup;

        impl $crate::bindings::post_backup::exports::copal::hooks::post_backup::Guest
            for ExportedPostBackup
        {
            fn run(report: &$crate::Report) -> ::std::result::Result<(), $crate::Error> {
                $crate::glue::post_backup::<$hook>(report)
            }
        }

        $crate::bindings::post_backup::export_post_backup!(
            ExportedPostBackup with_types_in $crate::bindings::post_backup
        );
    };
    (PreRestore $hook:ty) => {
        struct ExportedPreRestore;

        impl $crate::bindings::pre_restore::exports::copal::hooks::pre_restore::Guest
            for ExportedPreRestore
        {
            fn run() -> ::std::result::Result<(), $crate::Error> {
                $crate::glue::pre_restore::<$hook>()
            }
        }

        $crate::bindings::pre_restore::export_pre_restore!(
            ExportedPreRestore with_types_in $crate::bindings::pre_restore
        );
    };
    (PostRestore $hook:ty) => {
        struct ExportedPostRestore;

        impl $crate::bindings::post_restore::exports::copal::hooks::post_restore::Guest
            for ExportedPostRestore
        {
            fn run(report: &$crate::Report) -> ::std::result::Result<(), $crate::Error> {
                $crate::glue::post_restore::<$hook>(report)
            }
        }

        $crate::bindings::post_restore::export_post_restore!(
            ExportedPostRestore with_types_in $crate::bindings::post_restore
        );
    };
    (Drill $hook:ty) => {
        struct ExportedDrill;

        impl $crate::bindings::drill::exports::copal::hooks::drill::Guest
            for ExportedDrill
        {
            fn run() -> ::std::result::Result<(), $crate::Error> {
                $crate::glue::drill::<$hook>()
            }
        }

        $crate::bindings::drill::export_drill!(
            ExportedDrill with_types_in $crate::bindings::drill
        );
    };
    (Filter $hook:ty) => {
        struct ExportedFilter;

        ::std::thread_local! {
            static FILTER: $crate::glue::Session<$hook> =
                const { $crate::glue::Session::new(::std::option::Option::None) };
        }

        impl $crate::bindings::filter::exports::copal::hooks::filter::Guest for ExportedFilter {
            fn start() -> ::std::result::Result<
                $crate::bindings::filter::exports::copal::hooks::filter::Approach,
                $crate::Error,
            > {
                FILTER.with($crate::glue::start::<$hook>)
            }

            fn decide(
                batch: $crate::bindings::filter::exports::copal::hooks::filter::Batch,
            ) -> ::std::result::Result<::std::vec::Vec<u8>, $crate::Error> {
                FILTER.with(|filter| $crate::glue::decide::<$hook>(filter, batch))
            }
        }

        $crate::bindings::filter::export_filter!(
            ExportedFilter with_types_in $crate::bindings::filter
        );
    };
}
