//! Who is to run: the state byte of every process, the run queue, and the busy count.
//!
//! A process is idle, queued, running, or running and notified: one atomic byte, so that no wake-up is
//! lost. Whoever wakes another adds the other's credit to the busy count while its own still stands,
//! so zero is stable; whoever reaches zero judges the network.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::task::Wake;
use std::thread::Thread;

use parking_lot::{Condvar, Mutex};

const IDLE: u8 = 0;
const QUEUED: u8 = 1;
const RUNNING: u8 = 2;
const NOTIFIED: u8 = 3;

/// How often in a row a worker runs the process it has just fed before it looks at its queue.
pub(crate) const SLOT_RUNS: u32 = 8;

thread_local! {
    /// The process that this pool worker feeds right now and runs next, its data still in cache.
    static NEXT: Cell<Next> = const { Cell::new(Next::Elsewhere) };
}

#[derive(Clone, Copy)]
enum Next {
    /// This thread is no pool worker.
    Elsewhere,
    Nobody,
    Process(usize),
}

struct Slot {
    state: AtomicU8,
    /// Set for processes with a thread of their own.
    own: Option<OwnThread>,
}

#[derive(Default)]
struct OwnThread {
    thread: OnceLock<Thread>,
    permit: AtomicBool,
}

pub(crate) struct Roster {
    slots: Vec<Slot>,
    queue: Mutex<Queue>,
    work: Condvar,
    busy: AtomicUsize,
    epoch: AtomicU64,
    stopped: AtomicBool,
}

#[derive(Default)]
struct Queue {
    runnable: VecDeque<usize>,
    sleepers: usize,
}

/// Somebody a link can wake.
#[derive(Clone)]
pub(crate) enum Who {
    Process(usize),
    /// A thread of the embedding program.
    External(Arc<External>),
}

/// Where a thread of the embedding program waits for a link.
#[derive(Default)]
pub(crate) struct External {
    calls: Mutex<u64>,
    bell: Condvar,
}

impl External {
    pub(crate) fn ring(&self) {
        *self.calls.lock() += 1;
        self.bell.notify_all();
    }

    /// How often it was called so far; to be read before the look that leads to waiting.
    pub(crate) fn calls(&self) -> u64 {
        *self.calls.lock()
    }

    /// Waits until it has been called more often. Several threads may share a handle, so nobody uses
    /// up a call.
    pub(crate) fn wait(&self, seen: u64) {
        let mut calls = self.calls.lock();
        while *calls == seen {
            self.bell.wait(&mut calls);
        }
    }
}

