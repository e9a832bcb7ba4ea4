//! The thread that owns the file: everything that is read or written goes through it, as jobs.
//!
//! A job is a closure that gets a [`Tx`]. The thread takes all jobs that are queued, runs them in one
//! transaction, in which each can be refused without the others, commits once, does what the jobs have left for then ([`Tx::then`]), in
//! their order, and answers those who wait ([`Orders::call`]). Jobs nobody waits for ([`Orders::later`])
//! are written with the next one, or after 2 ms. With nothing to do the thread sleeps.
//!
//! What a job changes in memory before the commit it takes back in [`Tx::then`] if it is refused; what
//! others may see only when it is safe it changes there.
//!
//! A lock of something in memory may be held while a job runs; only this thread takes a second one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use paperflow_core::connector::StoreFault;
use parking_lot::Mutex;
use rusqlite::{CachedStatement, Connection, Params, Row};

#[cfg(unix)]
use crate::admin::control::Control;
use crate::clock::Clock;
use crate::embedded::Opened;
use crate::fault::{OrFault, about, unavailable};
use crate::schema;

/// How long what nobody waits for may wait for others.
const GATHER: Duration = Duration::from_millis(2);
/// Most jobs of one transaction.
const MOST: usize = 256;

/// When a commit is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Safe {
    /// From the end of this process. A power cut may undo it, but never without what came after it; for
    /// what is done again then.
    FromCrash,
    /// From a power cut as well.
    FromPowerCut,
}

/// A job, as it is written.
type Write = Box<dyn FnOnce(&mut Tx<'_>) -> Result<(), StoreFault> + Send>;
/// What is done when it is known whether a job was committed.
type Then = Box<dyn FnOnce(bool) + Send>;
/// Tells who waits.
type Answer = Box<dyn FnOnce(Result<(), StoreFault>) + Send>;

struct Job {
    safe: Safe,
    write: Write,
    answer: Option<Answer>,
}

enum Order {
    Job(Job),
    /// A job whose time has not come.
    At(Duration, Job),
    Stop,
}

/// What gives jobs to the thread; any number of them.
#[derive(Clone)]
pub(crate) struct Orders(Sender<Order>);

impl Orders {
    /// Runs a job and returns what it found once it is safe.
    ///
    /// # Errors
    /// What the job says, or the transaction was refused; then nothing is written.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        safe: Safe,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let ended = || unavailable("the store is closed");
        let found = Arc::new(Mutex::new(None));
        let (sender, receiver) = bounded(1);
        let put = Arc::clone(&found);
        let write: Write = Box::new(move |tx| {
            *put.lock() = Some(work(tx)?);
            Ok(())
        });
        let answer: Answer = Box::new(move |outcome| {
            // Who waits for it is there.
            let _ = sender.send(outcome);
        });
        let answer = Some(answer);
        let job = Job {
            safe,
            write,
            answer,
        };
        self.0.send(Order::Job(job)).map_err(|_| ended())?;
        receiver.recv().map_err(|_| ended())??;
        let found = found.lock().take();
        found.ok_or_else(ended)
    }

    /// Runs a job soon. Whether it was committed is told to [`Tx::then`].
    pub(crate) fn later(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreFault> + Send + 'static,
    ) {
        let _ = self.0.send(Order::Job(quiet(work)));
    }

    /// Runs a job once so much time has gone by, see [`Clock::elapsed`].
    pub(crate) fn at(
        &self,
        elapsed: Duration,
        work: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreFault> + Send + 'static,
    ) {
        let _ = self.0.send(Order::At(elapsed, quiet(work)));
    }
}

fn quiet(work: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreFault> + Send + 'static) -> Job {
    Job {
        safe: Safe::FromCrash,
        write: Box::new(work),
        answer: None,
    }
}

/// A transaction, as a job sees it.
pub(crate) struct Tx<'a> {
    connection: &'a Connection,
    /// What is open.
    pub(crate) opened: &'a mut Opened,
    then: Vec<Then>,
}

impl Tx<'_> {
    /// Runs a statement, and tells how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreFault> {
        let statement = self.connection.prepare_cached(sql);
        statement
            .and_then(|mut statement| statement.execute(params))
            .or_fault()
    }

    /// A statement that is run more than once.
    pub(crate) fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, StoreFault> {
        self.connection.prepare_cached(sql).or_fault()
    }

    /// Reads a row, if there is one.
    pub(crate) fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreFault> {
        let statement = self.connection.prepare_cached(sql);
        let found = statement.and_then(|mut statement| statement.query_row(params, read));
        match found {
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            found => found.map(Some).or_fault(),
        }
    }

    /// Reads rows as long as the reader wants more of them.
    pub(crate) fn rows(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> Result<(), StoreFault> {
        let mut statement = self.connection.prepare_cached(sql).or_fault()?;
        let mut rows = statement.query(params).or_fault()?;
        while let Some(row) = rows.next().or_fault()? {
            if !read(row).or_fault()? {
                break;
            }
        }
        Ok(())
    }

    /// Leaves something to be done once it is known whether this job is safe: `true`, or refused. What
    /// was left last is done last if it is safe, and first if it is refused.
    pub(crate) fn then(&mut self, then: impl FnOnce(bool) + Send + 'static) {
        self.then.push(Box::new(then));
    }
}

