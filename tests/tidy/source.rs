//! Rust files as the rules read them: without comments, without texts, without tests.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A Rust file of this repository.
pub(crate) struct Source {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    /// As written.
    pub(crate) text: String,
    /// The same lines; comments, texts and inline tests are blank.
    pub(crate) code: String,
    /// The code of the inline tests too.
    pub(crate) with_tests: String,
    /// Whether all of it is there for tests, examples or benchmarks.
    pub(crate) is_test: bool,
}

/// A function with a body.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Line of its name, from one.
    pub(crate) line: usize,
    /// Lines of code.
    pub(crate) length: usize,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a source file is readable");
        let relative = path.strip_prefix(root).expect("it lies under the root");
        Self::new(relative.to_str().expect("names are plain"), text)
    }

    pub(crate) fn new(path: &str, text: String) -> Self {
        let with_tests = without_texts(&text);
        let code = without_tests(&with_tests);
        let folders = ["tests/", "examples/", "benches/"];
        let is_test = folders
            .iter()
            .any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")))
            || path.ends_with("/tests.rs");
        Self {
            path: path.to_owned(),
            text,
            code,
            with_tests,
            is_test,
        }
    }

    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.strip_suffix(".rs").unwrap_or(name)
    }

    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    pub(crate) fn lies_in(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    pub(crate) fn lines_of_code(&self) -> usize {
        count(&self.code)
    }

    pub(crate) fn functions(&self) -> Vec<Function> {
        let names = places(&self.code, "fn").into_iter();
        names.filter_map(|at| self.function(at)).collect()
    }

    fn function(&self, at: usize) -> Option<Function> {
        let rest = self.code[at + 2..].trim_start();
        let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
        let body = body(&self.code, at)?;
        (!name.is_empty()).then(|| Function {
            name,
            line: line(&self.code, at),
            length: count(&self.code[at..body.end]),
        })
    }

    /// The comments and attributes right above a line.
    pub(crate) fn above(&self, line: usize) -> String {
        let lines: Vec<_> = self.text.lines().collect();
        let above = lines[..line - 1].iter().rev();
        above
            .take_while(|line| line.trim_start().starts_with(['/', '#']))
            .copied()
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Names of the files that it declares as modules for tests only.
    fn test_modules(&self) -> Vec<String> {
        let attributes = self.with_tests.match_indices(TEST_ONLY);
        let items = attributes.filter_map(|(at, _)| {
            let item = self.with_tests[at + TEST_ONLY.len()..].trim_start();
            let (name, _) = item.strip_prefix("mod ")?.split_once([';', '{'])?;
            Some(name.trim().to_owned())
        });
        items.collect()
    }
}

const TEST_ONLY: &str = "#[cfg(test)]";

/// Where this repository may have Rust, and where it may not: `graphs`.
const FOLDERS: [&str; 6] = ["runtime", "components", "dsl", "graphs", "tests", "benches"];

/// Every Rust file of this repository.
pub(crate) fn all(root: &Path) -> Vec<Source> {
    let folders = FOLDERS.map(|folder| root.join(folder));
    let folders = folders.iter().filter(|folder| folder.is_dir());
    let paths: Vec<_> = folders.flat_map(|folder| files(folder, "rs")).collect();
    let mut sources: Vec<_> = paths.iter().map(|path| Source::read(root, path)).collect();
    let helpers: Vec<_> = sources
        .iter()
        .flat_map(|source| {
            let folder = source.folder().to_owned();
            let modules = source.test_modules().into_iter();
            modules.map(move |module| format!("{folder}/{module}.rs"))
        })
        .collect();
    for source in &mut sources {
        source.is_test |= helpers.contains(&source.path);
    }
    sources
}

/// Every file with this ending, hidden folders and build results left out.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder is readable");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry is readable").path()) {
        let name = path.file_name().map(|name| name.to_string_lossy());
        let name = name.unwrap_or_default();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Lines with something on them.
fn count(code: &str) -> usize {
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

/// The number of a line, from one.
pub(crate) fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where a word, or several with `::` between, stands alone.
pub(crate) fn places(code: &str, word: &str) -> Vec<usize> {
    let alone = |at: usize| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && (word.ends_with('!') || !after.is_some_and(is_word))
    };
    let found = code.match_indices(word).map(|(at, _)| at);
    found.filter(|at| alone(*at)).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The block that belongs to what stands at a place; none when a semicolon comes first.
fn body(code: &str, at: usize) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    for (offset, c) in code[at..].char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => return None,
            '{' if depth == 0 => return Some(at + offset..closing(code, at + offset)),
            _ => {}
        }
    }
    None
}

/// Behind the brace that closes the one at a place.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + offset + 1;
        }
    }
    code.len()
}

/// Blanks whatever is compiled for tests only.
fn without_tests(code: &str) -> String {
    let mut code = code.to_owned();
    while let Some(at) = code.find(TEST_ONLY) {
        let end = match body(&code, at) {
            Some(body) => body.end,
            None => code[at..].find(';').map_or(code.len(), |end| at + end),
        };
        let blank = blank(&code[at..end]);
        code.replace_range(at..end, &blank);
    }
    code
}

/// Blanks comments and the insides of texts; lines stay where they are.
fn without_texts(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = foreign(rest, code.chars().next_back());
        let (piece, behind) = rest.split_at(length.unwrap_or(first.len_utf8()));
        match length {
            Some(_) => code.push_str(&blank(piece)),
            None => code.push_str(piece),
        }
        rest = behind;
    }
    code
}

/// How long the comment, text or character is that starts here.
fn foreign(rest: &str, before: Option<char>) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    if rest.starts_with('"') {
        return Some(quoted(rest, '"'));
    }
    if let Some(inside) = rest.strip_prefix('\'') {
        let mut inside = inside.chars();
        let is_character = inside.next() == Some('\\') || inside.next() == Some('\'');
        return is_character.then(|| quoted(rest, '\''));
    }
    let hashes = rest.strip_prefix('r')?;
    if before.is_some_and(|c| is_word(c) && c != 'b') {
        return None;
    }
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    hashes[count..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(count));
    let start = count + 2;
    Some(
        rest[start..]
            .find(&end)
            .map_or(rest.len(), |at| start + at + end.len()),
    )
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn blank(piece: &str) -> String {
    piece
        .chars()
        .map(|c| if c == '\n' { '\n' } else { ' ' })
        .collect()
}
