//! Components by hand that use WASI as no language's library would.

use wit_parser::Resolve;

use super::{Trial, encode, root};

/// Functions answer at 64, and what the host hands over lies from 0x110000; `$begin` forgets it.
const MODULE: &str = r#"(module
    (import "wasi:filesystem/preopens@0.2.12" "get-directories" (func $directories (param i32)))
    (import "wasi:filesystem/types@0.2.12" "[method]descriptor.read-directory"
        (func $list (param i32 i32)))
    (import "wasi:filesystem/types@0.2.12" "[method]directory-entry-stream.read-directory-entry"
        (func $entry (param i32 i32)))
    (import "wasi:filesystem/types@0.2.12" "[method]descriptor.open-at"
        (func $open (param i32 i32 i32 i32 i32 i32 i32)))
    (import "wasi:filesystem/types@0.2.12" "[method]descriptor.read-via-stream"
        (func $reader (param i32 i64 i32)))
    (import "wasi:filesystem/types@0.2.12" "[method]descriptor.write-via-stream"
        (func $writer (param i32 i64 i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.write"
        (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.write-zeroes"
        (func $zeroes (param i32 i64 i32)))
    (import "wasi:io/streams@0.2.12" "[method]input-stream.read" (func $read (param i32 i64 i32)))
    (import "wasi:io/streams@0.2.12" "[method]input-stream.subscribe"
        (func $readable (param i32) (result i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.12" "[resource-drop]pollable" (func $forget (param i32)))
    (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))
    (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration"
        (func $timer (param i64) (result i32)))
    (import "[export]copal:hostile/things" "[resource-new]thing" (func $thing (param i32) (result i32)))
    (memory (export "memory") 320)
    (global $top (mut i32) (i32.const 0x110000))
    (data (i32.const 0x10000) "big")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get 3))))
    (func $begin
        (global.set $top (i32.const 0x110000)))
    (; The number in an answer, which must be no error. ;)
    (func $got (result i32)
        (if (i32.load8_u (i32.const 64)) (then unreachable))
        (i32.load (i32.const 68)))
    (; Whether an answer, which must be no error, is something. ;)
    (func $got_one (result i32)
        (if (i32.load8_u (i32.const 64)) (then unreachable))
        (i32.load8_u (i32.const 68)))
    (func $wait (param i32)
        (call $block (local.get 0))
        (call $forget (local.get 0)))
    (; The first directory that it has. ;)
    (func $directory (result i32)
        (call $directories (i32.const 64))
        (if (i32.eqz (i32.load (i32.const 68))) (then unreachable))
        (i32.load (i32.load (i32.const 64))))
    (; The file `big` there, for these open and descriptor flags. ;)
    (func $file (param i32 i32) (result i32)
        (call $open (call $directory) (i32.const 0) (i32.const 0x10000) (i32.const 3)
            (local.get 0) (local.get 1) (i32.const 64))
        (call $got))
    (func (export "copal:hostile/things#[dtor]thing") (param i32))
    (func (export "copal:hooks/pre-backup@0.1.0#run") (result i32)
        (local $n i32) (local $a i32) (local $b i32)
        BODY
        (i32.const 0)))"#;

/// A component whose `pre-backup` has this body, in the text format. It may use the
/// numbers `$n`, `$a` and `$b`.
pub fn by_wasi(body: &str) -> Trial {
    let mut resolve = Resolve::default();
    resolve.push_path(root().join("wit")).unwrap();
    let inline = "
        package copal:hostile;
        interface things { resource thing; }
        world hostile {
            include copal:hooks/pre-backup-hook@0.1.0;
            import wasi:filesystem/types@0.2.12;
            import wasi:filesystem/preopens@0.2.12;
            import wasi:io/poll@0.2.12;
            import wasi:io/streams@0.2.12;
            import wasi:cli/stdout@0.2.12;
            import wasi:clocks/monotonic-clock@0.2.12;
            export things;
        }";
    let package = resolve.push_str("hostile.wit", inline).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let module = wat::parse_str(MODULE.replace("BODY", body)).unwrap();
    Trial::of(encode(module, &resolve, world))
}

/// One that does `before` once and `body` a thousand thousand times, if it may.
pub fn over_and_over(before: &str, body: &str) -> Trial {
    by_wasi(&format!(
        "{before}
        (loop $again
            {body}
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 1000000))))"
    ))
}

/// Lists a directory as often as it may.
pub fn listings() -> Trial {
    over_and_over(
        "(local.set $a (call $directory))",
        "(call $list (local.get $a) (i32.const 64)) (drop (call $got))",
    )
}

/// Lists a directory once, and counts its entries; it must have so many.
pub fn walk(entries: usize) -> Trial {
    by_wasi(&format!(
        "(call $list (call $directory) (i32.const 64))
        (local.set $a (call $got))
        (loop $again
            (call $begin)
            (call $entry (local.get $a) (i32.const 64))
            (if (call $got_one)
                (then
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (br $again))))
        (if (i32.ne (local.get $n) (i32.const {entries})) (then unreachable))"
    ))
}

/// Waits for what it may read, in as many streams as it may have, and reads nothing.
pub fn readers() -> Trial {
    over_and_over(
        "(local.set $a (call $file (i32.const 0) (i32.const 1)))",
        "(call $reader (local.get $a) (i64.const 0) (i32.const 64))
        (local.set $b (call $got))
        (call $read (local.get $b) (i64.const 8000000) (i32.const 64))
        (call $wait (call $readable (local.get $b)))",
    )
}

/// Hands `bytes` to as many streams as it may have.
pub fn writers(bytes: usize) -> Trial {
    over_and_over(
        "(local.set $a (call $file (i32.const 1) (i32.const 2)))",
        &format!(
            "(call $writer (local.get $a) (i64.const 0) (i32.const 64))
            (call $write (call $got) (i32.const 0x110000) (i32.const {bytes}) (i32.const 64))"
        ),
    )
}

/// Has the host make so many zeroes.
pub fn zeroes(count: u64) -> Trial {
    by_wasi(&format!(
        "(call $zeroes (call $stdout) (i64.const {count}) (i32.const 64))"
    ))
}

/// Sets as many timers as it may.
pub fn timers() -> Trial {
    over_and_over("", "(drop (call $timer (i64.const 3600000000000)))")
}

/// Makes as many things of its own as it may.
pub fn things() -> Trial {
    over_and_over("", "(drop (call $thing (local.get $n)))")
}
