//! One type for everything a user can get wrong.

use serde::Serialize;

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The graph cannot run.
    Error,
    /// It can run, but probably not as meant.
    Warning,
}

/// A further place that explains a diagnostic.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there, e.g. "first defined here".
    pub text: String,
}

/// A replacement that would mend the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// What to replace.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// A problem: what is wrong, where, and the way out.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// A code such as `P0201`, explained by `paperflow explain`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, names in backticks, present tense.
    pub message: String,
    /// The primary place.
    pub span: Span,
    /// A few words under the caret.
    pub note: String,
    /// Further places.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// A mechanical mend.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            note: String::new(),
            labels: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// Adds the words under the primary caret.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Adds a further place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds the way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a mechanical mend.
    #[must_use]
    pub fn fix(mut self, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(Fix {
            span,
            text: text.into(),
        });
        self
    }
}
