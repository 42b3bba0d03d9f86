//! Copies and checks of SQLite databases.

/// What a database's copy turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The number of its pages.
    pub pages: u64,
    /// The size of a page in bytes.
    pub page_size: u32,
    /// Whether it was checked for integrity: always but in a dry run.
    pub checked: bool,
}

/// How thoroughly a database is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckDepth {
    /// Its pages, not whether indexes fit their tables.
    Quick,
    /// Everything, foreign keys included.
    Full,
}

/// How long an answer to a query may be, in bytes.
pub const QUERY_ANSWER: usize = 1024 * 1024;

/// A process that has a database open in a way that a copy may miss what it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its program, as the system names it.
    pub program: String,
    /// What is wrong with it, for a person.
    pub why: String,
}
