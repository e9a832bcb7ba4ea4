//! Where things were written: files, byte ranges, lines and columns.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One file in a [`Sources`] table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in one file. The default span is the start of the first file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from `start` to `end` (exclusive) in `file`.
    #[must_use]
    pub const fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// The smallest span that covers both, which must be in one file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// One-based line and column (in characters) of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A file that was read: its path as the user would write it, and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path as shown in messages.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
    lines: Vec<u32>,
}

/// Every file a graph was read from. Clones share the texts.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Arc<SourceFile>>,
}

impl Sources {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and names it.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let breaks = text.match_indices('\n').map(|(at, _)| offset(at + 1));
        let lines = std::iter::once(0).chain(breaks).collect();
        let path = path.into();
        self.files.push(Arc::new(SourceFile { path, text, lines }));
        FileId(offset(self.files.len() - 1))
    }

    /// The file behind an id, if this table made it.
    #[must_use]
    pub fn get(&self, file: FileId) -> Option<&SourceFile> {
        Some(&**self.files.get(file.0 as usize)?)
    }

    /// All of them, in the order in which they were added.
    #[must_use]
    pub fn files(&self) -> &[Arc<SourceFile>] {
        &self.files
    }

    /// The id of the file with this path, if it has been added.
    #[must_use]
    pub fn find(&self, path: &Path) -> Option<FileId> {
        self.files
            .iter()
            .position(|file| file.path == path)
            .map(|at| FileId(offset(at)))
    }

    /// Line and column of the start of a span; 1:1 when the file is unknown.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        let Some(file) = self.get(span.file) else {
            return Place { line: 1, column: 1 };
        };
        let line = file
            .lines
            .partition_point(|start| *start <= span.start)
            .max(1)
            - 1;
        let start = file.lines[line] as usize;
        let upto = (span.start as usize).min(file.text.len());
        let column = file
            .text
            .get(start..upto)
            .map_or(0, |text| text.chars().count());
        Place {
            line: offset(line + 1),
            column: offset(column + 1),
        }
    }

    /// `path:line:column` of the start of a span, as shown in messages and reports.
    #[must_use]
    pub fn locate(&self, span: Span) -> String {
        match self.get(span.file) {
            Some(file) => format!("{}:{}", file.path.display(), self.place(span)),
            None => String::from("<unknown>"),
        }
    }
}

/// Files over 4 GiB are refused by whoever reads them, so the conversion saturates.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_counts_lines_and_characters_from_one() {
        let mut sources = Sources::new();
        let file = sources.add("a.fbp", "ab\nçd\n");
        let at = |start| sources.place(Span::new(file, start, start)).to_string();
        assert_eq!([at(0), at(2), at(3), at(5)], ["1:1", "1:3", "2:1", "2:2"]);
        assert_eq!(sources.locate(Span::new(file, 3, 4)), "a.fbp:2:1");
    }
}
