//! The tables of a store, and how older ones become those of today.

use std::path::Path;

use paperflow_core::connector::StoreFault;
use rusqlite::Connection;

use crate::fault::{OrFault, about, damaged, unsupported};

/// Each step leads from the version before it; the first makes a new store. The version that a file has
/// is its `user_version`.
const STEPS: [&str; 4] = [
    include_str!("schema.sql"),
    include_str!("streams.sql"),
    include_str!("log.sql"),
    include_str!("ids.sql"),
];

/// Files with fewer bytes than this are checked whole whenever they are opened.
const SMALL: i64 = 64 << 20;

/// Opens the file, makes it if it is not there, and brings it up to date.
///
/// # Errors
/// It is no store, damaged, of a newer version, or cannot be written.
pub(crate) fn open(file: &Path) -> Result<Connection, StoreFault> {
    try_open(file).map_err(|fault| about(file, &fault))
}

fn try_open(file: &Path) -> Result<Connection, StoreFault> {
    let connection = Connection::open(file).or_fault()?;
    connection.set_prepared_statement_cache_capacity(128);
    connection
        .busy_timeout(std::time::Duration::from_secs(2))
        .or_fault()?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000;
             PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -32768; PRAGMA cell_size_check = ON;",
        )
        .or_fault()?;
    migrate(&connection, file)?;
    check(&connection)?;
    Ok(connection)
}

fn number(connection: &Connection, sql: &str) -> Result<i64, StoreFault> {
    connection.query_row(sql, [], |row| row.get(0)).or_fault()
}

fn migrate(connection: &Connection, file: &Path) -> Result<(), StoreFault> {
    let version = number(connection, "PRAGMA user_version")?;
    let Some(steps) = usize::try_from(version).ok().and_then(|at| STEPS.get(at..)) else {
        let file = file.display();
        return Err(unsupported(format!(
            "the store `{file}` has version {version} and this program knows versions up to {}; \
             use a newer program",
            STEPS.len()
        )));
    };
    if version == 0 && number(connection, "SELECT count(*) FROM sqlite_schema")? > 0 {
        return Err(damaged("it is a database of somebody else"));
    }
    for (step, to) in steps.iter().zip(version + 1..) {
        let sql = format!("BEGIN IMMEDIATE; {step}; PRAGMA user_version = {to}; COMMIT;");
        connection.execute_batch(&sql).or_fault()?;
    }
    Ok(())
}

/// A small file, and one that was not closed well, is looked at whole; of others SQLite looks at each
/// page when it is read, and every message has its checksum.
fn check(connection: &Connection) -> Result<(), StoreFault> {
    let pages = number(connection, "PRAGMA page_count")?;
    let bytes = pages.saturating_mul(number(connection, "PRAGMA page_size")?);
    let is_clean = number(connection, "SELECT clean FROM store")? != 0;
    let is_due = bytes < SMALL || (!is_clean && bytes < 16 * SMALL);
    if is_due {
        let sql = "PRAGMA quick_check(1)";
        let found: String = connection.query_row(sql, [], |row| row.get(0)).or_fault()?;
        if found != "ok" {
            return Err(damaged(found));
        }
    }
    connection
        .execute("UPDATE store SET clean = 0", [])
        .or_fault()?;
    Ok(())
}

/// Says that nothing was left half done.
///
/// # Errors
/// It cannot be written; the next one who opens it looks at it whole.
pub(crate) fn close(connection: Connection) -> Result<(), StoreFault> {
    connection
        .execute("UPDATE store SET clean = 1", [])
        .or_fault()?;
    connection.close().map_err(|(_, error)| error).or_fault()
}
