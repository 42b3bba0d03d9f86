//! What a person is told when something is wrong: what failed, why, and what to do next.

mod source;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

pub(crate) use source::MASK;
pub use source::SourceText;

/// One problem, told in three parts, and where it lies if it lies in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// What failed, as a short sentence without a full stop.
    pub what: String,
    /// Why: the fact that was found, or the rule that was broken.
    pub why: String,
    /// What the reader can do about it.
    pub next: String,
    /// Where in a file it lies.
    pub place: Option<Place>,
}

/// A stretch of a file that a diagnostic points at.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    source: Arc<SourceText>,
    shown: Range<usize>,
}

/// Whether a rendered diagnostic carries ANSI colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Style {
    /// Plain text, for files, pipes and tests.
    #[default]
    Plain,
    /// ANSI colours, for a terminal.
    Coloured,
}

impl Diagnostic {
    /// A diagnostic that lies nowhere in particular.
    pub fn new(what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: why.into(),
            next: next.into(),
            place: None,
        }
    }

    /// The same diagnostic, pointing at `place`.
    #[must_use]
    pub fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.place = place.into();
        self
    }

    /// The text that a person reads, without a line break at its end.
    ///
    /// With a place, the line is shown and `why` stands at the caret; without one, `why` is a note.
    pub fn render(&self, style: Style) -> String {
        let title = Level::ERROR.primary_title(self.what.as_str());
        let help = Level::HELP.message(self.next.as_str());
        let group = match &self.place {
            Some(place) => title.element(place.snippet(&self.why)),
            None => title.element(Level::NOTE.message(self.why.as_str())),
        };
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        renderer.render(&[group.element(help)])
    }

    /// Several diagnostics, an empty line between each two.
    pub fn render_all(diagnostics: &[Self], style: Style) -> String {
        let texts: Vec<_> = diagnostics.iter().map(|d| d.render(style)).collect();
        texts.join("\n\n")
    }
}

/// Shows the diagnostic plainly.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

impl Place {
    /// The stretch `span` (bytes of the text as it was read) of `source`.
    ///
    /// Only its first line is pointed at: a table of twenty lines needs one caret, not twenty.
    pub fn new(source: &Arc<SourceText>, span: Range<usize>) -> Self {
        let shown = source.first_line(source.shown(span));
        Self {
            source: Arc::clone(source),
            shown,
        }
    }

    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        self.source.file_name()
    }

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        let before = &self.source.text()[..self.shown.start];
        before.matches('\n').count() + 1
    }

    fn snippet<'a>(&'a self, why: &'a str) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        Snippet::source(self.source.text())
            .path(self.source.file_name())
            .annotation(AnnotationKind::Primary.span(self.shown.clone()).label(why))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({}:{})", self.file(), self.line())
    }
}

#[cfg(test)]
#[path = "diagnostic/tests.rs"]
mod tests;
