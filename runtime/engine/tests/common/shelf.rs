//! A store that keeps everything in memory, and goes on over the end of a run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, Declaration, Delivery, Desk, Disposition,
    Found, Handled, Notes, Outlook, Recall, Sent, Settlement, Store, StoreFault, StoreFaultKind,
    Subscription, Work,
};
use paperflow_core::message::{Id, Message};
use parking_lot::Mutex;

/// Keeps queues in memory. A failed message is ready again at once.
#[derive(Default)]
pub struct Shelf {
    /// Several networks use it at a time.
    is_shared: bool,
    notes: Arc<Board>,
    pub queues: Mutex<BTreeMap<String, Arc<Queue>>>,
    epoch: Mutex<u64>,
    desks: Mutex<BTreeMap<String, Arc<Drawer>>>,
    /// Commits that are refused.
    refused: AtomicUsize,
    /// Every message is handed out twice.
    is_doubling: AtomicBool,
    /// Calls of each queue that are refused.
    down: AtomicUsize,
}

pub struct Queue {
    declaration: Declaration,
    state: Mutex<State>,
}

#[derive(Default)]
pub struct State {
    pub ready: VecDeque<(Message, u32)>,
    pub leased: BTreeMap<u64, (Message, u32)>,
    /// By ticket: the reader.
    holders: BTreeMap<u64, u64>,
    readers: u64,
    pub dead: Vec<(Message, Settlement)>,
    pub seen: BTreeSet<Id>,
    pub tickets: u64,
    pub most: usize,
    pub wakers: Vec<Waker>,
    pub is_doubling: bool,
    /// Messages are on their way, and no reader sees them yet.
    is_slow: bool,
    /// Calls that are refused.
    pub down: usize,
}

impl Queue {
    /// Whether its messages are on their way for long.
    pub fn slow(&self, is_slow: bool) {
        let mut state = self.state.lock();
        state.is_slow = is_slow;
        state.call();
    }

    /// Deliveries so far.
    pub fn tickets(&self) -> u64 {
        self.state.lock().tickets
    }
}

impl State {
    fn answer(&mut self) -> Result<(), StoreFault> {
        if self.down == 0 {
            return Ok(());
        }
        self.down -= 1;
        Err(StoreFault::new(StoreFaultKind::Unavailable, "nobody there"))
    }

    /// A delivery of a message.
    fn lease(&mut self, message: Message, failures: u32, reader: u64) -> Delivery {
        self.tickets += 1;
        self.holders.insert(self.tickets, reader);
        self.leased
            .insert(self.tickets, (message.clone(), failures));
        Delivery {
            ticket: self.tickets,
            message,
            attempt: failures + 1,
            recall: Recall::default(),
        }
    }

    fn call(&self) {
        self.wakers.iter().for_each(Waker::wake_by_ref);
    }
}

impl Store for Shelf {
    fn name(&self) -> &str {
        "shelf"
    }

    fn capabilities(&self, _: ConnectorKind) -> Option<Capabilities> {
        Some(Capabilities::default())
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        let mut queues = self.queues.lock();
        let queue = queues.entry(declaration.name.clone()).or_insert_with(|| {
            Arc::new(Queue {
                declaration: declaration.clone(),
                state: Mutex::default(),
            })
        });
        let mut state = queue.state.lock();
        // Who read in an earlier run is gone.
        if !self.is_shared {
            state.wakers.clear();
        }
        state.is_doubling = self.is_doubling.load(Ordering::Relaxed);
        state.down = self.down.load(Ordering::Relaxed);
        drop(state);
        Ok(Arc::new(Handle(Arc::clone(queue))))
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        let drawer = self.drawer(process);
        drawer
            .refused
            .store(self.refused.load(Ordering::Relaxed), Ordering::Relaxed);
        Ok(drawer)
    }

    fn notes(&self, _: &str) -> Result<Option<Arc<dyn Notes>>, StoreFault> {
        let notes: Arc<dyn Notes> = Arc::clone(&self.notes) as Arc<dyn Notes>;
        Ok(self.is_shared.then_some(notes))
    }

    fn epoch(&self, _: &str) -> Result<u64, StoreFault> {
        Ok(*self.epoch.lock())
    }

