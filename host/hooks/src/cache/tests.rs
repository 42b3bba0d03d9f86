//! What the cache gives back, and what it does not.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use tempfile::TempDir;
use wasmtime::{Config, Engine};

use super::*;

struct Bench {
    directory: TempDir,
    engine: Engine,
    component: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            engine: Engine::default(),
            component: component("first"),
        }
    }

    fn place(&self) -> PathBuf {
        self.directory.path().join("copal/hooks")
    }

    fn cache(&self) -> Cache {
        Cache::open(&self.place(), &self.engine).unwrap()
    }

    fn keep(&self, component: &[u8]) -> Component {
        let compiled = Component::from_binary(&self.engine, component).unwrap();
        self.cache().keep(component, sha256(component), &compiled);
        compiled
    }

    fn finds(&self, component: &[u8]) -> bool {
        let found = find(&self.cache(), &self.engine, component);
        assert_eq!(found.digest, sha256(component));
        found.component.is_some()
    }

    fn entry(&self) -> PathBuf {
        self.cache().entry(&self.component)
    }
}

fn find(cache: &Cache, engine: &Engine, component: &[u8]) -> Found {
    super::find(Some(cache), engine, component, || ()).0
}

/// A component with some code and data in it.
fn component(export: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $m
                (memory 1)
                (data (i32.const 8) "some data")
                (func (export "f") (result i32) (i32.load (i32.const 8))))
            (core instance $i (instantiate $m))
            (func (export "{export}") (result u32) (canon lift (core func $i "f"))))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn what_was_kept_is_found_again() {
    let bench = Bench::new();
    assert!(!bench.finds(&bench.component), "before it was kept");
    bench.keep(&bench.component);
    assert!(bench.finds(&bench.component));
    assert!(!bench.finds(&component("second")), "another component");
    let mode = fs::metadata(bench.entry()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let names = fs::read_dir(bench.place()).unwrap().count();
    assert_eq!(names, 1, "nothing unfinished is left");
}

#[test]
fn an_entry_with_any_byte_changed_is_a_miss() {
    let bench = Bench::new();
    bench.keep(&bench.component);
    let whole = fs::read(bench.entry()).unwrap();
    // Each byte of the header and of the seal, and every so many between.
    let step = (whole.len() / 300).max(1);
    let edges = (0..64).chain(whole.len() - 80..whole.len());
    for at in edges.chain((0..whole.len()).step_by(step)) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        fs::write(bench.entry(), changed).unwrap();
        assert!(!bench.finds(&bench.component), "with byte {at} changed");
    }
    fs::write(bench.entry(), whole).unwrap();
    assert!(bench.finds(&bench.component));
}

#[test]
fn an_entry_of_another_length_is_a_miss() {
    let bench = Bench::new();
    bench.keep(&bench.component);
    let whole = fs::read(bench.entry()).unwrap();
    for length in [
        0,
        1,
        15,
        63,
        64,
        79,
        80,
        81,
        4096,
        whole.len() - 80,
        whole.len() - 1,
    ] {
        fs::write(bench.entry(), &whole[..length]).unwrap();
        assert!(!bench.finds(&bench.component), "cut to {length} bytes");
    }
    fs::write(bench.entry(), [&whole[..], b"\0"].concat()).unwrap();
    assert!(!bench.finds(&bench.component), "with a byte more");
}

#[test]
fn another_components_entry_under_this_ones_name_is_a_miss() {
    let bench = Bench::new();
    let other = component("second");
    bench.keep(&other);
    fs::rename(bench.cache().entry(&other), bench.entry()).unwrap();
    assert!(!bench.finds(&bench.component));
}

#[test]
fn code_that_was_never_sealed_is_a_miss_and_so_is_a_link() {
    let bench = Bench::new();
    let compiled = bench.keep(&bench.component);
    let kept = fs::read(bench.entry()).unwrap();
    fs::write(bench.entry(), compiled.serialize().unwrap()).unwrap();
    assert!(!bench.finds(&bench.component), "without a seal");
    let elsewhere = bench.directory.path().join("elsewhere");
    fs::write(&elsewhere, kept).unwrap();
    fs::remove_file(bench.entry()).unwrap();
    symlink(elsewhere, bench.entry()).unwrap();
    assert!(!bench.finds(&bench.component), "through a link");
}

#[test]
fn code_for_other_settings_is_a_miss() {
    let bench = Bench::new();
    bench.keep(&bench.component);
    let other = Engine::new(Config::new().epoch_interruption(true)).unwrap();
    let cache = Cache::open(&bench.place(), &other).unwrap();
    assert!(find(&cache, &other, &bench.component).component.is_none());
    fs::rename(bench.entry(), cache.entry(&bench.component)).unwrap();
    assert!(find(&cache, &other, &bench.component).component.is_none());
}

#[test]
fn a_miss_is_mended_by_keeping_it_again() {
    let bench = Bench::new();
    bench.keep(&bench.component);
    fs::write(bench.entry(), "damaged").unwrap();
    assert!(!bench.finds(&bench.component));
    bench.keep(&bench.component);
    assert!(bench.finds(&bench.component));
}

#[test]
fn a_directory_that_others_may_enter_is_not_used() {
    let bench = Bench::new();
    bench.cache();
    for mode in [0o750, 0o701, 0o777] {
        fs::set_permissions(bench.place(), fs::Permissions::from_mode(mode)).unwrap();
        let refused = Cache::open(&bench.place(), &bench.engine).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    }
}

#[test]
fn a_link_or_a_file_in_the_directorys_place_is_not_used() {
    let bench = Bench::new();
    let real = bench.directory.path().join("real");
    DirBuilder::new().mode(0o700).create(&real).unwrap();
    let link = bench.directory.path().join("link");
    symlink(&real, &link).unwrap();
    assert!(Cache::open(&link, &bench.engine).is_err());
    let file = bench.directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Cache::open(&file, &bench.engine).is_err());
}

#[test]
fn a_directory_that_is_gone_is_a_miss_and_no_failure() {
    let bench = Bench::new();
    let cache = bench.cache();
    fs::remove_dir_all(bench.place()).unwrap();
    let found = find(&cache, &bench.engine, &bench.component);
    assert!(found.component.is_none());
    let compiled = Component::from_binary(&bench.engine, &bench.component).unwrap();
    cache.keep(&bench.component, found.digest, &compiled);
}

/// A component that another process has loaded is not changed by one that keeps it again.
#[test]
fn keeping_it_again_leaves_a_loaded_one_alone() {
    use wasmtime::Store;
    use wasmtime::component::Linker;
    let bench = Bench::new();
    bench.keep(&bench.component);
    let loaded = find(&bench.cache(), &bench.engine, &bench.component).component;
    bench.keep(&bench.component);
    fs::remove_file(bench.entry()).unwrap();
    let mut store = Store::new(&bench.engine, ());
    let linker = Linker::new(&bench.engine);
    let instance = linker.instantiate(&mut store, &loaded.unwrap()).unwrap();
    let first = instance.get_typed_func::<(), (u32,)>(&mut store, "first");
    let (word,) = first.unwrap().call(&mut store, ()).unwrap();
    assert_eq!(word.to_le_bytes(), *b"some");
}
