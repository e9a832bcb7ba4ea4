//! What there is to compare with: a file that is appended to, and SQLite by itself.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use paperflow_bench::Error;
use paperflow_core::message::Id;
use rusqlite::{Connection, params};

use crate::lane::Lane;

/// Each batch is appended and flushed: nothing is read, and nothing goes.
pub(crate) struct Append {
    file: File,
    batch: usize,
    bytes: Vec<u8>,
}

impl Append {
    pub(crate) fn new(folder: &Path, batch: usize, bytes: usize) -> Result<Self, Error> {
        Ok(Self {
            file: File::create(folder.join("appended"))?,
            batch,
            bytes: vec![b'x'; batch * bytes],
        })
    }
}

impl Lane for Append {
    fn name(&self) -> String {
        "append".into()
    }

    fn burst(&mut self, packets: usize) -> Result<Duration, Error> {
        let begun = Instant::now();
        for _ in 0..packets / self.batch {
            self.file.write_all(&self.bytes)?;
            self.file.sync_data()?;
        }
        Ok(begun.elapsed())
    }

    fn batches(&self) -> (f64, f64) {
        (self.batch as f64, 0.0)
    }
}

/// Writes each batch as rows and deletes them again.
pub(crate) struct Sqlite {
    connection: Connection,
    /// A batch is deleted together with the writing of the next.
    is_joint: bool,
    batch: usize,
    body: Vec<u8>,
    last: i64,
}

const OPEN: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -32768;
    CREATE TABLE messages (seq INTEGER PRIMARY KEY, id BLOB, headers TEXT, body BLOB)";

impl Sqlite {
    pub(crate) fn new(
        folder: &Path,
        is_joint: bool,
        batch: usize,
        bytes: usize,
    ) -> Result<Self, Error> {
        let file = if is_joint { "joint.db" } else { "bare.db" };
        let connection = Connection::open(folder.join(file))?;
        connection.execute_batch(OPEN)?;
        Ok(Self {
            connection,
            is_joint,
            batch,
            body: vec![b'x'; bytes],
            last: 0,
        })
    }

    fn insert(&mut self) -> Result<(), Error> {
        let sql = "INSERT INTO messages VALUES (?, ?, ?, ?)";
        let mut insert = self.connection.prepare_cached(sql)?;
        for _ in 0..self.batch {
            self.last += 1;
            let id = Id::of("bench").derive(Id::of("bench"), self.last.unsigned_abs());
            insert.execute(params![self.last, id.to_bytes(), None::<String>, self.body])?;
        }
        Ok(())
    }

    fn delete(&self, last: i64) -> Result<(), Error> {
        let sql = "DELETE FROM messages WHERE seq BETWEEN ? AND ?";
        let mut delete = self.connection.prepare_cached(sql)?;
        delete.execute([last - self.batch as i64 + 1, last])?;
        Ok(())
    }

    fn execute(&self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

impl Lane for Sqlite {
    fn name(&self) -> String {
        if self.is_joint {
            "sqlite-joint"
        } else {
            "sqlite"
        }
        .into()
    }

    fn burst(&mut self, packets: usize) -> Result<Duration, Error> {
        let begun = Instant::now();
        for _ in 0..packets / self.batch {
            let before = self.last;
            self.execute("BEGIN IMMEDIATE")?;
            self.insert()?;
            if !self.is_joint {
                self.execute("COMMIT")?;
                self.execute("BEGIN IMMEDIATE")?;
            }
            self.delete(if self.is_joint { before } else { self.last })?;
            self.execute("COMMIT")?;
        }
        Ok(begun.elapsed())
    }

    fn batches(&self) -> (f64, f64) {
        (self.batch as f64, self.batch as f64)
    }
}
