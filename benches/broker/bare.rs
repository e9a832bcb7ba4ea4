//! A program that writes a queue and reads it, by the client of its broker and nothing else.

use std::thread;
use std::time::{Duration, Instant};

use paperflow_bench::Error;

use crate::Lane;

/// What a bare client says when it cannot.
pub(crate) type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Opens both ends of a queue of its own at a URL, for such messages.
pub(crate) type Open = fn(&str, Load) -> Result<Ends, Trouble>;

/// What is written.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Bytes of a body.
    pub(crate) bytes: usize,
    /// Each has the attributes that a message of ours has, and an identity.
    pub(crate) is_event: bool,
}

impl Load {
    pub(crate) fn pages(self, prefix: &str) -> Pages {
        let attribute = |(name, value): (&str, &str)| (format!("{prefix}{name}"), value.to_owned());
        let attributes = ATTRIBUTES.into_iter().filter(|_| self.is_event);
        Pages {
            body: vec![b'x'; self.bytes],
            attributes: attributes.map(attribute).collect(),
            written: 0,
        }
    }
}

/// The first is the identity.
const ATTRIBUTES: [(&str, &str); 6] = [
    ("id", ""),
    ("specversion", "1.0"),
    ("source", "paperflow:broker.S.IN"),
    ("type", "paperflow.packet"),
    ("datacontenttype", "text/plain;charset=utf-8"),
    ("paperflowkind", "text"),
];

/// Messages, one after the other.
pub(crate) struct Pages {
    pub(crate) body: Vec<u8>,
    /// Those of the message that was begun last.
    pub(crate) attributes: Vec<(String, String)>,
    written: u128,
}

impl Pages {
    /// Begins the next message.
    pub(crate) fn turn(&mut self) -> &Self {
        self.written += 1;
        if let Some((_, id)) = self.attributes.first_mut() {
            *id = format!("{:032x}", self.written);
        }
        self
    }
}

/// Writes messages.
pub(crate) trait Writer: Send {
    /// Writes so many, and waits until all are confirmed.
    fn write(&mut self, messages: usize) -> Result<(), Trouble>;
}

/// Reads messages.
pub(crate) trait Reader: Send {
    /// Waits for some, so many at most, settles them, and gives how many there were.
    fn read(&mut self, most: usize) -> Result<usize, Trouble>;
}

/// Both ends of a queue.
pub(crate) struct Ends {
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) reader: Box<dyn Reader>,
}

/// One thread writes in batches, another one reads.
pub(crate) struct Bare {
    ends: Ends,
    batch: usize,
}

impl Bare {
    pub(crate) const fn new(ends: Ends, batch: usize) -> Self {
        Self { ends, batch }
    }
}

impl Lane for Bare {
    fn burst(&mut self, packets: usize) -> Result<Duration, Error> {
        let (batch, Ends { writer, reader }) = (self.batch, &mut self.ends);
        let begun = Instant::now();
        let ended: Result<Instant, Trouble> = thread::scope(|scope| {
            let reading = scope.spawn(move || {
                let mut left = packets;
                while left > 0 {
                    left -= reader.read(left.min(batch))?;
                }
                Ok::<_, Trouble>(Instant::now())
            });
            for _ in 0..packets / batch {
                writer.write(batch)?;
            }
            reading.join().map_err(|_| "its reader has panicked")?
        });
        Ok(ended.map_err(|trouble| trouble as Error)? - begun)
    }

    fn end(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}