    fn finish(&self, _: &str, epoch: u64) -> Result<(), StoreFault> {
        let mut current = self.epoch.lock();
        if *current != epoch {
            return Ok(());
        }
        *current += 1;
        for queue in self.queues.lock().values() {
            queue.state.lock().seen.clear();
        }
        let desks = self.desks.lock();
        desks.values().for_each(|desk| desk.end_run());
        Ok(())
    }
}

/// What parts tell each other.
#[derive(Default)]
pub struct Board(Mutex<BTreeMap<String, String>>);

impl Notes for Board {
    fn write(&self, name: &str, text: &str) -> Result<(), StoreFault> {
        self.0.lock().insert(name.to_owned(), text.to_owned());
        Ok(())
    }

    fn read(&self) -> Result<Vec<(String, String)>, StoreFault> {
        Ok(self.0.lock().clone().into_iter().collect())
    }
}

struct Handle(Arc<Queue>);

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let mut state = self.0.state.lock();
        state.answer()?;
        let mut sent = Sent::default();
        for message in messages {
            if state.seen.insert(message.id) {
                state.ready.push_back((message.clone(), 0));
                sent.written += 1;
            } else {
                sent.known += 1;
            }
        }
        state.most = state.most.max(state.ready.len());
        state.call();
        Ok(sent)
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let mut state = self.0.state.lock();
        let room = self
            .0
            .declaration
            .capacity
            .saturating_sub(state.ready.len());
        if room == 0 && !state.wakers.iter().any(|other| other.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
        Ok(room)
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let mut state = self.0.state.lock();
        state.wakers.push(consumer.waker);
        state.readers += 1;
        Ok(Arc::new(Reader(Arc::clone(&self.0), state.readers)))
    }

    fn unfinished(&self, _: &str) -> Result<Option<u64>, StoreFault> {
        let state = self.0.state.lock();
        Ok(Some((state.ready.len() + state.leased.len()) as u64))
    }
}

struct Reader(Arc<Queue>, u64);

impl Subscription for Reader {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let mut state = self.0.state.lock();
        state.answer()?;
        if state.ready.is_empty() || state.is_slow {
            let holders = state.holders.values();
            let unsettled = holders.filter(|holder| **holder == self.1).count();
            return Ok(Found::Empty(Outlook {
                unsettled,
                elsewhere: state.leased.len() - unsettled,
                ..Outlook::default()
            }));
        }
        for _ in 0..most {
            let Some((message, failures)) = state.ready.pop_front() else {
                break;
            };
            if state.is_doubling {
                into.push(state.lease(message.clone(), failures, self.1));
            }
            into.push(state.lease(message, failures, self.1));
        }
        state.call();
        Ok(Found::Some)
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        let mut state = self.0.state.lock();
        state.holders.remove(&ticket);
        let Some((message, failures)) = state.leased.remove(&ticket) else {
            return;
        };
        let is_last = failures >= self.0.declaration.retries;
        match settlement.disposition {
            Disposition::Done => {}
            Disposition::Release => state.ready.push_front((message, failures)),
            Disposition::Retry if !is_last => state.ready.push_back((message, failures + 1)),
            _ => state.dead.push((message, settlement)),
        }
        state.call();
    }

    fn flush(&self) -> Result<(), StoreFault> {
        Ok(())
    }

    fn close(&self) {
        let mut state = self.0.state.lock();
        let holders = std::mem::take(&mut state.holders);
        let (own, others) = holders
            .into_iter()
            .partition(|(_, holder)| *holder == self.1);
        state.holders = others;
        let own: BTreeMap<u64, u64> = own;
        for ticket in own.into_keys().rev() {
            if let Some((message, failures)) = state.leased.remove(&ticket) {
                state.ready.push_front((message, failures + 1));
            }
        }
        state.call();
    }
}

impl Shelf {
    /// One that several networks use at a time.
    pub fn shared() -> Arc<Self> {
        Arc::new(Self {
            is_shared: true,
            ..Self::default()
        })
    }

    pub fn with<R>(&self, queue: &str, look: impl FnOnce(&State) -> R) -> R {
        look(&self.queues.lock()[queue].state.lock())
    }

