//! A large file goes to B2 in parts, and the hash that B2 tells of it is that of what rclone read before it
//! sent them: what a program writes through a memory map between the two shows in no time and no listing.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use copal_b2_server::Pace;
use copal_testkit::{FileSystem, Mount, Random, wait_until};

use crate::cloud::{BUCKET, Cloud, SMALL_PARTS};

const MIB: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_mins(2);

/// Writes to the last byte at once, and again for each line that it is told.
const WRITER: &str = "
import mmap, sys
with open(sys.argv[1], 'r+b') as file:
    map = mmap.mmap(file.fileno(), 0)
    byte = 1
    while True:
        map[-1] = byte
        print(byte, flush=True)
        if not sys.stdin.readline():
            break
        byte += 1
";

struct Writer {
    child: Child,
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

#[test]
fn a_large_file_that_changes_in_silence_between_its_hash_and_its_parts_is_sent_again() {
    let cloud = Cloud::with(&format!("{SMALL_PARTS}upload_concurrency = 1\n"));
    // There such a write changes no time at all.
    let Some(memory) = Mount::new(FileSystem::Tmpfs, 100) else {
        return;
    };
    let file = memory.path().join("large.bin");
    std::fs::write(&file, Random::new(1, "large").bytes(60 * MIB)).unwrap();
    let mut writer = Command::new("python3");
    writer.args(["-c", WRITER]).arg(&file).stdin(Stdio::piped());
    let child = writer.stdout(Stdio::null()).spawn().unwrap();
    let mut writer = Writer { child };
    let last = || {
        let bytes = std::fs::read(&file).unwrap();
        *bytes.last().unwrap()
    };
    wait_until("its first byte", PATIENCE, || (last() == 1).then_some(())).unwrap();
    cloud.server.set_pace(Pace {
        up: Some(8 << 20),
        ..Pace::default()
    });
    let to = format!("cloud:{BUCKET}");
    let source = memory.path().to_str().unwrap();
    // Files above this size are read in several places at once, by no hash of all that is read.
    let rclone = "[rclone]\nmulti_thread_cutoff = '8M'";
    let destination = format!("[[destination]]\nremote = '{to}'");
    let config = format!("name = 'app'\nsource.path = '{source}'\n{destination}\n{rclone}\n");
    cloud.world.write("copal.toml", config);
    let mut running = cloud.world.start(&["backup", "--json"]);
    let begun = || {
        let begun = !cloud.server.unfinished(BUCKET).is_empty();
        (begun || !running.is_running()).then_some(())
    };
    wait_until("the large file to be under way", PATIENCE, begun).unwrap();
    let mut line = writer.child.stdin.take().unwrap();
    line.write_all(b"\n").unwrap();
    wait_until("its second byte", PATIENCE, || (last() == 2).then_some(())).unwrap();
    assert!(!cloud.server.unfinished(BUCKET).is_empty(), "too late");
    let told = running.finish(PATIENCE).unwrap().succeeds().json();
    let moved = &told["destinations"][0]["changed_meanwhile"];
    let verify = ["verify", "latest", "--full", "--from", &to];
    cloud.world.copal(&verify).succeeds();
    assert_eq!(moved[0], "large.bin", "{told:#}");
}
