//! The socket over which a store that is open answers: one line of JSON for each question.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use paperflow_core::connector::{StoreFault, StoreFaultKind};

use crate::admin::{Answer, Ask, ask};
use crate::fault::unavailable;
use crate::writer::Orders;

/// How long who asks may keep others waiting.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest question, in bytes.
const LONGEST: u64 = 1 << 20;

fn path(folder: &Path) -> PathBuf {
    folder.join("control.sock")
}

/// The asking side.
pub(crate) struct Line(BufReader<UnixStream>);

impl Line {
    /// A store that answers, if there is one.
    pub(crate) fn open(folder: &Path) -> Option<Self> {
        let stream = UnixStream::connect(path(folder)).ok()?;
        Some(Self(BufReader::new(stream)))
    }

    pub(crate) fn ask(&mut self, ask: &Ask) -> Result<Answer, StoreFault> {
        let gone =
            |error: std::io::Error| unavailable(format!("the store does not answer: {error}"));
        let mut text = line(ask)?;
        self.0.get_mut().write_all(text.as_bytes()).map_err(gone)?;
        text.clear();
        self.0.read_line(&mut text).map_err(gone)?;
        let answer = serde_json::from_str(&text);
        match answer.map_err(|error| unavailable(format!("the store does not answer: {error}")))? {
            Answer::Fault { kind, message } => Err(StoreFault::new(kind_of(&kind), message)),
            answer => Ok(answer),
        }
    }
}

fn line(value: &impl serde::Serialize) -> Result<String, StoreFault> {
    let text = serde_json::to_string(value);
    let text = text.map_err(|error| unavailable(error.to_string()))?;
    Ok(text + "\n")
}

const KINDS: [(StoreFaultKind, &str); 4] = [
    (StoreFaultKind::Unavailable, "unavailable"),
    (StoreFaultKind::Damaged, "damaged"),
    (StoreFaultKind::Taken, "taken"),
    (StoreFaultKind::Unsupported, "unsupported"),
];

fn kind_of(word: &str) -> StoreFaultKind {
    let found = KINDS.iter().find(|(_, known)| *known == word);
    found.map_or(StoreFaultKind::Unavailable, |(kind, _)| *kind)
}

fn told(fault: &StoreFault) -> Answer {
    let found = KINDS.iter().find(|(kind, _)| *kind == fault.kind());
    Answer::Fault {
        kind: found.map_or("unavailable", |(_, word)| word).to_owned(),
        message: fault.to_string(),
    }
}

/// The answering side: a thread that waits for questions until it is dropped.
pub(crate) struct Control {
    path: PathBuf,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Control {
    /// Begins to answer. A store that cannot is of use all the same.
    pub(crate) fn start(folder: &Path, orders: Orders) -> Option<Self> {
        let path = path(folder);
        // Left by one that was killed; the lock says that it is not there any more.
        let _ = std::fs::remove_file(&path);
        let warn = |error: &std::io::Error| {
            tracing::warn!("the store cannot be asked by `{}`: {error}", path.display());
        };
        let listener = UnixListener::bind(&path).inspect_err(warn).ok()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let builder = std::thread::Builder::new().name("paperflow control".to_owned());
        let serve = move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::Acquire) {
                    return;
                }
                // Who does not wait for the answer gets none.
                let _ = stream.and_then(|stream| serve(stream, &orders));
            }
        };
        let thread = builder.spawn(serve).inspect_err(warn).ok();
        Some(Self {
            path,
            is_over,
            thread,
        })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        let is_called = UnixStream::connect(&self.path).is_ok();
        let _ = std::fs::remove_file(&self.path);
        if let Some(thread) = self.thread.take().filter(|_| is_called) {
            let _ = thread.join();
        }
    }
}

fn serve(stream: UnixStream, orders: &Orders) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut out = stream.try_clone()?;
    let mut questions = BufReader::new(stream);
    loop {
        let mut text = String::new();
        let read = (&mut questions).take(LONGEST).read_line(&mut text)?;
        if read == 0 {
            return Ok(());
        }
        let given = match serde_json::from_str::<Ask>(&text) {
            Ok(question) => ask(orders, &question),
            Err(error) => Err(crate::fault::unsupported(format!(
                "this is no question to a store: {error}"
            ))),
        };
        let given = given.unwrap_or_else(|fault| told(&fault));
        let text = line(&given).unwrap_or_default();
        out.write_all(text.as_bytes())?;
    }
}
