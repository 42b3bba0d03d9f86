//! What `wit/` becomes in Rust: everything that can be imported once, and each phase apart, since a
//! component must export the phases alone that its author names.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::pedantic,
    reason = "generated; the words are in wit/"
)]

pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "imports",
        generate_all,
    });
}

pub mod pre_backup {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "pre-backup-hook",
        pub_export_macro: true,
        export_macro_name: "export_pre_backup",
        with: {
            "copal:hooks/types@0.1.0": crate::bindings::imports::copal::hooks::types,
            "copal:hooks/log@0.1.0": crate::bindings::imports::copal::hooks::log,
            "copal:hooks/run-info@0.1.0": crate::bindings::imports::copal::hooks::run_info,
            "copal:hooks/sqlite@0.1.0": crate::bindings::imports::copal::hooks::sqlite,
            "copal:hooks/archive@0.1.0": crate::bindings::imports::copal::hooks::archive,
            "copal:hooks/service@0.1.0": crate::bindings::imports::copal::hooks::service,
            "copal:hooks/command@0.1.0": crate::bindings::imports::copal::hooks::command,
            "copal:hooks/state@0.1.0": crate::bindings::imports::copal::hooks::state,
            "copal:hooks/secrets@0.1.0": crate::bindings::imports::copal::hooks::secrets,
            "copal:hooks/report@0.1.0": crate::bindings::imports::copal::hooks::report,
            "copal:hooks/pre-backup@0.1.0": generate,
        },
    });
}

pub mod filter {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "filter-hook",
        pub_export_macro: true,
        export_macro_name: "export_filter",
        with: {
            "copal:hooks/types@0.1.0": crate::bindings::imports::copal::hooks::types,
            "copal:hooks/log@0.1.0": crate::bindings::imports::copal::hooks::log,
            "copal:hooks/run-info@0.1.0": crate::bindings::imports::copal::hooks::run_info,
            "copal:hooks/filter@0.1.0": generate,
        },
    });
}

pub mod staged {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "staged-hook",
        pub_export_macro: true,
        export_macro_name: "export_staged",
        with: {
            "copal:hooks/types@0.1.0": crate::bindings::imports::copal::hooks::types,
            "copal:hooks/log@0.1.0": crate::bindings::imports::copal::hooks::log,
            "copal:hooks/run-info@0.1.0": crate::bindings::imports::copal::hooks::run_info,
            "copal:hooks/sqlite@0.1.0": crate::bindings::imports::copal::hooks::sqlite,
            "copal:hooks/archive@0.1.0": crate::bindings::imports::copal::hooks::archive,
            "copal:hooks/service@0.1.0": crate::bindings::imports::copal::hooks::service,
            "copal:hooks/command@0.1.0": crate::bindings::imports::copal::hooks::command,
            "copal:hooks/state@0.1.0": crate::bindings::imports::copal::hooks::state,
            "copal:hooks/secrets@0.1.0": crate::bindings::imports::copal::hooks::secrets,
            "copal:hooks/report@0.1.0": crate::bindings::imports::copal::hooks::report,
            "copal:hooks/staged@0.1.0": generate,
        },
    });
}

pub mod post_backup {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "post-backup-hook",
        pub_export_macro: true,
        export_macro_name: "export_post_backup",
        with: {
            "copal:hooks/types@0.1.0": crate::bindings::imports::copal::hooks::types,
            "copal:hooks/log@0.1.0": crate::bindings::imports::copal::hooks::log,
            "copal:hooks/run-info@0.1.0": crate::bindings::imports::copal::hooks::run_info,
            "copal:hooks/sqlite@0.1.0": crate::bindings::imports::copal::hooks::sqlite,
            "copal:hooks/archive@0.1.0": crate::bindings::imports::copal::hooks::archive,
            "copal:hooks/service@0.1.0": crate::bindings::imports::copal::hooks::service,
            "copal:hooks/command@0.1.0": crate::bindings::imports::copal::hooks::command,
            "copal:hooks/state@0.1.0": crate::bindings::imports::copal::hooks::state,
            "copal:hooks/secrets@0.1.0": crate::bindings::imports::copal::hooks::secrets,
            "copal:hooks/report@0.1.0": crate::bindings::imports::copal::hooks::report,
            "copal:hooks/post-backup@0.1.0": generate,
        },
    });
}