impl Roster {
    /// `own_thread` tells for each process whether it has a thread of its own.
    pub(crate) fn new(own_thread: &[bool]) -> Self {
        let slot = |own: &bool| Slot {
            state: AtomicU8::new(IDLE),
            own: own.then(OwnThread::default),
        };
        Self {
            slots: own_thread.iter().map(slot).collect(),
            queue: Mutex::default(),
            work: Condvar::new(),
            busy: AtomicUsize::new(0),
            epoch: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    pub(crate) fn wake_who(&self, who: &Who) {
        match who {
            Who::Process(process) => self.wake(*process),
            Who::External(external) => external.ring(),
        }
    }

    /// Lets a process run, now or once more.
    pub(crate) fn wake(&self, process: usize) {
        let state = &self.slots[process].state;
        loop {
            let (from, to) = match state.load(Ordering::Acquire) {
                IDLE => (IDLE, QUEUED),
                RUNNING => (RUNNING, NOTIFIED),
                _ => return,
            };
            if state
                .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
                .is_err()
            {
                continue;
            }
            if from == IDLE {
                self.epoch.fetch_add(1, Ordering::AcqRel);
                self.busy.fetch_add(1, Ordering::AcqRel);
                self.dispatch(process);
            }
            return;
        }
    }

    fn dispatch(&self, process: usize) {
        if let Some(own) = &self.slots[process].own {
            // Not a plain store: the thread that begins meanwhile sees the permit, or is seen here.
            own.permit.swap(true, Ordering::AcqRel);
            if let Some(thread) = own.thread.get() {
                thread.unpark();
            }
            return;
        }
        let spilled = NEXT.with(|next| match next.get() {
            Next::Elsewhere => Some(process),
            Next::Nobody => {
                next.set(Next::Process(process));
                None
            }
            Next::Process(older) => {
                next.set(Next::Process(process));
                Some(older)
            }
        });
        if let Some(process) = spilled {
            self.enqueue(process);
        }
    }

    fn enqueue(&self, process: usize) {
        let mut queue = self.queue.lock();
        queue.runnable.push_back(process);
        if queue.sleepers > 0 {
            self.work.notify_one();
        }
    }

    /// A process starts to run; it was queued.
    pub(crate) fn start(&self, process: usize) {
        self.slots[process].state.store(RUNNING, Ordering::Release);
    }

    /// A process has used its turn and goes to the back of the queue.
    pub(crate) fn again(&self, process: usize) {
        self.slots[process].state.store(QUEUED, Ordering::Release);
        match &self.slots[process].own {
            Some(own) => own.permit.store(true, Ordering::Release),
            None => self.enqueue(process),
        }
    }

    /// A process goes idle. False: it was notified meanwhile and must run again.
    pub(crate) fn idle(&self, process: usize) -> bool {
        let state = &self.slots[process].state;
        state
            .compare_exchange(RUNNING, IDLE, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Gives up one credit. True: nobody is busy any more.
    pub(crate) fn rest(&self) -> bool {
        self.busy.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Takes one credit, for a process that comes back from outside.
    pub(crate) fn resume(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.busy.fetch_add(1, Ordering::AcqRel);
    }

    /// Nobody is busy, and this is the count of wake-ups so far.
    pub(crate) fn quiet_epoch(&self) -> Option<u64> {
        let epoch = self.epoch.load(Ordering::Acquire);
        (self.busy.load(Ordering::Acquire) == 0).then_some(epoch)
    }

    /// Everybody stops running as soon as they notice.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        drop(self.queue.lock());
        self.work.notify_all();
        for own in self.slots.iter().filter_map(|slot| slot.own.as_ref()) {
            if let Some(thread) = own.thread.get() {
                thread.unpark();
            }
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Runs pooled processes until the roster stops.
    pub(crate) fn work(&self, mut run: impl FnMut(usize)) {
        NEXT.set(Next::Nobody);
        while let Some(first) = self.next_queued() {
            run(first);
            let mut runs = 0;
            while let Next::Process(process) = NEXT.replace(Next::Nobody) {
                if runs == SLOT_RUNS {
                    self.enqueue(process);
                    break;
                }
                runs += 1;
                run(process);
            }
        }
        NEXT.set(Next::Elsewhere);
    }

    fn next_queued(&self) -> Option<usize> {
        let mut queue = self.queue.lock();
        loop {
            if self.is_stopped() {
                return None;
            }
            if let Some(process) = queue.runnable.pop_front() {
                return Some(process);
            }
            queue.sleepers += 1;
            self.work.wait(&mut queue);
            queue.sleepers -= 1;
        }
    }

    /// Runs one process on this, its own thread, until `run` says that it has ended.
    pub(crate) fn work_for(&self, process: usize, mut run: impl FnMut() -> bool) {
        let Some(own) = &self.slots[process].own else {
            return;
        };
        own.thread.get_or_init(std::thread::current);
        fence(Ordering::SeqCst);
        loop {
            while !own.permit.swap(false, Ordering::AcqRel) {
                if self.is_stopped() {
                    return;
                }
                std::thread::park();
            }
            if self.is_stopped() || run() {
                return;
            }
        }
    }
}

/// Wakes a process from a future it awaits.
pub(crate) struct ProcessWaker {
    pub(crate) roster: Arc<Roster>,
    pub(crate) process: usize,
}

impl Wake for ProcessWaker {
    fn wake(self: Arc<Self>) {
        self.roster.wake(self.process);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.roster.wake(self.process);
    }
}
