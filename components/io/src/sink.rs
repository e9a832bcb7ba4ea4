//! Where lines go: a file, standard output, standard error.

use std::fs::OpenOptions;
use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::pin;
use std::task::Poll;

use paperflow_core::{Closed, Fault, Got, In, Kind, Out, Packet, outside};

/// Written out at the latest when this much is waiting.
const BATCH: usize = 64 * 1024;

/// Nor are more packets than this held.
const HELD: usize = 1_024;

/// Lines that are written out in batches, always whole.
///
/// What waits is written before the process does: see [`Sink::next`]. Packets of a store are held until they are
/// written, so that no line is lost when the program is killed. When something cannot be written they are still
/// held, and what becomes of them is what becomes of the fault.
pub(crate) struct Sink {
    name: String,
    to: Box<dyn Write + Send>,
    waiting: Vec<u8>,
    held: Vec<Got<Packet>>,
    /// What was waiting could not be written.
    is_broken: bool,
}

impl Sink {
    fn new(name: &str, to: impl Write + Send + 'static) -> Self {
        Self {
            name: name.to_owned(),
            to: Box::new(to),
            waiting: Vec::new(),
            held: Vec::new(),
            is_broken: false,
        }
    }

    /// Standard output.
    pub(crate) fn stdout() -> Self {
        Self::new("standard output", io::stdout())
    }

    /// Standard error.
    pub(crate) fn stderr() -> Self {
        Self::new("standard error", io::stderr())
    }

    /// Makes or empties a file, or goes on behind what is in it; `-` is standard output.
    pub(crate) fn open(path: &str, append: bool) -> Result<Self, Fault> {
        if path == "-" {
            return Ok(Self::stdout());
        }
        let mut options = OpenOptions::new();
        options
            .create(true)
            .append(append)
            .write(true)
            .truncate(!append);
        match outside(|| options.open(path)) {
            Ok(file) => Ok(Self::new(path, file)),
            Err(error) => Err(cannot_write(path, &error)),
        }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, line: impl AsRef<[u8]>) -> Result<(), Fault> {
        self.waiting.extend_from_slice(line.as_ref());
        self.waiting.push(b'\n');
        self.flush_from(BATCH)
    }

    /// Adds a packet as a line: bytes as they are, anything else as people read it.
    pub(crate) fn packet(&mut self, packet: &Packet) -> Result<(), Fault> {
        match (packet.as_bytes(), packet.as_text()) {
            (Some(bytes), _) => self.line(bytes),
            (_, Some(text)) => self.line(text),
            _ if packet.kind() == Kind::Object => {
                Err(self.blame("a value of a Rust type has no text form"))
            }
            _ => self.line(packet.to_string()),
        }
    }

    /// Adds bytes that end with a line end, or none.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.waiting.extend_from_slice(bytes);
        self.flush_from(BATCH)
    }

    /// The next packet; what is waiting is written before the process waits for it.
    pub(crate) async fn next(
        &mut self,
        input: &In<Packet>,
        out: &Out<Packet>,
    ) -> Result<Option<Got<Packet>>, Fault> {
        let mut next = pin!(input.next());
        let found = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await;
        if let Poll::Ready(packet) = found {
            return Ok(packet);
        }
        self.write_out(out).await?;
        Ok(next.await)
    }

    /// A packet has been added: it is passed on once it is written. Where nobody is, one that came from no store
    /// need not wait for that.
    pub(crate) async fn done(
        &mut self,
        packet: Got<Packet>,
        out: &Out<Packet>,
    ) -> Result<(), Fault> {
        if !out.is_connected() && !packet.is_delivered() {
            return Ok(out.send(packet).await?);
        }
        self.held.push(packet);
        let may_wait = !out.is_connected() && self.held.len() < HELD;
        match may_wait && !self.waiting.is_empty() {
            true => Ok(()),
            false => self.write_out(out).await,
        }
    }

    /// Writes out what is waiting, and passes on what is held.
    pub(crate) async fn write_out(&mut self, out: &Out<Packet>) -> Result<(), Fault> {
        self.flush()?;
        for packet in self.held.drain(..) {
            out.send(packet).await?;
        }
        Ok(())
    }

    /// The fault of a packet that cannot be added, once what came before it is written.
    pub(crate) async fn fails(&mut self, fault: Fault, out: &Out<Packet>) -> Fault {
        if self.is_broken {
            return fault;
        }
        self.write_out(out).await.err().unwrap_or(fault)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.flush_from(1)
    }

    fn flush_from(&mut self, least: usize) -> Result<(), Fault> {
        if self.waiting.len() < least {
            return Ok(());
        }
        let (to, waiting) = (&mut self.to, &self.waiting);
        let written = outside(|| to.write_all(waiting).and_then(|()| to.flush()));
        self.waiting.clear();
        self.is_broken = written.is_err();
        written.map_err(|error| cannot_write(&self.name, &error))
    }

    /// What is wrong with something that is to be written here.
    pub(crate) fn blame(&self, why: &str) -> Fault {
        Fault::new(format!("cannot write {}: {why}", self.name))
    }
}

/// The fault of a sink that cannot be written; a reader that has left is no failure.
fn cannot_write(name: &str, error: &io::Error) -> Fault {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Closed(Packet::null()).into();
    }
    Fault::new(format!("cannot write {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fails(io::ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn fault(kind: io::ErrorKind) -> Fault {
        let mut sink = Sink::new("it", Fails(kind));
        sink.line("a").unwrap();
        sink.flush().unwrap_err()
    }

    #[test]
    fn a_failure_names_the_file_and_a_closed_pipe_is_none() {
        assert!(fault(io::ErrorKind::BrokenPipe).is_quiet());
        let full = fault(io::ErrorKind::StorageFull);
        assert!(!full.is_quiet());
        assert!(full.message().starts_with("cannot write it: "), "{full}");
    }

    #[test]
    fn a_pipe_whose_reader_has_left_ends_quietly() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut sink = Sink::new("it", writer);
        sink.line("a").unwrap();
        assert!(sink.flush().unwrap_err().is_quiet());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_with_the_name_of_the_file() {
        let mut sink = Sink::open("/dev/full", false).unwrap();
        sink.line("a").unwrap();
        let fault = sink.flush().unwrap_err();
        assert!(
            fault
                .message()
                .starts_with("cannot write /dev/full: No space left on device"),
            "{fault}"
        );
    }

    #[test]
    fn nothing_is_written_before_a_batch_is_full() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut sink = Sink::new("it", writer);
        sink.packet(&Packet::text("a")).unwrap();
        sink.packet(&Packet::float(2.0)).unwrap();
        sink.packet(&Packet::bytes(&b"\xFF"[..])).unwrap();
        assert_eq!(sink.waiting, b"a\n2.0\n\xFF\n");
        sink.flush().unwrap();
        drop(sink);
        let mut got = Vec::new();
        io::Read::read_to_end(&mut reader, &mut got).unwrap();
        assert_eq!(got, b"a\n2.0\n\xFF\n");
    }
}