/// Ends the thread when the last handle on a store is dropped.
pub(crate) struct Keeper {
    pub(crate) orders: Orders,
    thread: Mutex<Option<JoinHandle<()>>>,
    #[cfg(unix)]
    control: Mutex<Option<Control>>,
}

impl Keeper {
    /// Answers by a socket as long as the store is open.
    #[cfg(unix)]
    pub(crate) fn serve(&self, control: Option<Control>) {
        *self.control.lock() = control;
    }

    /// Ends the thread, which closes the file once it has done what it was told before.
    pub(crate) fn close(&self) {
        #[cfg(unix)]
        drop(self.control.lock().take());
        let _ = self.orders.0.send(Order::Stop);
        let Some(thread) = self.thread.lock().take() else {
            return;
        };
        // A handle may be dropped by what a job leaves to be done.
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.close();
    }
}

/// Opens the file and starts its thread. `holds` is kept until the file is closed.
///
/// # Errors
/// See [`schema::open`]; or there can be no thread.
pub(crate) fn start(
    file: &Path,
    clock: Arc<dyn Clock>,
    holds: impl Send + 'static,
) -> Result<Keeper, StoreFault> {
    let connection = schema::open(file)?;
    let (sender, receiver) = unbounded();
    let orders = Orders(sender);
    let opened = Opened::new(orders.clone(), Arc::clone(&clock));
    let mut writer = Writer {
        connection,
        file: file.to_owned(),
        clock,
        orders: receiver,
        timed: BTreeMap::new(),
        numbered: 0,
        opened,
        safe: Safe::FromPowerCut,
        is_behind: false,
    };
    let builder = std::thread::Builder::new().name("paperflow store".to_owned());
    let thread = builder.spawn(move || {
        writer.run();
        if let Err(fault) = schema::close(writer.connection) {
            tracing::warn!("the store is not closed well: {fault}");
        }
        drop(holds);
    });
    let thread =
        thread.map_err(|error| unavailable(format!("no thread for the store: {error}")))?;
    let thread = Mutex::new(Some(thread));
    Ok(Keeper {
        orders,
        thread,
        #[cfg(unix)]
        control: Mutex::default(),
    })
}

struct Writer {
    connection: Connection,
    file: PathBuf,
    clock: Arc<dyn Clock>,
    orders: Receiver<Order>,
    /// Jobs whose time has not come, by it.
    timed: BTreeMap<(Duration, u64), Job>,
    numbered: u64,
    opened: Opened,
    /// How commits are safe now.
    safe: Safe,
    /// Something was committed that is not safe from a power cut.
    is_behind: bool,
}

impl Writer {
    fn run(&mut self) {
        let mut is_over = false;
        while !is_over {
            let mut jobs = Vec::new();
            is_over = self.wait(&mut jobs);
            if !jobs.is_empty() {
                self.transact(jobs);
            }
        }
    }

    /// Waits for jobs and takes them; true if there will be no more.
    fn wait(&mut self, jobs: &mut Vec<Job>) -> bool {
        let mut is_over = self.next(jobs, None);
        let gathered = Instant::now() + GATHER;
        while !is_over && jobs.len() < MOST {
            let is_quiet = jobs.iter().all(|job| job.answer.is_none());
            let until = if is_quiet { gathered } else { Instant::now() };
            let before = jobs.len();
            is_over = self.next(jobs, Some(until));
            if jobs.len() == before && !(is_quiet && Instant::now() < gathered) {
                break;
            }
        }
        is_over
    }

    /// Takes the next order, and all jobs whose time has come.
    fn next(&mut self, jobs: &mut Vec<Job>, until: Option<Instant>) -> bool {
        let due = self.timed.keys().next();
        let due = due.and_then(|(due, _)| self.clock.instant(*due));
        let until = until.into_iter().chain(due).min();
        let order = match until {
            None => self
                .orders
                .recv()
                .map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => self.orders.recv_deadline(until),
        };
        let mut is_over = false;
        match order {
            Ok(Order::Job(job)) => jobs.push(job),
            Ok(Order::At(at, job)) => {
                self.numbered += 1;
                self.timed.insert((at, self.numbered), job);
            }
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => is_over = true,
            Err(RecvTimeoutError::Timeout) => {}
        }
        self.take_due(jobs);
        is_over
    }

