use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use paperflow_core::{Fault, Out, Param, Text, Timer, component, outside};

use super::list::{entries, is_chosen, text};

/// Watches a directory, and tells which files are new in it.
///
/// It looks every INTERVAL and tells the new files sorted by name; one that was gone and is there again
/// is new. What is there at the start is told only with EXISTING. A file is told of as soon as it is
/// seen, so its writer should give it its name when it is complete. Directories are not told of and not
/// entered. PATTERN chooses files by name: `*` stands for any characters, `?` for one.
///
/// Without COUNT it goes on until its receiver leaves or the network is stopped. A directory that
/// cannot be read, or a name that is not UTF-8, is a fault that names it.
#[component("file/watch", work = thread)]
pub(super) async fn watch(
    /// The directory.
    source: Param<String>,
    /// Which file names to tell of.
    #[default("*")]
    pattern: Param<String>,
    /// The time between two looks, such as `250ms` or `2s`.
    #[default("1s")]
    interval: Param<Duration>,
    /// How many looks, the one at the start not counted.
    count: Param<Option<i64>>,
    /// `true` tells of the files that are there at the start, too.
    #[default(false)]
    existing: Param<bool>,
    /// The clock.
    timer: Timer,
    /// The path of each new file.
    created: Out<Text>,
) -> Result<(), Fault> {
    if interval.is_zero() {
        return Err(Fault::new(
            "parameter INTERVAL: expected a duration of more than zero",
        ));
    }
    let mut known = match *existing {
        true => BTreeSet::new(),
        false => outside(|| files(&source, &pattern))?,
    };
    let looks = count.into_inner().unwrap_or(i64::MAX);
    if looks < 0 {
        return Err(Fault::new(format!(
            "parameter COUNT: expected a whole number, 0 or more, got {looks}"
        )));
    }
    for look in 0..=looks {
        if look > 0 {
            timer.sleep(*interval).await;
        }
        let now = outside(|| files(&source, &pattern))?;
        for path in now.difference(&known) {
            created.send(text(path)?).await?;
        }
        known = now;
    }
    Ok(())
}

/// The files of a directory.
fn files(directory: &str, pattern: &str) -> Result<BTreeSet<PathBuf>, Fault> {
    let entries = entries(directory)?.into_iter();
    let files = entries.filter(|(path, is_directory)| !is_directory && is_chosen(pattern, path));
    Ok(files.map(|(path, _)| path).collect())
}
