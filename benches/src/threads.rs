//! A shape wired by hand: a thread for each node, a channel for each link.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::components::{LAST, text};
use crate::shape::{Flow, Node, PAUSE, Payload, Shape};
use crate::stopwatch::{self, Sample};
use crate::work::{rounds, spin};
use crate::{Contestant, Error};

/// A bounded channel with many writers.
pub trait Channel<T>: 'static {
    /// The writing end.
    type Tx: Clone + Send + 'static;
    /// The reading end.
    type Rx: Send + 'static;
    /// A channel for this many.
    fn bounded(capacity: usize) -> (Self::Tx, Self::Rx);
    /// Sends, and waits for room. False: nobody receives any more.
    fn send(to: &Self::Tx, item: T) -> bool;
    /// Receives, and waits for something to come. `None`: nobody sends any more.
    fn receive(from: &Self::Rx) -> Option<T>;
}

/// crossbeam-channel.
pub struct Crossbeam;

impl<T: Send + 'static> Channel<T> for Crossbeam {
    type Tx = crossbeam_channel::Sender<T>;
    type Rx = crossbeam_channel::Receiver<T>;

    fn bounded(capacity: usize) -> (Self::Tx, Self::Rx) {
        crossbeam_channel::bounded(capacity)
    }

    fn send(to: &Self::Tx, item: T) -> bool {
        to.send(item).is_ok()
    }

    fn receive(from: &Self::Rx) -> Option<T> {
        from.recv().ok()
    }
}

/// `std::sync::mpsc::sync_channel`.
pub struct Std;

impl<T: Send + 'static> Channel<T> for Std {
    type Tx = mpsc::SyncSender<T>;
    type Rx = mpsc::Receiver<T>;

    fn bounded(capacity: usize) -> (Self::Tx, Self::Rx) {
        mpsc::sync_channel(capacity)
    }

    fn send(to: &Self::Tx, item: T) -> bool {
        to.send(item).is_ok()
    }

    fn receive(from: &Self::Rx) -> Option<T> {
        from.recv().ok()
    }
}

/// kanal.
pub struct Kanal;

impl<T: Send + 'static> Channel<T> for Kanal {
    type Tx = kanal::Sender<T>;
    type Rx = kanal::Receiver<T>;

    fn bounded(capacity: usize) -> (Self::Tx, Self::Rx) {
        kanal::bounded(capacity)
    }

    fn send(to: &Self::Tx, item: T) -> bool {
        to.send(item).is_ok()
    }

    fn receive(from: &Self::Rx) -> Option<T> {
        from.recv().ok()
    }
}

/// What a channel carries.
pub trait Item: Clone + Send + 'static {
    /// What is the same for all of a source.
    type Stock: Send + 'static;
    /// Prepares a source.
    fn stock(payload: Payload) -> Self::Stock;
    /// Makes the item with this number.
    fn make(stock: &Self::Stock, number: i64) -> Self;
    /// A sink has it.
    fn arrive(self);
}

/// A number, in as much room as a small enumeration of payloads takes.
#[derive(Clone, Copy)]
pub struct Number {
    number: i64,
    _rest: [u64; 2],
}

impl Item for Number {
    type Stock = ();

    fn stock(_: Payload) {}

    fn make((): &(), number: i64) -> Self {
        Self {
            number,
            _rest: [0; 2],
        }
    }

    fn arrive(self) {
        stopwatch::arrived(self.number);
    }
}

impl Item for String {
    type Stock = [Self; 2];

    fn stock(payload: Payload) -> [Self; 2] {
        let size = match payload {
            Payload::Text(size) => size,
            _ => 1,
        };
        [false, true].map(|is_last| text(size, is_last))
    }

    fn make(stock: &[Self; 2], number: i64) -> Self {
        stock[usize::from(number == 0)].clone()
    }

    fn arrive(self) {
        if self.as_bytes().first() == Some(&LAST) {
            stopwatch::arrived(0);
        }
    }
}

/// A thread for each node, waiting to be told how many packets to send.
pub struct Threads {
    go: Vec<crossbeam_channel::Sender<u64>>,
    threads: Vec<JoinHandle<()>>,
    flow: Flow,
    payload: Payload,
}

