//! How far a command has come: a bar on a terminal, a line now and then elsewhere.

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::count;
use crate::edge::remote;
use crate::edges::{Show, Step, Total};

/// Shows progress on stderr.
pub struct Progress {
    how: How,
    began: (Timestamp, Instant),
    /// When each began.
    steps: RefCell<Vec<(Step, Instant)>>,
}

enum How {
    /// Asked to be quiet.
    Not,
    /// On a terminal.
    Bar(RefCell<ProgressBar>),
    /// Into a file or a pipe: seldom, so that a log stays readable.
    Lines { last: Cell<Instant> },
}

/// Between two lines.
const SELDOM: Duration = Duration::from_secs(10);

const BAR: &str =
    "{msg:10} {wide_bar:.dim} {bytes}/{total_bytes} {prefix} {binary_bytes_per_sec} {eta}";

impl Progress {
    /// Progress for this process, unless it is to be quiet.
    pub fn new(quiet: bool) -> Self {
        let how = if quiet || super::log::is_json() {
            How::Not
        } else if std::io::stderr().is_terminal() {
            How::Bar(RefCell::new(spinner("")))
        } else {
            How::Lines {
                last: Cell::new(Instant::now()),
            }
        };
        Self {
            how,
            began: (Timestamp::now(), Instant::now()),
            steps: RefCell::default(),
        }
    }

    /// When it began, and how long ago that is.
    pub fn so_far(&self) -> (Timestamp, Duration) {
        let (at, began) = self.began;
        (at, began.elapsed())
    }

    /// Leaves nothing of a bar behind.
    pub fn finish(&self) {
        if let How::Bar(bar) = &self.how {
            bar.borrow().finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Show for Progress {
    fn step(&self, step: Step) {
        tracing::info!("step {}", step.name());
        self.steps.borrow_mut().push((step, Instant::now()));
        let doing = match step {
            Step::Plan => "looking",
            Step::Preflight => "asking",
            Step::Stage => "staging",
            Step::Transfer => "transfer",
            Step::Seal => "sealing",
            Step::Prune => "pruning",
            Step::Fetch => "fetching",
            Step::Try => "trying",
        };
        if let How::Bar(bar) = &self.how {
            bar.replace(spinner(doing)).finish_and_clear();
        }
    }

    fn steps(&self) -> Vec<(Step, Duration)> {
        let steps = self.steps.borrow();
        let ends = steps.iter().skip(1).map(|(_, began)| *began);
        let ends = ends.chain([Instant::now()]);
        let each = steps.iter().zip(ends);
        each.map(|((step, began), end)| (*step, end.saturating_duration_since(*began)))
            .collect()
    }

    fn transfer(&self, done: remote::Progress, total: Total) {
        match &self.how {
            How::Not => {}
            How::Bar(bar) => show_bar(&mut bar.borrow_mut(), done, total),
            How::Lines { last } => {
                if last.get().elapsed() >= SELDOM {
                    last.set(Instant::now());
                    line(done, total);
                }
            }
        }
    }
}

fn spinner(doing: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").expect("the template is sound"));
    if !doing.is_empty() {
        bar.set_message(doing);
        bar.enable_steady_tick(Duration::from_millis(100));
    }
    bar
}

fn show_bar(bar: &mut ProgressBar, done: remote::Progress, total: Total) {
    if bar.length().is_none() {
        bar.finish_and_clear();
        let style = ProgressStyle::with_template(BAR).expect("the template above is sound");
        *bar = ProgressBar::with_draw_target(Some(total.bytes.0), ProgressDrawTarget::stderr())
            .with_style(style)
            .with_message("transfer");
    }
    bar.set_position(done.bytes.0.min(total.bytes.0));
    bar.set_prefix(format!("{}/{}", done.files, count(total.files, "file")));
}

fn line(done: remote::Progress, total: Total) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a speed is shown"
    )]
    let speed = copal_core::units::ByteCount(done.bytes_per_second as u64);
    let text = format!(
        "transferred {} of {}, {} of {}, {speed}/s\n",
        done.bytes,
        total.bytes,
        done.files,
        count(total.files, "file")
    );
    // Progress that nobody can read is no reason to stop.
    drop(std::io::stderr().write_all(text.as_bytes()));
}
