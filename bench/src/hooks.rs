//! How fast hooks are, by what `copal hook bench` measures, beside what is wanted of them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde_json::Value;

/// What the filters of all languages are told: the same work for each.
const CONFIG: &str =
    r#"{ "suffixes": [".tmp", ".bak"], "max-size": 1000000000, "url": "http://127.0.0.1:9" }"#;

/// A hook's goals.
struct Goal {
    name: &'static str,
    warm_ms: f64,
    /// Paths a second.
    asked: f64,
    instance_us: Option<f64>,
}

const GOALS: [Goal; 4] = [
    Goal {
        name: "rust",
        warm_ms: 1.0,
        asked: 40e6,
        instance_us: Some(100.0),
    },
    Goal {
        name: "c",
        warm_ms: 1.0,
        asked: 40e6,
        instance_us: None,
    },
    Goal {
        name: "js",
        warm_ms: 10.0,
        asked: 0.5e6,
        instance_us: None,
    },
    Goal {
        name: "python",
        warm_ms: 10.0,
        asked: 0.6e6,
        instance_us: None,
    },
];

/// By rules alone, whatever the language.
const BY_RULES: f64 = 5e6;

/// The built-in `exclude` beside the same rules without it.
const TIMES: f64 = 2.0;

/// Measures and prints all that are built.
pub(crate) fn run(copal: &Path) -> anyhow::Result<()> {
    println!("\nhooks, on one core; filters with packing, on paths of 55 bytes\n");
    println!("           load, cold       warm       instance    M paths/s in batches of");
    println!("                                                      1,000    4,096   10,000");
    let directory = directory();
    for goal in &GOALS {
        let file = directory.join(format!("{}.wasm", goal.name));
        if !file.exists() {
            println!(
                "  {:8} not built: `scripts/build-language-hooks` makes {}",
                goal.name,
                file.display()
            );
            continue;
        }
        row(goal, &measure(copal, &file, CONFIG)?);
    }
    exclude(copal)
}

/// Where the hooks of each language are.
fn directory() -> PathBuf {
    let told = env::var_os("COPAL_LANGUAGE_HOOKS").map(PathBuf::from);
    let target = || env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    told.unwrap_or_else(|| target().join("hooks-languages"))
}

fn measure(copal: &Path, file: &Path, config: &str) -> anyhow::Result<Value> {
    let output = Command::new(copal)
        .args(["hook", "bench", "--json", "--hook-config", config])
        .arg(file)
        .output()
        .with_context(|| format!("could not run {}", copal.display()))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{}: {stderr}", file.display());
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn number(of: &Value) -> f64 {
    of.as_f64().unwrap_or(f64::NAN)
}

fn row(goal: &Goal, measured: &Value) {
    let cold = number(&measured["cold_load_ms"]);
    let warm = number(&measured["warm_load_ms"]);
    let instance = number(&measured["instance_us"]);
    let rates = measured["filter"]["asked"].as_array();
    let rates: Vec<f64> = rates
        .into_iter()
        .flatten()
        .map(|rate| number(&rate["per_second"]))
        .collect();
    let shown: Vec<_> = rates
        .iter()
        .map(|rate| format!("{:8.2}", rate / 1e6))
        .collect();
    let (name, shown) = (goal.name, shown.join(" "));
    println!("  {name:8} {cold:7.0} ms {warm:7.2} ms {instance:10.0} µs  {shown}");
    let slowest = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let at_most = |found: f64, wanted: f64| format!("{:.2} of {wanted}", found / wanted);
    let instance = goal
        .instance_us
        .map(|wanted| at_most(instance, wanted) + " µs,");
    println!(
        "           of what is wanted: load {} ms, {} rate {:.2} times {} M",
        at_most(warm, goal.warm_ms),
        instance.map_or(String::new(), |text| format!("instance {text}")),
        slowest / goal.asked,
        goal.asked / 1e6,
    );
}

/// The built-in filter, which decides by rules.
fn exclude(copal: &Path) -> anyhow::Result<()> {
    let file = Path::new("guest-hooks/prebuilt/exclude.wasm");
    anyhow::ensure!(
        file.exists(),
        "run it at the top of the sources: there is no {}",
        file.display()
    );
    let measured = measure(copal, file, "{}")?;
    let filter = &measured["filter"];
    let rate = number(&filter["by_rules"]);
    let (hook, alone) = (
        number(&filter["million_ms"]),
        number(&filter["million_by_rules_ms"]),
    );
    println!(
        "\nby rules alone, in whatever language they were answered: {:.2} M paths/s ({:.2} times what is wanted)",
        rate / 1e6,
        rate / BY_RULES
    );
    println!(
        "the built-in `exclude` on a million paths: {hook:.0} ms, {:.2} times the same rules without it (at most {TIMES} is wanted)",
        hook / alone
    );
    Ok(())
}