pub mod pre_restore {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "pre-restore-hook",
        pub_export_macro: true,
        export_macro_name: "export_pre_restore",
        with: {
            "copal:hooks/types@0.1.0": crate::bindings::imports::copal::hooks::types,
            "copal:hooks/log@0.1.0": crate::bindings::imports::copal::hooks::log,
            "copal:hooks/run-info@0.1.0": crate::bindings::imports::copal::hooks::run_info,
            "copal:hooks/sqlite@0.1.0": crate::bindings::imports::copal::hooks::sqlite,
            "copal:hooks/archive@0.1.0": crate::bindings::imports::copal::hooks::archive,
            "copal:hooks/service@0.1.0": crate::bindings::imports::copal::hooks::service,
            "copal:hooks/command@0.1.0": crate::bindings::imports::copal::hooks::command,
            "copal:hooks/state@0.1.0": crate::bindings::imports::copal::hooks::state,
            "copal:hooks/secrets@0.1.0": crate::bindings::imports::copal::hooks::secrets,
            "copal:hooks/report@0.1.0": crate::bindings::imports::copal::hooks::report,
            "copal:hooks/pre-restore@0.1.0": generate,
        },
    });
}

pub mod post_restore {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "post-restore-hook",
        pub_export_macro: true,
        export_macro_name: "export_post_restore",
        with: {
            "copal:hooks/types@0.1.0": crate::bindings::imports::copal::hooks::types,
            "copal:hooks/log@0.1.0": crate::bindings::imports::copal::hooks::log,
            "copal:hooks/run-info@0.1.0": crate::bindings::imports::copal::hooks::run_info,
            "copal:hooks/sqlite@0.1.0": crate::bindings::imports::copal::hooks::sqlite,
            "copal:hooks/archive@0.1.0": crate::bindings::imports::copal::hooks::archive,
            "copal:hooks/service@0.1.0": crate::bindings::imports::copal::hooks::service,
            "copal:hooks/command@0.1.0": crate::bindings::imports::copal::hooks::command,
            "copal:hooks/state@0.1.0": crate::bindings::imports::copal::hooks::state,
            "copal:hooks/secrets@0.1.0": crate::bindings::imports::copal::hooks::secrets,
            "copal:hooks/report@0.1.0": crate::bindings::imports::copal::hooks::report,
            "copal:hooks/post-restore@0.1.0": generate,
        },
    });
}

pub mod drill {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "drill-hook",
        pub_export_macro: true,
        export_macro_name: "export_drill",
        with: {
            "copal:hooks/types@0.1.0": crate::bindings::imports::copal::hooks::types,
            "copal:hooks/log@0.1.0": crate::bindings::imports::copal::hooks::log,
            "copal:hooks/run-info@0.1.0": crate::bindings::imports::copal::hooks::run_info,
            "copal:hooks/sqlite@0.1.0": crate::bindings::imports::copal::hooks::sqlite,
            "copal:hooks/archive@0.1.0": crate::bindings::imports::copal::hooks::archive,
            "copal:hooks/service@0.1.0": crate::bindings::imports::copal::hooks::service,
            "copal:hooks/command@0.1.0": crate::bindings::imports::copal::hooks::command,
            "copal:hooks/state@0.1.0": crate::bindings::imports::copal::hooks::state,
            "copal:hooks/secrets@0.1.0": crate::bindings::imports::copal::hooks::secrets,
            "copal:hooks/report@0.1.0": crate::bindings::imports::copal::hooks::report,
            "copal:hooks/drill@0.1.0": generate,
        },
    });
}
