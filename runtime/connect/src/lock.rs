//! One process at a time: the file `lock` in the folder of a store.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use paperflow_core::connector::{StoreFault, StoreFaultKind};

use crate::fault::unavailable;

/// Held as long as the store is open; the system lets go of it when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a folder that is there, and writes into it who has it.
    ///
    /// # Errors
    /// Another process has it, or the file cannot be written.
    pub(crate) fn take(folder: &Path) -> Result<Self, StoreFault> {
        let path = folder.join("lock");
        let failed = |error| unavailable(format!("cannot lock `{}`: {error}", path.display()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(folder, &mut file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn taken(folder: &Path, file: &mut File) -> StoreFault {
    let mut holder = String::new();
    let by = match file.read_to_string(&mut holder) {
        Ok(_) if !holder.trim().is_empty() => format!("process {}", holder.trim()),
        _ => "another process".to_owned(),
    };
    let folder = folder.display();
    let message =
        format!("the store in `{folder}` is in use by {by}; a store serves one process at a time");
    StoreFault::new(StoreFaultKind::Taken, message)
}
