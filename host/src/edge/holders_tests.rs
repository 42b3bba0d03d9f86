use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use super::*;

/// An application in a process of its own: Python's SQLite, told what to do by lines.
struct App(Child);

impl App {
    fn start(database: &Path) -> Self {
        let script = "
import os, sqlite3, sys
path = sys.argv[1]
app = sqlite3.connect(path, isolation_level=None)
app.execute('PRAGMA journal_mode = WAL')
app.execute('CREATE TABLE IF NOT EXISTS chat (text)')
app.execute('INSERT INTO chat VALUES (1)')
for line in sys.stdin:
    if line == 'download\\n':
        os.close(os.open(path, os.O_RDONLY))
    if line == 'delete\\n':
        os.remove(path + '-wal')
    print('done', flush=True)
";
        let mut app = Self(
            Command::new("python3")
                .args(["-c", script])
                .arg(database)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        app.tell("begin");
        app
    }

    fn tell(&mut self, what: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{what}").unwrap();
        let mut answer = String::new();
        let mut lines = BufReader::new(self.0.stdout.as_mut().unwrap());
        lines.read_line(&mut answer).unwrap();
        assert_eq!(answer, "done\n");
    }

    fn fault(&self, file: &Path) -> Option<Fault> {
        let keeps_locks = true;
        let found = at_fault(Database { file, keeps_locks }).unwrap();
        let mine = found.into_iter().find(|holder| holder.pid == self.0.id())?;
        assert!(mine.program.starts_with("python"), "{mine:?}");
        Some(mine.fault)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn an_app_that_lost_its_locks_or_its_log_is_at_fault_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("web ui.db");
    let mut app = App::start(&database);
    assert_eq!(app.fault(&database), None);
    app.tell("download");
    assert_eq!(app.fault(&database), Some(Fault::NoLock));
    app.tell("delete");
    assert_eq!(app.fault(&database), Some(Fault::DeletedLog));
}

#[test]
fn locks_are_read_as_the_system_writes_them() {
    let text = "1: POSIX  ADVISORY  READ 4711 08:01:2752519 128 128\n\
        2: -> POSIX  ADVISORY  WRITE 4712 08:01:2752519 120 120\n\
        3: FLOCK  ADVISORY  WRITE 4713 fd:00:99 0 EOF\n";
    let Locks(locks) = Locks::read(text);
    assert_eq!(locks, HashSet::from([(4711, 2_752_519)]));
}
