//! Where lines go: a file, standard output, standard error.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::pin::pin;
use std::task::Poll;

use paperflow_core::{Closed, Fault, Got, Kind, Out, Packet, outside};

/// Written out at the latest when this much is waiting.
const BATCH: usize = 64 * 1024;

/// Lines that are written out in batches, always whole.
///
/// What waits is written before the process does: see [`Sink::during`]. Packets of a store are held until they
/// are written, so that no line is lost when the program is killed; a component that uses it says
/// `settle = each`, or it would hold on to them longer.
pub(crate) struct Sink {
    name: String,
    to: Box<dyn Write + Send>,
    waiting: Vec<u8>,
    held: Vec<Got<Packet>>,
}

impl Sink {
    fn new(name: &str, to: impl Write + Send + 'static) -> Self {
        Self {
            name: name.to_owned(),
            to: Box::new(to),
            waiting: Vec::new(),
            held: Vec::new(),
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

    /// A packet has been added: it is passed on once it is written, or ends then.
    pub(crate) async fn done(
        &mut self,
        packet: Got<Packet>,
        out: &Out<Packet>,
    ) -> Result<(), Fault> {
        if out.is_connected() {
            self.flush()?;
        } else if packet.is_delivered() && !self.waiting.is_empty() {
            self.held.push(packet);
            return Ok(());
        }
        Ok(out.send(packet).await?)
    }

    /// Writes out what is waiting.
    pub(crate) fn flush(&mut self) -> Result<(), Fault> {
        self.flush_from(1)
    }

    fn flush_from(&mut self, least: usize) -> Result<(), Fault> {
        if self.waiting.len() < least {
            return Ok(());
        }
        let (to, waiting) = (&mut self.to, &self.waiting);
        let written = outside(|| to.write_all(waiting).and_then(|()| to.flush()));
        self.waiting.clear();
        let held = self.held.drain(..);
        written.map_err(|error| {
            // One that came from no store is not held.
            held.for_each(|packet| drop(packet.retry_later("it could not be written")));
            cannot_write(&self.name, &error)
        })
    }

    /// Waits for something in the network; what is waiting here is written first.
    pub(crate) async fn during<T>(&mut self, event: impl Future<Output = T>) -> Result<T, Fault> {
        let mut event = pin!(event);
        std::future::poll_fn(|cx| match event.as_mut().poll(cx) {
            Poll::Ready(item) => Poll::Ready(Ok(item)),
            Poll::Pending => match self.flush() {
                Ok(()) => Poll::Pending,
                Err(fault) => Poll::Ready(Err(fault)),
            },
        })
        .await
    }

    /// What is wrong with something that is to be written here, once what came before it is written.
    pub(crate) fn blame(&mut self, why: &str) -> Fault {
        match self.flush() {
            Ok(()) => Fault::new(format!("cannot write {}: {why}", self.name)),
            Err(fault) => fault,
        }
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
