//! The disk of a local destination fills up amid the transfer.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use copal_testkit::{FileSystem, Mount, Random, World, wait_until};

const PATIENCE: Duration = Duration::from_mins(2);

/// A world that holds a service while it stages, and backs up to that disk, slowly.
fn world() -> World {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    for n in 0..6 {
        let name = format!("source/{n}.bin");
        world.write(&name, Random::new(1, &name).bytes(2 << 20));
    }
    world.write("app", "");
    let at = world.root().display().to_string();
    let script = |name: &str, text: &str| world.write(name, format!("cd '{at}'\n{text}\n"));
    script("stop", "rm -f app; touch stopped");
    script("start", "touch app");
    script("state", "test -e app");
    world
}

fn configure(world: &World, disk: &Path, rclone: &str) {
    world.write(
        "copal.toml",
        format!(
            "name = 'app'\nsource.path = 'source'\n[[destination]]\nremote = '{}'\n\
             [rclone]\n{rclone}\n[[hook]]\nuse = 'quiesce'\n\
             config = {{ how = 'stop', grace = '100ms' }}\ngrants = {{ service = ['app'] }}\n\
             [service.app]\ndriver = 'command'\nstop = ['sh', 'stop']\nstart = ['sh', 'start']\n\
             state = ['sh', 'state']\n",
            disk.join("backups").display()
        ),
    );
}

/// Takes all the room there is.
fn fill(disk: &Path) {
    let mut file = fs::File::create(disk.join("fill")).unwrap();
    let some = vec![7; 1 << 16];
    while file.write_all(&some).is_ok() {}
}

fn files_below(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_disk_that_fills_up_amid_the_transfer_fails_the_run_and_nothing_of_it_is_left() {
    for kind in [FileSystem::Tmpfs, FileSystem::Ext4] {
        let Some(disk) = Mount::new(kind, 32) else {
            return;
        };
        let world = world();
        configure(&world, disk.path(), "bwlimit = '2M'\ntransfers = 1");
        let backups = disk.path().join("backups");
        let mut running = world.start(&["backup"]);
        let arrived = || {
            let files = files_below(&backups).into_iter();
            let whole = files.filter(|name| name.ends_with("0.bin")).count() > 0;
            (whole || !running.is_running()).then_some(())
        };
        wait_until("the first file to arrive", PATIENCE, arrived).unwrap();
        assert!(running.is_running(), "{}", running.stderr());
        fill(disk.path());
        let output = running.finish(PATIENCE).unwrap();
        output.exits_with(1).says("can't upload to");
        output.says(" next: make room on that disk");
        assert_eq!(files_below(&backups), [""; 0], "{output}");
        assert!(world.path("stopped").exists(), "it was never held");
        assert!(world.path("app").exists(), "it is still held");

        fs::remove_file(disk.path().join("fill")).unwrap();
        configure(&world, disk.path(), "");
        world.copal(&["backup"]).succeeds();
        let verify = ["verify", "latest", "--full"];
        world.copal(&verify).succeeds();
    }
}
