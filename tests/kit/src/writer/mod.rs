//! People using the app while it is being backed up.

mod journal;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use crate::openwebui::{Chat, Collection, OpenWebUi, Passage, Upload, collections};
use crate::sqlite::{open_chroma, open_webui};
use crate::{Random, TimedOut};

pub use journal::{Acknowledged, Write};

use journal::Journal;

/// How long each kind of writer rests between two writes.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two chats.
    pub chats: Duration,
    /// Between two uploads.
    pub uploads: Duration,
    /// Between two passages with vectors.
    pub passages: Duration,
}

impl Pace {
    /// Some thirty writes a second, a third of them vectors: a busy team.
    pub const BUSY: Self = Self {
        chats: Duration::from_millis(80),
        uploads: Duration::from_millis(160),
        passages: Duration::from_millis(80),
    };

    /// Without rest: whoever wants to read `chroma.sqlite3` meanwhile finds it locked nearly always.
    pub const RELENTLESS: Self = Self {
        chats: Duration::ZERO,
        uploads: Duration::ZERO,
        passages: Duration::ZERO,
    };
}

/// A steady writer, in threads of its own, with connections set as the app sets them.
///
/// It keeps locks on the databases' files, which POSIX drops as soon as *this process* closes any
/// other descriptor of them: never open the live databases' files as plain files in the process
/// that runs a writer (a copy, a comparison, a checksum), or its locks are gone.
#[derive(Debug)]
pub struct Writer {
    journal: Arc<Journal>,
    threads: Vec<JoinHandle<()>>,
}

/// What a writer did in its life.
#[derive(Debug)]
pub struct Stopped {
    /// Every write that was committed, in the order of commitment.
    pub acknowledged: Vec<Acknowledged>,
    /// Writes that failed, each with its cause: a backup must not make the app fail.
    pub failures: Vec<String>,
    /// The longest that one write took.
    pub slowest: Duration,
}

impl Writer {
    /// Starts writing at [`Pace::BUSY`].
    pub fn start(app: &OpenWebUi) -> anyhow::Result<Self> {
        Self::start_at(app, Pace::BUSY)
    }

    /// Starts writing at a pace of one's own.
    pub fn start_at(app: &OpenWebUi, pace: Pace) -> anyhow::Result<Self> {
        let journal = Arc::new(Journal::default());
        let chats = ChatDesk::open(app)?;
        let uploads = UploadDesk::open(app)?;
        let passages = VectorDesk::open(app)?;
        let threads = vec![
            spawn(&journal, pace.chats, chats),
            spawn(&journal, pace.uploads, uploads),
            spawn(&journal, pace.passages, passages),
        ];
        Ok(Self { journal, threads })
    }

    /// The writes whose commit had returned before `moment`: a backup that began then holds them.
    pub fn acknowledged_before(&self, moment: Instant) -> Vec<Write> {
        self.journal.before(moment)
    }

    /// How many writes have been committed so far.
    pub fn count(&self) -> usize {
        self.journal.count()
    }

    /// Waits until so many writes have been committed in all.
    pub fn wait_for(&self, count: usize, limit: Duration) -> Result<(), TimedOut> {
        crate::wait_until(&format!("{count} acknowledged writes"), limit, || {
            (self.count() >= count).then_some(())
        })
    }

    /// Ends the writes under way and tells what was done. The `-wal` stays, as it does when the app
    /// is stopped.
    pub fn stop(mut self) -> Stopped {
        self.halt();
        self.journal.take()
    }

    fn halt(&mut self) {
        self.journal.stop();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                self.journal.failed("a writer's thread panicked".to_owned());
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.halt();
    }
}

/// One kind of user: makes one write, answers when it is committed.
trait Desk: Send + 'static {
    fn write(&mut self) -> anyhow::Result<Write>;
}

fn spawn(journal: &Arc<Journal>, rest: Duration, mut desk: impl Desk) -> JoinHandle<()> {
    let journal = Arc::clone(journal);
    thread::spawn(move || {
        while journal.goes_on_after(rest) {
            let began = Instant::now();
            match desk.write() {
                Ok(write) => journal.acknowledge(write, began.elapsed()),
                Err(error) => journal.failed(format!("{error:#}")),
            }
        }
    })
}

struct ChatDesk {
    connection: Connection,
    users: Vec<String>,
    random: Random,
}

impl ChatDesk {
    fn open(app: &OpenWebUi) -> anyhow::Result<Self> {
        let connection = open_webui(&app.webui_db())?;
        Ok(Self {
            users: users(&connection)?,
            connection,
            random: app.random("writer: chats"),
        })
    }
}

impl Desk for ChatDesk {
    fn write(&mut self) -> anyhow::Result<Write> {
        let user = self.random.pick(&self.users).clone();
        let chat = Chat::random(&user, &mut self.random);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        chat.insert(&transaction)?;
        transaction.commit()?;
        Ok(Write::Chat {
            sha256: chat.digest(),
            id: chat.id,
        })
    }
}

struct UploadDesk {
    connection: Connection,
    app: OpenWebUi,
    users: Vec<String>,
    random: Random,
}

impl UploadDesk {
    const LARGEST: usize = 100_000;

    fn open(app: &OpenWebUi) -> anyhow::Result<Self> {
        let connection = open_webui(&app.webui_db())?;
        Ok(Self {
            users: users(&connection)?,
            connection,
            app: app.clone(),
            random: app.random("writer: uploads"),
        })
    }
}

impl Desk for UploadDesk {
    fn write(&mut self) -> anyhow::Result<Write> {
        let user = self.random.pick(&self.users).clone();
        let upload = Upload::random(&user, Self::LARGEST, &mut self.random);
        upload.store(self.app.directory())?;
        upload.insert(&self.connection, self.app.directory())?;
        Ok(Write::Upload {
            stored_name: upload.stored_name(),
            sha256: upload.digest(),
            id: upload.id,
        })
    }
}

struct VectorDesk {
    connection: Connection,
    collections: Vec<Collection>,
    random: Random,
}

impl VectorDesk {
    fn open(app: &OpenWebUi) -> anyhow::Result<Self> {
        let connection = open_chroma(&app.chroma_db())?;
        Ok(Self {
            collections: collections(&connection)?,
            connection,
            random: app.random("writer: vectors"),
        })
    }
}

impl Desk for VectorDesk {
    fn write(&mut self) -> anyhow::Result<Write> {
        let collection = self.random.pick(&self.collections);
        let passage = Passage::random(&mut self.random);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        passage.insert(&transaction, collection)?;
        transaction.commit()?;
        Ok(Write::Passage {
            sha256: passage.digest(),
            id: passage.id,
        })
    }
}

fn users(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT id FROM user ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect()
}

#[cfg(test)]
mod tests;
