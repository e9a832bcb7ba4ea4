//! What SQLite reports, as a fault of a store.

use std::path::Path;

use paperflow_core::connector::{StoreFault, StoreFaultKind};
use rusqlite::ErrorCode;

/// For everything that asks SQLite.
pub(crate) trait OrFault<T> {
    /// The same, with the error as a fault.
    fn or_fault(self) -> Result<T, StoreFault>;
}

impl<T> OrFault<T> for rusqlite::Result<T> {
    fn or_fault(self) -> Result<T, StoreFault> {
        self.map_err(|error| StoreFault::new(kind(&error), error.to_string()))
    }
}

fn kind(error: &rusqlite::Error) -> StoreFaultKind {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull
            | ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::NoLargeFileSupport,
        ) => StoreFaultKind::Unavailable,
        // A table that is not as it was made, or a value that cannot be there.
        _ => StoreFaultKind::Damaged,
    }
}

/// The fault, with the file it is about and what can be done.
pub(crate) fn about(file: &Path, fault: &StoreFault) -> StoreFault {
    let file = file.display();
    let message = match fault.kind() {
        StoreFaultKind::Damaged => format!(
            "the store `{file}` is damaged: {fault}; move its folder away to begin anew, or save what \
             is left with `sqlite3 {file} .recover`"
        ),
        StoreFaultKind::Unavailable => format!("the store `{file}` cannot be used now: {fault}"),
        StoreFaultKind::Taken | StoreFaultKind::Unsupported => return fault.clone(),
    };
    StoreFault::new(fault.kind(), message)
}

pub(crate) fn unavailable(message: impl Into<String>) -> StoreFault {
    StoreFault::new(StoreFaultKind::Unavailable, message)
}

pub(crate) fn unsupported(message: impl Into<String>) -> StoreFault {
    StoreFault::new(StoreFaultKind::Unsupported, message)
}

pub(crate) fn damaged(message: impl Into<String>) -> StoreFault {
    StoreFault::new(StoreFaultKind::Damaged, message)
}

/// None of a stream's records can be given back alone.
pub(crate) fn not_locked(stream: &str) -> StoreFault {
    unsupported(format!(
        "`{stream}` is a stream: its records are not locked, and none can be given back alone; \
         one that fails is left behind (`on-error=skip`), tried again in its place \
         (`on-error=retry`), or copied (`on-error=copy`)"
    ))
}
