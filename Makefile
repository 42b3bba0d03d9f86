# `make` alone lists what there is.
#
# Cargo does the building; this file only strings commands together. Tests and the demo share the
# development build, `bench` and `install` the release build.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test soak hooks bench fmt lint doc install deb

# Where scripts/setup finds or puts the tools.
export PATH := $(shell scripts/setup path)

TARGET := $(or $(CARGO_TARGET_DIR),target)
REBUILT_HOOKS := $(abspath $(TARGET))/rebuilt-hooks
LANGUAGE_HOOKS := $(abspath $(TARGET))/hooks-languages

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: ## back up, verify and restore a made-up Open WebUI while it is being written to
	@scripts/setup demo
	@test -x $(TARGET)/debug/copal || echo 'The first build takes ten to twenty minutes, most of them for rclone.'
	cargo build --workspace --bins
	@$(TARGET)/debug/demo

test: ## everything that has to hold before a change goes in
	scripts/setup test
	cargo fmt --all --check
	cargo fmt --manifest-path guest-hooks/Cargo.toml --all --check
	scripts/build-hooks --check
	scripts/build-hooks --out $(REBUILT_HOOKS)
	scripts/build-hooks --examples
	cargo clippy --manifest-path guest-hooks/Cargo.toml --all-targets -- -D warnings
	cargo test --quiet --manifest-path guest-hooks/Cargo.toml
	scripts/notices --check
	scripts/check-packaging
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet
	cargo build --workspace --bins
	scripts/build-language-hooks --out $(LANGUAGE_HOOKS)
	COPAL_PREBUILT_DIR=$(REBUILT_HOOKS) COPAL_LANGUAGE_HOOKS=$(LANGUAGE_HOOKS) cargo test --workspace

soak: ## an hour of kills, signals, full disks and failing engines; prints the table of docs/faults.md
	@scripts/setup test
	@scripts/soak

hooks: ## rebuild the built-in hooks under guest-hooks/prebuilt/
	@scripts/setup test
	scripts/build-hooks

bench: ## how fast, against rclone and sqlite3 on the same data; a database's copy beside cp; hooks; how long an app is paused; the wire; unchanged files beside cp -al; restores
	@scripts/setup bench
	cargo build --release --workspace --bins
	@$(TARGET)/release/copal-bench
	@$(TARGET)/release/copal-bench copy
	@$(TARGET)/release/copal-bench hooks
	@$(TARGET)/release/copal-bench pause
	@$(TARGET)/release/copal-bench wire
	@$(TARGET)/release/copal-bench links
	@$(TARGET)/release/copal-bench restore

fmt: ## format all Rust sources
	cargo fmt --all
	cargo fmt --manifest-path guest-hooks/Cargo.toml --all

lint: ## clippy, and cargo-deny where it is installed
	cargo clippy --workspace --all-targets -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny check; else echo 'cargo-deny is not installed: licences and advisories were not checked'; fi

doc: ## the documentation of all packages, as HTML
	cargo doc --workspace --no-deps

install: ## build the release and put it into PREFIX (/usr/local), below DESTDIR
	@scripts/setup demo
	@scripts/release install

deb: ## build the release and a package of it for Debian and Ubuntu, in target/dist
	@scripts/setup release
	@scripts/release deb
