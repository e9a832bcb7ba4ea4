//! Files that the command itself reads and writes.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use paperflow_graph::guarantee::Guarantee;
use paperflow_graph::similar::suggest;

use crate::load::{Rules, View, WiringFile};

use super::exit::Failure;
use super::out;

/// Whether a path stands for standard input or output.
pub(super) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The text of a file; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    if !is_standard(path) {
        return fs::read_to_string(path)
            .map_err(|error| Failure::unreadable(path.display(), &error));
    }
    let mut text = String::new();
    let read = io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| Failure::unreadable("standard input", &error))
        .map(|_| text)
}

/// How a graph is looked at: by which rules, with which wiring file, and what is to hold.
pub(super) fn view(
    is_strict: bool,
    wiring: Option<&Path>,
    required: Option<Guarantee>,
) -> Result<View, Failure> {
    let read = |path: &Path| {
        let file = WiringFile::read(path);
        file.map_err(|error| Failure::unreadable(path.display(), &error))
    };
    Ok(View {
        rules: Rules::of(is_strict),
        wiring: wiring.map(read).transpose()?,
        required,
    })
}

/// A guarantee by its word.
pub(super) fn guarantee(text: &str) -> Result<Guarantee, String> {
    let found = Guarantee::ALL.into_iter().find(|one| one.word() == text);
    found.ok_or_else(|| {
        let words: Vec<_> = Guarantee::ALL.iter().map(|one| one.word()).collect();
        match suggest(text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it can be {}", words.join(", ")),
        }
    })
}

/// Writes a file as a whole or not at all; `-` is standard output.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    if is_standard(path) {
        return out::print(text);
    }
    // Behind a symbolic link it is the file that changes, not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    if target.metadata().is_ok_and(|found| !found.is_file()) {
        // A device or pipe cannot be put aside and replaced.
        return fs::write(&target, text)
            .map_err(|error| Failure::unwritable(path.display(), &error));
    }
    let beside = beside(&target);
    let replaced = write_beside(&target, &beside, text).and_then(|()| fs::rename(&beside, &target));
    replaced.map_err(|error| {
        drop(fs::remove_file(&beside));
        Failure::unwritable(path.display(), &error)
    })
}

fn write_beside(target: &Path, beside: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::create_new(beside)?;
    if let Ok(known) = target.metadata() {
        file.set_permissions(known.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn beside(target: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    target.with_file_name(name)
}
