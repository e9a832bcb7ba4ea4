//! A shape wired by hand with async tasks: a task for each node, an async channel for each link.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::shape::{Flow, Node, Payload, Shape};
use crate::stopwatch::{self, Sample};
use crate::threads::{Item, Number};
use crate::work::{rounds, spin};
use crate::{Contestant, Error};

/// A bounded channel with many writers.
pub trait Channel<T>: 'static {
    /// The writing end.
    type Tx: Clone + Send + Sync + 'static;
    /// The reading end.
    type Rx: Send + 'static;
    /// A channel for this many.
    fn bounded(capacity: usize) -> (Self::Tx, Self::Rx);
    /// Sends, and waits for room. False: nobody receives any more.
    fn send(to: &Self::Tx, item: T) -> impl Future<Output = bool> + Send;
    /// Receives, and waits for something to come. `None`: nobody sends any more.
    fn receive(from: &mut Self::Rx) -> impl Future<Output = Option<T>> + Send;
}

/// `tokio::sync::mpsc`.
pub struct Tokio;

impl<T: Send + 'static> Channel<T> for Tokio {
    type Tx = mpsc::Sender<T>;
    type Rx = mpsc::Receiver<T>;

    fn bounded(capacity: usize) -> (Self::Tx, Self::Rx) {
        mpsc::channel(capacity)
    }

    async fn send(to: &Self::Tx, item: T) -> bool {
        to.send(item).await.is_ok()
    }

    async fn receive(from: &mut Self::Rx) -> Option<T> {
        from.recv().await
    }
}

/// The ports of async-flow, as its systems connect them.
pub struct AsyncFlow;

impl<T: Clone + Send + Sync + 'static> Channel<T> for AsyncFlow {
    type Tx = async_flow::Outputs<T>;
    type Rx = async_flow::Inputs<T>;

    fn bounded(capacity: usize) -> (Self::Tx, Self::Rx) {
        async_flow::Channel::bounded(capacity).into_inner()
    }

    async fn send(to: &Self::Tx, item: T) -> bool {
        to.send(item).await.is_ok()
    }

    async fn receive(from: &mut Self::Rx) -> Option<T> {
        from.recv().await.ok().flatten()
    }
}

/// A task for each node, waiting to be told how many packets to send.
pub struct Tasks {
    go: Vec<mpsc::UnboundedSender<u64>>,
    tasks: Vec<JoinHandle<()>>,
    runtime: Runtime,
    flow: Flow,
    payload: Payload,
}

impl Tasks {
    /// Starts it on a runtime with this many threads.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start<C>(shape: &Shape, capacity: usize, workers: usize) -> Result<Self, Error>
    where
        C: Channel<Number> + Channel<String>,
    {
        let runtime = Builder::new_multi_thread()
            .worker_threads(workers)
            .build()?;
        let mut this = Self {
            go: Vec::new(),
            tasks: Vec::new(),
            runtime,
            flow: shape.flow(),
            payload: shape.payload,
        };
        match shape.payload {
            Payload::Text(_) => this.spawn::<C, String>(shape, capacity)?,
            _ => this.spawn::<C, Number>(shape, capacity)?,
        }
        Ok(this)
    }

    fn spawn<C: Channel<T>, T: Item>(&mut self, shape: &Shape, capacity: usize) -> Result<(), Error>
    where
        T::Stock: Sync,
    {
        let (txs, rxs): (Vec<_>, Vec<_>) = shape.nodes.iter().map(|_| C::bounded(capacity)).unzip();
        let outgoing = shape.outgoing();
        for (at, rx) in rxs.into_iter().enumerate() {
            let to: Vec<_> = outgoing[at].iter().map(|to| txs[*to].clone()).collect();
            let task = match shape.nodes[at] {
                Node::Source => {
                    let (tell, told) = mpsc::unbounded_channel();
                    self.go.push(tell);
                    self.runtime.spawn(source::<C, T>(told, to, shape.payload))
                }
                Node::Pass(manner) => self
                    .runtime
                    .spawn(pass::<C, T>(rx, to, rounds(manner.work))),
                Node::Copy => self.runtime.spawn(copy::<C, T>(rx, to)),
                Node::Deal => self.runtime.spawn(deal::<C, T>(rx, to)),
                Node::Sink => self.runtime.spawn(sink::<C, T>(rx)),
                Node::SlowSink => return Err("a task does not sleep on a thread".into()),
            };
            self.tasks.push(task);
        }
        Ok(())
    }
}

impl Contestant for Tasks {
    fn burst(&mut self, packets: u64) -> Result<Sample, Error> {
        stopwatch::arm(self.flow);
        for go in &self.go {
            go.send(self.payload.packets(packets))?;
        }
        stopwatch::wait()
    }

    fn end(mut self: Box<Self>) -> Result<(), Error> {
        self.go.clear();
        for task in self.tasks.drain(..) {
            self.runtime.block_on(task)?;
        }
        Ok(())
    }
}

async fn source<C: Channel<T>, T: Item>(
    mut told: mpsc::UnboundedReceiver<u64>,
    to: Vec<C::Tx>,
    payload: Payload,
) where
    T::Stock: Sync,
{
    let stock = T::stock(payload);
    while let Some(count) = told.recv().await {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        stopwatch::start();
        for number in (0..count).rev() {
            if !C::send(&to[0], T::make(&stock, number)).await {
                return;
            }
        }
    }
}

async fn pass<C: Channel<T>, T: Item>(mut from: C::Rx, to: Vec<C::Tx>, rounds: u64) {
    while let Some(item) = C::receive(&mut from).await {
        spin(rounds);
        if !C::send(&to[0], item).await {
            return;
        }
    }
}

async fn copy<C: Channel<T>, T: Item>(mut from: C::Rx, to: Vec<C::Tx>) {
    while let Some(item) = C::receive(&mut from).await {
        for to in &to {
            if !C::send(to, item.clone()).await {
                return;
            }
        }
    }
}

async fn deal<C: Channel<T>, T: Item>(mut from: C::Rx, to: Vec<C::Tx>) {
    let mut next = 0;
    while let Some(item) = C::receive(&mut from).await {
        if !C::send(&to[next], item).await {
            return;
        }
        next = (next + 1) % to.len();
    }
}

async fn sink<C: Channel<T>, T: Item>(mut from: C::Rx) {
    while let Some(item) = C::receive(&mut from).await {
        item.arrive();
    }
}
