//! Builds `go/` into a C archive and links it.
//!
//! Go keeps what it compiled in its own build cache, so only the first build of a machine is slow.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `go/go.mod` pins.
const RCLONE_VERSION: &str = "v1.76.0";

/// rclone's own go.mod asks for it.
const OLDEST_GO: (u32, u32) = (1, 26);

fn main() -> Result<(), Box<dyn Error>> {
    for input in ["build.rs", "go"] {
        println!("cargo::rerun-if-changed={input}");
    }
    for variable in ["CC", "CGO_CFLAGS", "CGO_LDFLAGS", "GOCACHE", "GOTOOLCHAIN"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rustc-env=RCLONE_VERSION={RCLONE_VERSION}");

    let out = PathBuf::from(env::var("OUT_DIR")?);
    let go = find_go()?;
    check_c_compiler(&go)?;
    build_archive(&go, &out.join("librclone.a"))?;
    link(&out)
}

/// The go command: on PATH, or where its own tarball puts it.
fn find_go() -> Result<PathBuf, Box<dyn Error>> {
    let (oldest_major, oldest_minor) = OLDEST_GO;
    let install = format!(
        "install Go {oldest_major}.{oldest_minor} or newer: https://go.dev/dl/ (scripts/setup does it on Debian and Ubuntu)"
    );
    let places = ["go", "/usr/local/go/bin/go"].map(PathBuf::from);
    let Some((go, version)) = places
        .into_iter()
        .find_map(|go| stdout_of(Command::new(&go).arg("version")).map(|version| (go, version)))
    else {
        return Err(
            format!("rclone is written in Go, and no `go` command was found: {install}").into(),
        );
    };
    match parse_version(&version) {
        Some(found) if found >= OLDEST_GO => Ok(go),
        _ => Err(
            format!("this Go is too old for rclone {RCLONE_VERSION} ({version}): {install}").into(),
        ),
    }
}

/// `go version go1.26.8 linux/amd64` is 1.26.
fn parse_version(line: &str) -> Option<(u32, u32)> {
    let (_, version) = line.split_once(" go")?;
    let mut parts = version.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn check_c_compiler(go: &Path) -> Result<(), Box<dyn Error>> {
    let compiler = stdout_of(Command::new(go).args(["env", "CC"])).unwrap_or_else(|| "cc".into());
    let program = compiler.split_whitespace().next().unwrap_or("cc");
    if stdout_of(Command::new(program).arg("--version")).is_some() {
        return Ok(());
    }
    Err(format!(
        "Go needs a C compiler to build a C archive, and `{program}` does not run: \
         install gcc or clang (on Debian and Ubuntu: apt-get install gcc libc6-dev)"
    )
    .into())
}

fn build_archive(go: &Path, archive: &Path) -> Result<(), Box<dyn Error>> {
    let tags = if env::var_os("CARGO_FEATURE_ALL_BACKENDS").is_some() {
        ""
    } else {
        "common_backends"
    };
    let status = Command::new(go)
        .current_dir("go")
        .args([
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-buildmode=c-archive",
        ])
        .args(["-tags", tags])
        .arg("-ldflags")
        .arg(format!(
            "-s -w -X github.com/rclone/rclone/fs.Version={RCLONE_VERSION}"
        ))
        .arg("-o")
        .arg(archive)
        .arg(".")
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "1")
        .env("GOOS", go_name(&env::var("CARGO_CFG_TARGET_OS")?))
        .env("GOARCH", go_name(&env::var("CARGO_CFG_TARGET_ARCH")?))
        .status()?;
    if status.success() {
        return Ok(());
    }
    Err(format!("`go build` of rclone failed ({status}); Go's own words are above").into())
}

/// Rust's name of a system or processor in Go's words.
fn go_name(rust: &str) -> &str {
    match rust {
        "macos" => "darwin",
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

fn link(directory: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rustc-link-search=native={}", directory.display());
    // Unbundled: a copy of a hundred megabytes in the rlib would serve nobody.
    println!("cargo::rustc-link-lib=static:-bundle=rclone");
    // Linux needs nothing more than libc. macOS is untested: these are what Go's net, crypto/x509
    // and the disk statistics of rclone's dependencies link there.
    if env::var("CARGO_CFG_TARGET_OS")? == "macos" {
        for framework in ["CoreFoundation", "IOKit", "Security"] {
            println!("cargo::rustc-link-lib=framework={framework}");
        }
        println!("cargo::rustc-link-lib=resolv");
    }
    Ok(())
}

fn stdout_of(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
