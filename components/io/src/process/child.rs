//! A running child, with a thread for each of its pipes so that no pipe waits for another.

use std::io::{self, BufWriter, Read, Write};
use std::pin::{Pin, pin};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use paperflow_core::{Fault, In, Text, Timer, outside};

use super::words::split;
use crate::source::Lines;

/// Lines that may wait on the way to or from a child.
const LINES: usize = 64;
/// A timer counts as outside; this one is set for nothing else.
const LONG: Duration = Duration::from_secs(24 * 3600);
/// How often a child that has closed its outputs is asked whether it still runs.
const SHORT: Duration = Duration::from_millis(20);

/// What comes from a child.
pub(super) enum Event {
    /// A line on its standard output.
    Output(String),
    /// A line on its standard error.
    Error(String),
    /// What went wrong between it and us.
    Fault(Fault),
}

/// A child that is killed when it is forgotten before its end.
pub(super) struct Running {
    command: String,
    child: Child,
    bell: Arc<Bell>,
    events: Receiver<Event>,
    /// It has closed all its outputs.
    is_silent: bool,
    feed: Option<Feed>,
}

/// The way to its standard input.
struct Feed {
    lines: SyncSender<Text>,
    /// A line that did not fit.
    next: Option<Text>,
    writer: JoinHandle<io::Result<()>>,
}

/// What became of an attempt to move a line to the child.
enum Fed {
    /// There may be more to move.
    Line,
    /// It has been closed.
    Closed,
    /// Nothing can be moved now.
    Nothing,
}