    /// Messages that are left, by what they are.
    pub fn left(&self, queue: &str) -> Vec<String> {
        self.with(queue, |state| {
            let ready = state.ready.iter().map(|(message, _)| body(message));
            ready.collect()
        })
    }
}

pub fn body(message: &Message) -> String {
    let body = message.body().unwrap();
    String::from_utf8(body.into_owned()).unwrap()
}

/// What a process keeps.
#[derive(Default)]
pub struct Drawer {
    state: Mutex<Kept>,
    refused: AtomicUsize,
}

#[derive(Default)]
pub struct Kept {
    pub rows: BTreeMap<(String, String), String>,
    pub handled: BTreeMap<Id, Handled>,
    pub owed: Vec<Handled>,
    /// Of those handled, the ones of runs that are over.
    over: BTreeSet<Id>,
    pub commits: usize,
}

impl Drawer {
    /// What was handled is of a run that is over.
    fn end_run(&self) {
        let mut state = self.state.lock();
        let ids: Vec<Id> = state.handled.keys().copied().collect();
        state.over.extend(ids);
    }
}

impl Shelf {
    fn drawer(&self, process: &str) -> Arc<Drawer> {
        Arc::clone(self.desks.lock().entry(process.to_owned()).or_default())
    }

    pub fn kept<R>(&self, process: &str, look: impl FnOnce(&Kept) -> R) -> R {
        look(&self.drawer(process).state.lock())
    }

    /// Hands out every message of a queue that is opened from now on twice.
    pub fn double(&self) {
        self.is_doubling.store(true, Ordering::Relaxed);
    }

    /// Refuses so many calls of each queue that is opened from now on.
    pub fn go_down(&self, calls: usize) {
        self.down.store(calls, Ordering::Relaxed);
    }

    /// Whether commits are refused for ever, as far as a test can tell.
    pub fn is_full(&self) -> bool {
        self.refused.load(Ordering::Relaxed) > 100
    }

    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed) > 0
    }

    /// Refuses so many commits of each desk that is opened from now on.
    pub fn refuse(&self, commits: usize) {
        self.refused.store(commits, Ordering::Relaxed);
    }
}

impl Desk for Drawer {
    fn rows(&self, table: &str) -> Result<Vec<(String, String)>, StoreFault> {
        let state = self.state.lock();
        let rows = state.rows.iter().filter(|((of, _), _)| of == table);
        Ok(rows
            .map(|((_, key), row)| (key.clone(), row.clone()))
            .collect())
    }

    fn handled(&self, id: Id) -> Result<Option<Vec<(usize, Message)>>, StoreFault> {
        let state = self.state.lock();
        Ok(state.handled.get(&id).map(|handled| handled.sent.clone()))
    }

    fn commit(&self, work: &Work) -> Result<(), StoreFault> {
        let refused = self.refused.load(Ordering::Relaxed);
        if refused > 0 {
            self.refused.store(refused - 1, Ordering::Relaxed);
            return Err(StoreFault::new(StoreFaultKind::Unavailable, "no room"));
        }
        let mut state = self.state.lock();
        state.commits += 1;
        for row in &work.rows {
            let key = (row.table.clone(), row.key.clone());
            match &row.row {
                Some(text) => state.rows.insert(key, text.clone()),
                None => state.rows.remove(&key),
            };
        }
        for handled in &work.handled {
            if handled.own {
                state.owed.push(handled.clone());
            } else {
                state.handled.insert(handled.id, handled.clone());
            }
        }
        Ok(())
    }

    fn owed(&self) -> Result<Vec<Handled>, StoreFault> {
        Ok(self.state.lock().owed.clone())
    }

    fn paid(&self, id: Id) {
        self.state.lock().owed.retain(|owed| owed.id != id);
    }

    fn on_its_way(&self) -> Result<Vec<Handled>, StoreFault> {
        let state = self.state.lock();
        let own = state.handled.values();
        let own = own.filter(|one| !one.sent.is_empty() && !state.over.contains(&one.id));
        Ok(own.cloned().collect())
    }

    fn arrived(&self, id: Id) {
        if let Some(handled) = self.state.lock().handled.get_mut(&id) {
            handled.sent.clear();
        }
    }
}
