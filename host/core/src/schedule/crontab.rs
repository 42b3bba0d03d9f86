//! A crontab of which one block is ours. Everything else in it is passed on to the byte.

use crate::name::Name;

/// A user's crontab, or a file of `/etc/cron.d`. It is bytes, since nobody promises more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crontab(Vec<u8>);

/// Why a block can't be told from what others wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenBlock {
    /// It has no end.
    #[error("line {0} begins Copal's block, and nothing ends it")]
    NoEnd(usize),
    /// It has no beginning.
    #[error("line {0} ends Copal's block, and nothing begins it")]
    NoBeginning(usize),
    /// There are several.
    #[error("Copal's block is in it twice: line {0} begins the second one")]
    Twice(usize),
}

/// The part of a crontab that has one job's block, from the beginning of its first line to the end of its last.
struct Block {
    from: usize,
    to: usize,
}

impl Crontab {
    /// What is in it, as it was read. One that does not exist is empty.
    pub fn new(content: Vec<u8>) -> Self {
        Self(content)
    }

    /// What it is to be.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The lines of a job's block, without those that mark it; `None` if it has none.
    pub fn lines_of(&self, job: &Name) -> Result<Option<Vec<String>>, BrokenBlock> {
        let Some(block) = self.block(job)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&self.0[block.from..block.to]);
        let lines = text.lines().map(str::to_owned);
        let inner = lines.filter(|line| *line != beginning(job) && *line != end(job));
        Ok(Some(inner.collect()))
    }

    /// The jobs that have a block in it.
    pub fn jobs(&self) -> Vec<Name> {
        let text = String::from_utf8_lossy(&self.0);
        let named = |line: &str| {
            let (name, _) = line.strip_prefix(BEGIN)?.split_once(' ')?;
            name.parse().ok()
        };
        text.lines().filter_map(named).collect()
    }

    /// The same with these lines as the job's block: in the place of the one that it has, or at its end.
    pub fn with(mut self, job: &Name, lines: &[String]) -> Result<Self, BrokenBlock> {
        let block = self.block(job)?;
        let mut text = format!("{}\n", beginning(job));
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&end(job));
        text.push('\n');
        let place = if let Some(block) = block {
            block.from..block.to
        } else {
            // A last line without an end would swallow the block's first.
            if self.0.last().is_some_and(|last| *last != b'\n') {
                self.0.push(b'\n');
            }
            self.0.len()..self.0.len()
        };
        self.0.splice(place, text.into_bytes());
        Ok(self)
    }

    /// The same without the job's block, if it has one.
    pub fn without(mut self, job: &Name) -> Result<Self, BrokenBlock> {
        if let Some(block) = self.block(job)? {
            self.0.drain(block.from..block.to);
        }
        Ok(self)
    }

    /// Whether nothing is in it but white space and comments.
    pub fn says_nothing(&self) -> bool {
        let mut lines = self.0.split(|byte| *byte == b'\n');
        lines.all(|line| {
            let line = line.trim_ascii();
            line.is_empty() || line.starts_with(b"#")
        })
    }

    fn block(&self, job: &Name) -> Result<Option<Block>, BrokenBlock> {
        let (beginning, end) = (beginning(job), end(job));
        let (mut open, mut found) = (None, None);
        let mut from = 0;
        for (at, line) in self.0.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let to = from + line.len();
            let text = line.trim_ascii_end();
            if text == beginning.as_bytes() {
                if found.is_some() || open.is_some() {
                    return Err(BrokenBlock::Twice(at + 1));
                }
                open = Some((at, from));
            } else if text == end.as_bytes() {
                let (_, from) = open.take().ok_or(BrokenBlock::NoBeginning(at + 1))?;
                found = Some(Block { from, to });
            }
            from = to;
        }
        match open {
            Some((at, _)) => Err(BrokenBlock::NoEnd(at + 1)),
            None => Ok(found),
        }
    }
}

/// What each block begins with, before its job's name.
const BEGIN: &str = "# begin copal ";

fn beginning(job: &Name) -> String {
    format!("{BEGIN}{job} (by `copal schedule`, which also removes it)")
}

fn end(job: &Name) -> String {
    format!("# end copal {job}")
}

#[cfg(test)]
#[path = "crontab_tests.rs"]
mod tests;
