//! A mirror where names that differ by case are the same, as on a Mac's disk or over SMB.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use copal_testkit::{World, stock_rclone, wait_until};

/// An installed rclone that serves a directory so, by `WebDAV`.
struct WebDav {
    server: Child,
    dir: PathBuf,
}

impl WebDav {
    fn of(world: &World) -> Self {
        let dir = world.path("served");
        fs::create_dir(&dir).unwrap();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let server = Command::new("rclone")
            .args(["serve", "webdav", "--vfs-case-insensitive", "--addr"])
            .arg(address.to_string())
            .arg(&dir)
            .env("RCLONE_CONFIG", world.rclone_conf())
            .spawn()
            .unwrap();
        let this = Self { server, dir };
        let answers = || TcpStream::connect(address).ok();
        wait_until("the WebDAV server", Duration::from_mins(1), answers).unwrap();
        let lines = format!("type = webdav\nurl = http://{address}\nvendor = other");
        world.add_remote("dav", &lines);
        this
    }

    fn names(&self, below: &str) -> Vec<String> {
        names(&self.dir.join(below))
    }
}

impl Drop for WebDav {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_rename_by_case_alone_is_followed_where_both_are_one_name() {
    if !stock_rclone() {
        return;
    }
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    let dav = WebDav::of(&world);
    for name in ["Report.txt", "Docs/a", "Docs/deep/b", "c", "d", "e"] {
        world.write(format!("source/uploads/{name}"), name);
    }
    let job = "name = 'app'\nsource.path = 'source'\n[[destination]]\nremote = 'dav:m'\nlayout = 'mirror'\n\
               map = { uploads = 'up' }\n";
    world.write("copal.toml", job);
    world.copal(&["backup"]).succeeds();
    let uploads = world.source().join("uploads");
    fs::rename(uploads.join("Report.txt"), uploads.join("report.txt")).unwrap();
    fs::rename(uploads.join("Docs"), uploads.join("docs")).unwrap();
    world.write("copal.toml", format!("{job}max_delete = 2\n"));
    let refused = world.copal(&["backup"]);
    refused.exits_with(1).says("is in the way of");
    assert_eq!(dav.names("m/up/Docs"), ["a", "deep"]);
    world.write("copal.toml", format!("{job}max_delete = 3\n"));
    world.copal(&["backup"]).succeeds();
    assert_eq!(dav.names("m/up"), names(&uploads));
    assert_eq!(dav.names("m/up/docs"), ["a", "deep"]);
    world.copal(&["verify", "--full"]).succeeds();
    let told = world.copal(&["backup", "--json"]).succeeds().json();
    assert_eq!(told["destinations"][0]["uploaded_files"], 0, "{told:#}");
}
