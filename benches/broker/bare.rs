//! A program that writes a queue and reads it, by the client of its broker and nothing else.

use std::thread;
use std::time::{Duration, Instant};

use paperflow_bench::Error;

use crate::Lane;

/// What a bare client says when it cannot.
pub(crate) type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Opens both ends of a queue of its own at a URL, for messages of so many bytes.
pub(crate) type Open = fn(&str, usize) -> Result<Ends, Trouble>;

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