impl Running {
    /// Starts a command, with or without a standard input and a standard error of its own.
    pub(super) fn start(command: &str, reads: bool, errors: bool) -> Result<Self, Fault> {
        let cannot =
            |why: &dyn std::fmt::Display| Fault::new(format!("cannot run `{command}`: {why}"));
        let words = split(command).map_err(|why| cannot(&why))?;
        let Some((program, arguments)) = words.split_first() else {
            return Err(cannot(&"it is empty"));
        };
        let child = Command::new(program)
            .args(arguments)
            .stdin(if reads { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(if errors {
                Stdio::piped()
            } else {
                Stdio::inherit()
            })
            .spawn();
        let child = child.map_err(|error| cannot(&error))?;
        Self::with(command.to_owned(), child).map_err(|error| cannot(&error))
    }

    fn with(command: String, child: Child) -> io::Result<Self> {
        let (send, events) = sync_channel(LINES);
        let bell = Arc::new(Bell::default());
        let mut running = Self {
            command,
            child,
            bell,
            events,
            is_silent: false,
            feed: None,
        };
        let (stdout, stderr) = (running.child.stdout.take(), running.child.stderr.take());
        running.read(stdout, "output", &send, Event::Output)?;
        running.read(stderr, "errors", &send, Event::Error)?;
        running.feed = running
            .child
            .stdin
            .take()
            .map(|pipe| running.write(pipe))
            .transpose()?;
        Ok(running)
    }

    /// A thread that reads a pipe to its end.
    fn read(
        &self,
        pipe: Option<impl Read + Send + 'static>,
        what: &str,
        events: &SyncSender<Event>,
        event: fn(String) -> Event,
    ) -> io::Result<()> {
        let Some(pipe) = pipe else { return Ok(()) };
        let mut lines = Lines::new(format!("the {what} of `{}`", self.command), pipe);
        let mut sender = Sender {
            events: Some(events.clone()),
            bell: Arc::clone(&self.bell),
        };
        let read = move || {
            while let Some(line) = lines.next().transpose() {
                let is_last = line.is_err();
                if !sender.send(line.map_or_else(Event::Fault, event)) || is_last {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name(format!("exec-{what}"))
            .spawn(read)
            .map(drop)
    }

    /// A thread that writes what is fed, until nothing more comes or the child stops reading.
    fn write(&self, pipe: ChildStdin) -> io::Result<Feed> {
        let (lines, received) = sync_channel(LINES);
        let bell = Arc::clone(&self.bell);
        let write = move || {
            let result = copy(received, pipe, &bell);
            bell.ring();
            result
        };
        let writer = thread::Builder::new()
            .name(String::from("exec-input"))
            .spawn(write)?;
        Ok(Feed {
            lines,
            next: None,
            writer,
        })
    }

    /// What comes next from the child, which is fed meanwhile; `None` when nothing more will come.
    pub(super) async fn event(&mut self, input: &In<Text>, timer: &Timer) -> Option<Event> {
        let mut sleep = timer.sleep(LONG);
        std::future::poll_fn(|cx| {
            let was_silent = self.is_silent;
            if let Poll::Ready(event) = self.poll_event(input, cx) {
                return Poll::Ready(event);
            }
            if self.is_silent && !was_silent {
                sleep = timer.sleep(SHORT);
            }
            while self.feed.is_some() && Pin::new(&mut sleep).poll(cx).is_ready() {
                sleep = timer.sleep(if self.is_silent { SHORT } else { LONG });
            }
            Poll::Pending
        })
        .await
    }

    fn poll_event(&mut self, input: &In<Text>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.bell.listen(cx.waker());
        loop {
            match self.events.try_recv() {
                Ok(event) => return Poll::Ready(Some(event)),
                Err(TryRecvError::Disconnected) => self.is_silent = true,
                Err(TryRecvError::Empty) => {}
            }
            if self.is_silent && !self.may_read() {
                return Poll::Ready(None);
            }
            match self.move_line(input, cx) {
                Ok(Fed::Line) => {}
                Ok(Fed::Closed) => self.feed = None,
                Ok(Fed::Nothing) => return Poll::Pending,
                Err(fault) => return Poll::Ready(Some(Event::Fault(fault))),
            }
        }
    }

    /// Whether the child may still read what it is fed.
    fn may_read(&mut self) -> bool {
        self.feed.is_some() && matches!(self.child.try_wait(), Ok(None))
    }

    /// Moves a line from IN towards the child.
    fn move_line(&mut self, input: &In<Text>, cx: &mut Context<'_>) -> Result<Fed, Fault> {
        let Some(feed) = &mut self.feed else {
            return Ok(Fed::Nothing);
        };
        if let Some(line) = feed.next.take() {
            match feed.lines.try_send(line) {
                Ok(()) => {}
                Err(TrySendError::Full(line)) => {
                    feed.next = Some(line);
                    return Ok(Fed::Nothing);
                }
                Err(TrySendError::Disconnected(_)) => return self.stop_feeding(input),
            }
        }
        Ok(match pin!(input.next()).poll(cx) {
            Poll::Pending => Fed::Nothing,
            Poll::Ready(None) => Fed::Closed,
            Poll::Ready(Some(line)) => {
                feed.next = Some(line.into_inner());
                Fed::Line
            }
        })
    }

    /// The child has stopped reading, which is its right, or its input cannot be written.
    fn stop_feeding(&mut self, input: &In<Text>) -> Result<Fed, Fault> {
        input.close();
        match self.feed.take().map(|feed| feed.writer.join()) {
            Some(Ok(Err(error))) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::new(
                format!("cannot write the input of `{}`: {error}", self.command),
            )),
            _ => Ok(Fed::Closed),
        }
    }

    /// Waits for the end of the child.
    pub(super) fn finish(mut self) -> Result<(), Fault> {
        self.feed = None;
        match outside(|| self.child.wait()) {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Fault::new(format!(
                "`{}` ended with {status}",
                self.command
            ))),
            Err(error) => Err(Fault::new(format!(
                "cannot wait for `{}`: {error}",
                self.command
            ))),
        }
    }
}

impl Drop for Running {
    /// A child that has ended already is not touched: both calls then do nothing.
    fn drop(&mut self) {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        drop(killed);
    }
}

/// Writes lines; what is buffered is written before waiting for more.
fn copy(lines: Receiver<Text>, pipe: impl Write, bell: &Bell) -> io::Result<()> {
    let mut pipe = BufWriter::new(pipe);
    loop {
        let line = match lines.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Disconnected) => return pipe.flush(),
            Err(TryRecvError::Empty) => {
                pipe.flush()?;
                let Ok(line) = lines.recv() else {
                    return Ok(());
                };
                line
            }
        };
        bell.ring();
        pipe.write_all(line.as_bytes())?;
        pipe.write_all(b"\n")?;
    }
}

/// A pipe thread's way to the process, which hears of each event and of the end.
struct Sender {
    events: Option<SyncSender<Event>>,
    bell: Arc<Bell>,
}

impl Sender {
    /// False when nobody listens any more.
    fn send(&mut self, event: Event) -> bool {
        let is_sent = self
            .events
            .as_ref()
            .is_some_and(|events| events.send(event).is_ok());
        self.bell.ring();
        is_sent
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.events = None;
        self.bell.ring();
    }
}

/// Wakes the process from another thread.
#[derive(Default)]
struct Bell(Mutex<Option<Waker>>);

impl Bell {
    fn listen(&self, waker: &Waker) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }

    fn ring(&self) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
