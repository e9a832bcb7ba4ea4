use std::path::PathBuf;

use paperflow_core::{Fault, Out, Param, Text, component, outside};

use super::list::{entries, is_chosen, text};

/// Lists the files of a directory and of all directories in it.
///
/// Each path starts with SOURCE, so that it can be read as it comes. The files of a directory come
/// sorted by name, before those of the directories in it. A link to a directory is not followed; it
/// comes as a file. PATTERN chooses files by name: `*` stands for any characters, `?` for one. A
/// directory that cannot be read, or a name that is not UTF-8, is a fault that names it.
#[component("file/walk", work = thread)]
pub(super) async fn walk(
    /// The directory.
    source: Param<String>,
    /// Which file names to list.
    #[default("*")]
    pattern: Param<String>,
    /// The path of each file.
    out: Out<Text>,
) -> Result<(), Fault> {
    let mut waiting = vec![Text::from(source.as_str())];
    while let Some(directory) = waiting.pop() {
        let entries = outside(|| inside(&directory))?;
        let (directories, files): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(_, is_entered)| *is_entered);
        for (path, _) in files {
            if is_chosen(&pattern, &path) {
                out.send(text(&path)?).await?;
            }
        }
        for (path, _) in directories.iter().rev() {
            waiting.push(text(path)?);
        }
    }
    Ok(())
}

/// What is in a directory, and whether to go into it.
fn inside(directory: &str) -> Result<Vec<(PathBuf, bool)>, Fault> {
    let enter = |(path, is_directory): (PathBuf, bool)| {
        let is_entered = is_directory && !path.is_symlink();
        (path, is_entered)
    };
    Ok(entries(directory)?.into_iter().map(enter).collect())
}
