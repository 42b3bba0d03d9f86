//! How fast a hook is.

use copal_core::units::ByteCount;

use super::Output;
use super::hook::Card;
use crate::error::CopalError;
use crate::hook_measure::Measured;

/// Prints how fast a hook is.
pub fn print(measured: &Measured, output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(measured);
    }
    let mut card = Card::default();
    card.row("size", ByteCount(measured.bytes));
    card.row(
        "load, cold",
        format_args!("{:.0} ms, compiling it", measured.cold_load_ms),
    );
    card.row(
        "load, warm",
        format_args!("{:.2} ms", measured.warm_load_ms),
    );
    card.row("instance", format_args!("{:.0} µs", measured.instance_us));
    if let Some(peak) = measured.peak_bytes {
        card.row(
            "memory",
            format_args!("{}, the most of this process", ByteCount(peak)),
        );
    }
    if let Some(filter) = &measured.filter {
        card.row(
            "filter",
            format_args!(
                "paths of {} bytes, packing included, on one core",
                filter.path_bytes
            ),
        );
        card.row("  start", format_args!("{:.0} µs", filter.start_us));
        if let Some(rate) = filter.by_rules {
            card.row(
                "  rules",
                format_args!("{}, {} by them", filter.rules, per_second(rate)),
            );
        }
        for rate in &filter.asked {
            card.row(
                "  asked",
                format_args!(
                    "{} in batches of {}",
                    per_second(rate.per_second),
                    rate.batch
                ),
            );
        }
        card.row(
            "  walk",
            format_args!("a million paths in {:.0} ms", filter.million_ms),
        );
        if let Some(by_rules) = filter.million_by_rules_ms {
            card.row(
                "",
                format_args!(
                    "{by_rules:.0} ms by the same rules alone ({:.2} times)",
                    filter.million_ms / by_rules
                ),
            );
        }
    }
    super::result(&card.to_string())
}

fn per_second(rate: f64) -> String {
    format!("{:.2} M paths/s", rate / 1e6)
}
