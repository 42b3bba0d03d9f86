//! Lines for the operator: [`info!`](crate::info) and its kin, or [`write`] for values with names.

use std::fmt::Display;

pub use crate::bindings::imports::copal::hooks::log::Level;

use crate::bindings::imports::copal::hooks::log;

/// Writes one line, and named values behind it.
pub fn write(level: Level, message: &str, fields: &[(&str, &dyn Display)]) {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| log::Field {
            name: (*name).to_owned(),
            value: value.to_string(),
        })
        .collect();
    log::write(level, message, &fields);
}

/// Logs a line that only somebody who searches a fault wants to see.
#[macro_export]
macro_rules! debug {
    ($($text:tt)+) => {
        $crate::log::write($crate::log::Level::Debug, &::std::format!($($text)+), &[])
    };
}

/// Logs a line that says what was done.
#[macro_export]
macro_rules! info {
    ($($text:tt)+) => {
        $crate::log::write($crate::log::Level::Info, &::std::format!($($text)+), &[])
    };
}

/// Logs a line about something that the operator should look at.
#[macro_export]
macro_rules! warn {
    ($($text:tt)+) => {
        $crate::log::write($crate::log::Level::Warn, &::std::format!($($text)+), &[])
    };
}

/// Logs a line about something that failed.
#[macro_export]
macro_rules! error {
    ($($text:tt)+) => {
        $crate::log::write($crate::log::Level::Error, &::std::format!($($text)+), &[])
    };
}
