use std::fs;
use std::path::{Path, PathBuf};

use paperflow_core::{Fault, Out, Param, Text, component, outside};

use crate::source::cannot_read;

/// Lists the files of a directory, sorted by name.
///
/// Each path starts with SOURCE, so that it can be read as it comes. Directories in it are not
/// entered; they go to DIRS, as sorted, before the files. PATTERN chooses files by name: `*` stands
/// for any characters, `?` for one. A directory that cannot be read, or a name that is not UTF-8, is a
/// fault that names it.
#[component("file/list", work = thread)]
pub(super) async fn list(
    /// The directory.
    source: Param<String>,
    /// Which file names to list.
    #[default("*")]
    pattern: Param<String>,
    /// The path of each file.
    out: Out<Text>,
    /// The path of each directory in it, whatever its name.
    #[optional]
    dirs: Out<Text>,
) -> Result<(), Fault> {
    let entries = outside(|| entries(&source))?;
    for (path, _) in entries.iter().filter(|(_, is_directory)| *is_directory) {
        dirs.send(text(path)?).await?;
    }
    dirs.close();
    for (path, _) in entries.iter().filter(|(_, is_directory)| !is_directory) {
        if is_chosen(&pattern, path) {
            out.send(text(path)?).await?;
        }
    }
    Ok(())
}

/// The paths in a directory, sorted, and which of them are directories.
pub(super) fn entries(directory: &str) -> Result<Vec<(PathBuf, bool)>, Fault> {
    let paths = fs::read_dir(directory).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
    });
    let mut paths = paths.map_err(|error| cannot_read(directory, error))?;
    paths.sort();
    let with_kind = |path: PathBuf| {
        let is_directory = path.is_dir();
        (path, is_directory)
    };
    Ok(paths.into_iter().map(with_kind).collect())
}

pub(super) fn text(path: &Path) -> Result<Text, Fault> {
    match path.to_str() {
        Some(path) => Ok(Text::from(path)),
        None => Err(cannot_read(
            &path.to_string_lossy(),
            "its name is not valid UTF-8",
        )),
    }
}

/// Whether the name of a file fits a pattern.
pub(super) fn is_chosen(pattern: &str, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    fits(pattern, &name)
}

/// Whether a name fits a pattern of literal characters, `*` and `?`.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut next) = (0, 0);
    let mut star = None;
    while next < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, next));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[next] => (at, next) = (at + 1, next + 1),
            _ => match star {
                Some((back, taken)) => {
                    star = Some((back, taken + 1));
                    (at, next) = (back + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names() {
        for (pattern, name) in [
            ("*", ""),
            ("*.txt", "a.txt"),
            ("a?c*", "abc"),
            ("*a*b", "xxaybzb"),
            ("ü?", "üx"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("", "a"),
            ("*.txt", "a.txt~"),
            ("a?c", "ac"),
            ("*ab", "aba"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
