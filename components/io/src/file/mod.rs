//! Files: lines, JSON lines, CSV, whole texts, directories.

use paperflow_core::Catalogue;

mod csv;
mod json_lines;
mod lines;
mod list;
mod read;
mod walk;
mod watch;
mod write;
mod write_csv;
mod write_json_lines;

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(lines::lines)
        .with(write::write)
        .with(json_lines::json_lines)
        .with(write_json_lines::write_json_lines)
        .with(csv::csv)
        .with(write_csv::write_csv)
        .with(read::read)
        .with(list::list)
        .with(walk::walk)
        .with(watch::watch)
        .alias("ReadFile", "file/lines")
        .alias("WriteFile", "file/write")
        .alias("ListFiles", "file/list")
        .alias("DirList", "file/list")
        .alias("Walk", "file/walk")
        .alias("Watchdog", "file/watch")
}