    fn take_due(&mut self, jobs: &mut Vec<Job>) {
        if self.timed.is_empty() {
            return;
        }
        let now = self.clock.elapsed();
        while let Some(first) = self.timed.first_entry() {
            if first.key().0 > now {
                break;
            }
            jobs.push(first.remove());
        }
    }

    /// Runs jobs in one transaction, and tells everybody.
    fn transact(&mut self, jobs: Vec<Job>) {
        let safe = jobs.iter().map(|job| job.safe).max();
        let mut thens = Vec::with_capacity(jobs.len());
        let mut answers = Vec::with_capacity(jobs.len());
        let mut outcome = self.begin(safe.unwrap_or(Safe::FromCrash));
        let mut is_empty = true;
        for job in jobs {
            let mut tx = Tx {
                connection: &self.connection,
                opened: &mut self.opened,
                then: Vec::new(),
            };
            let written = match &outcome {
                Ok(()) if is_empty => write_first(&mut tx, job.write),
                Ok(()) => write(&mut tx, job.write),
                Err(fault) => Err(fault.clone()),
            };
            let then = tx.then;
            match &written {
                Ok(()) => {
                    is_empty = false;
                    thens.extend(then);
                }
                // An error may have undone the whole transaction.
                Err(fault) => {
                    if outcome.is_ok() && self.connection.is_autocommit() {
                        outcome = Err(fault.clone());
                    }
                    then.into_iter().rev().for_each(|then| then(false));
                }
            }
            answers.push((job.answer, written));
        }
        let outcome = outcome.and_then(|()| self.commit());
        match &outcome {
            Ok(()) => thens.into_iter().for_each(|then| then(true)),
            Err(_) => thens.into_iter().rev().for_each(|then| then(false)),
        }
        for (answer, written) in answers {
            let told = outcome.clone().and(written);
            let told = told.map_err(|fault| about(&self.file, &fault));
            match answer {
                Some(answer) => answer(told),
                None => told.unwrap_or_else(|fault| tracing::warn!("{fault}")),
            }
        }
    }

    fn begin(&mut self, safe: Safe) -> Result<(), StoreFault> {
        if safe != self.safe {
            let sql = match safe {
                Safe::FromCrash => "PRAGMA synchronous = NORMAL",
                Safe::FromPowerCut => "PRAGMA synchronous = FULL",
            };
            self.connection.execute_batch(sql).or_fault()?;
            self.safe = safe;
        }
        self.execute("BEGIN IMMEDIATE")
    }

    fn commit(&mut self) -> Result<(), StoreFault> {
        // A commit that changes nothing would not reach the disk.
        if self.safe == Safe::FromPowerCut && self.is_behind {
            self.execute("UPDATE store SET synced = synced + 1")?;
        }
        let committed = before_commit().and_then(|()| self.execute("COMMIT"));
        if committed.is_err() && !self.connection.is_autocommit() {
            // It was refused, and is undone whatever this says.
            let _ = self.execute("ROLLBACK");
        }
        if committed.is_ok() {
            self.is_behind = self.safe == Safe::FromCrash;
        }
        committed
    }

    fn execute(&self, sql: &str) -> Result<(), StoreFault> {
        execute(&self.connection, sql)
    }
}

/// Where tests refuse a transaction that is written.
#[inline]
fn before_commit() -> Result<(), StoreFault> {
    paperflow_core::failpoint!("in_commit", unavailable);
    Ok(())
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreFault> {
    let statement = connection.prepare_cached(sql);
    let done = statement.and_then(|mut statement| statement.execute([]));
    done.map(|_| ()).or_fault()
}

/// Runs a job in a transaction that is empty so far; if it is refused, another one begins. A savepoint
/// would copy every page that is changed.
fn write_first(tx: &mut Tx<'_>, write: Write) -> Result<(), StoreFault> {
    let written = write(tx);
    if written.is_err() {
        if !tx.connection.is_autocommit() {
            execute(tx.connection, "ROLLBACK")?;
        }
        execute(tx.connection, "BEGIN IMMEDIATE")?;
    }
    written
}

/// Runs a job in a savepoint.
fn write(tx: &mut Tx<'_>, write: Write) -> Result<(), StoreFault> {
    execute(tx.connection, "SAVEPOINT job")?;
    match write(tx) {
        Ok(()) => execute(tx.connection, "RELEASE job"),
        Err(fault) => {
            if !tx.connection.is_autocommit() {
                execute(tx.connection, "ROLLBACK TO job")?;
                execute(tx.connection, "RELEASE job")?;
            }
            Err(fault)
        }
    }
}
