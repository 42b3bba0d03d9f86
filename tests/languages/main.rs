//! The hook that `copal hook new` writes in each language, built by that language's own tools
//! and held to the same assertions: in the engine, and through the binary.
//!
//! `scripts/build-language-hooks` builds them; `COPAL_LANGUAGE_HOOKS` names another place than
//! `target/hooks-languages`.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod binary;
mod engine;
mod frozen;
mod kit;
mod misbehaving;

/// Makes a test in each language of functions that take a [`kit::Language`].
macro_rules! in_each_language {
    ($($test:ident),+ $(,)?) => {
        $crate::in_one_language!(rust Rust $($test)+);
        $crate::in_one_language!(js JavaScript $($test)+);
        $crate::in_one_language!(python Python $($test)+);
        $crate::in_one_language!(c C $($test)+);
    };
}

macro_rules! in_one_language {
    ($module:ident $language:ident $($test:ident)+) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    super::$test($crate::kit::Language::$language);
                }
            )+
        }
    };
}

pub(crate) use {in_each_language, in_one_language};