impl Threads {
    /// Starts it.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start<C>(shape: &Shape, capacity: usize) -> Result<Self, Error>
    where
        C: Channel<Number> + Channel<String>,
    {
        match shape.payload {
            Payload::Text(_) => Self::with::<C, String>(shape, capacity),
            _ => Self::with::<C, Number>(shape, capacity),
        }
    }

    fn with<C: Channel<T>, T: Item>(shape: &Shape, capacity: usize) -> Result<Self, Error> {
        let mut this = Self {
            go: Vec::new(),
            threads: Vec::new(),
            flow: shape.flow(),
            payload: shape.payload,
        };
        let (txs, rxs): (Vec<_>, Vec<_>) = shape.nodes.iter().map(|_| C::bounded(capacity)).unzip();
        let outgoing = shape.outgoing();
        for (at, rx) in rxs.into_iter().enumerate() {
            let to: Vec<_> = outgoing[at].iter().map(|to| txs[*to].clone()).collect();
            let payload = shape.payload;
            let body: Box<dyn FnOnce() + Send> = match shape.nodes[at] {
                Node::Source => {
                    let (tell, told) = crossbeam_channel::unbounded();
                    this.go.push(tell);
                    Box::new(move || source::<C, T>(&told, &to, payload))
                }
                Node::Pass(manner) => {
                    let rounds = rounds(manner.work);
                    Box::new(move || pass::<C, T>(&rx, &to, rounds))
                }
                Node::Copy => Box::new(move || copy::<C, T>(&rx, &to)),
                Node::Deal => Box::new(move || deal::<C, T>(&rx, &to)),
                Node::Sink => Box::new(move || sink::<C, T>(&rx, Duration::ZERO)),
                Node::SlowSink => Box::new(move || sink::<C, T>(&rx, PAUSE)),
            };
            let thread = thread::Builder::new().stack_size(STACK);
            this.threads.push(thread.spawn(body)?);
        }
        Ok(this)
    }
}

/// Bytes: enough, and little enough for thousands.
const STACK: usize = 128 * 1024;

impl Contestant for Threads {
    fn burst(&mut self, packets: u64) -> Result<Sample, Error> {
        stopwatch::arm(self.flow);
        for go in &self.go {
            go.send(self.payload.packets(packets))?;
        }
        stopwatch::wait()
    }

    fn end(mut self: Box<Self>) -> Result<(), Error> {
        self.go.clear();
        let ended = self.threads.drain(..).map(JoinHandle::join);
        let failed = ended.filter(Result::is_err).count();
        if failed > 0 {
            return Err(format!("{failed} threads have panicked").into());
        }
        Ok(())
    }
}

fn source<C: Channel<T>, T: Item>(
    told: &crossbeam_channel::Receiver<u64>,
    to: &[C::Tx],
    payload: Payload,
) {
    let stock = T::stock(payload);
    for count in told {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        stopwatch::start();
        for number in (0..count).rev() {
            if !C::send(&to[0], T::make(&stock, number)) {
                return;
            }
        }
    }
}

fn pass<C: Channel<T>, T: Item>(from: &C::Rx, to: &[C::Tx], rounds: u64) {
    while let Some(item) = C::receive(from) {
        spin(rounds);
        if !C::send(&to[0], item) {
            return;
        }
    }
}

fn copy<C: Channel<T>, T: Item>(from: &C::Rx, to: &[C::Tx]) {
    while let Some(item) = C::receive(from) {
        for to in to {
            if !C::send(to, item.clone()) {
                return;
            }
        }
    }
}

fn deal<C: Channel<T>, T: Item>(from: &C::Rx, to: &[C::Tx]) {
    let mut next = 0;
    while let Some(item) = C::receive(from) {
        if !C::send(&to[next], item) {
            return;
        }
        next = (next + 1) % to.len();
    }
}

fn sink<C: Channel<T>, T: Item>(from: &C::Rx, pause: Duration) {
    while let Some(item) = C::receive(from) {
        if !pause.is_zero() {
            thread::sleep(pause);
        }
        item.arrive();
    }
}
