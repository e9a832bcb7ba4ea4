//! Who is to run: the state byte of every process, the run queue, and the busy count.
//!
//! A process is idle, busy, or busy and notified: one atomic byte, so that no wake-up is lost. Busy is who
//! is queued or runs: nothing is written when it starts, since who is woken while it is queued may as well
//! run once more. Whoever wakes another adds the other's credit to the busy count while its own still stands,
//! so zero is stable; whoever reaches zero judges the network.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::own_thread::{Luck, OwnThread};
use crate::process::After;
use crate::sync::{
    Apart, AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Condvar, Mutex, YIELDS, fence, sequence,
    thread_cell, yield_now,
};

const IDLE: u8 = 0;
const BUSY: u8 = 1;
const NOTIFIED: u8 = 2;

/// One wake-up in the count of the busy.
const WAKE_UP: u64 = 1 << 32;

/// The credits in that count.
const CREDITS: u64 = WAKE_UP - 1;

/// How often in a row a worker runs the process it has just fed before it looks at its queue.
const SLOT_RUNS: u32 = 8;

thread_cell! {
    /// The roster that this thread works for, by its address, and its post there.
    POST: (usize, usize) = NOWHERE
}

/// This thread is no pool worker.
const NOWHERE: (usize, usize) = (0, 0);

/// Where a worker of the pool can be watched.
#[derive(Default)]
pub(crate) struct Post {
    /// A worker stands here.
    is_taken: AtomicBool,
    /// The process it runs, plus one, in the lower half; a number that changes with each run above it.
    mark: AtomicU64,
    /// The process that it feeds right now and runs next, its data still in cache; plus one.
    next: AtomicUsize,
    luck: Luck,
    /// A spare has been hired because of it. Written under the lock of the queue.
    is_relieved: AtomicBool,
}

/// The lower half of a mark.
const WHO: u64 = u32::MAX as u64;

impl Post {
    fn run(&self, process: usize, run: &mut impl FnMut(usize)) {
        let number = (self.mark.load(Ordering::Relaxed) | WHO).wrapping_add(1);
        let mark = number | (process as u64 + 1) & WHO;
        self.mark.store(mark, Ordering::Relaxed);
        run(process);
    }

    fn rest(&self) {
        let mark = self.mark.load(Ordering::Relaxed) & !WHO;
        self.mark.store(mark, Ordering::Relaxed);
    }

    /// Lets a process run next; gives back the one that was to run next so far.
    fn follow(&self, process: usize) -> Option<usize> {
        // Others only ever take, so what is empty stays so.
        if self.next.load(Ordering::Relaxed) == 0 {
            self.next.store(process + 1, Ordering::Release);
            return None;
        }
        self.next.swap(process + 1, Ordering::AcqRel).checked_sub(1)
    }

    fn take_next(&self) -> Option<usize> {
        if self.next.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.next.swap(0, Ordering::AcqRel).checked_sub(1)
    }

    /// What runs here, if anything: the same answer twice means the same run.
    pub(crate) fn mark(&self) -> Option<u64> {
        let mark = self.mark.load(Ordering::Relaxed);
        (mark & WHO != 0).then_some(mark)
    }
}

/// What others write to wake a process.
struct Doorbell {
    state: AtomicU8,
    /// Links with a crowd that have called it and nobody else.
    calls: AtomicUsize,
}

impl Doorbell {
    fn new() -> Self {
        Self {
            state: AtomicU8::new(IDLE),
            calls: AtomicUsize::new(0),
        }
    }
}

/// Where a process is called. A worker runs neighbours one after the other, so their doorbells may lie
/// side by side; one with a thread of its own has everything apart.
enum Slot {
    Pooled(Doorbell),
    Own(Box<Apart<(Doorbell, OwnThread)>>),
}

impl Slot {
    fn new(has_own_thread: bool) -> Self {
        let bell = Doorbell::new();
        if has_own_thread {
            Self::Own(Box::new(Apart::new((bell, OwnThread::default()))))
        } else {
            Self::Pooled(bell)
        }
    }

    fn bell(&self) -> &Doorbell {
        match self {
            Self::Pooled(bell) => bell,
            Self::Own(own) => &own.0,
        }
    }

    fn own(&self) -> Option<&OwnThread> {
        match self {
            Self::Pooled(_) => None,
            Self::Own(own) => Some(&own.1),
        }
    }

    /// The process starts to run. It sees what it was woken for so far.
    fn start(&self) {
        let state = &self.bell().state;
        if state.load(Ordering::Acquire) == NOTIFIED {
            state.swap(BUSY, Ordering::AcqRel);
        }
    }

    /// The process, if it has its own thread, is about to go idle.
    fn linger(&self) {
        if let Self::Own(own) = self {
            own.1
                .linger(|| own.0.state.load(Ordering::Relaxed) == NOTIFIED);
        }
    }

    /// The process goes idle. False: it was notified meanwhile and must run again.
    fn idle(&self) -> bool {
        let state = &self.bell().state;
        state
            .compare_exchange(BUSY, IDLE, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

pub(crate) struct Roster {
    slots: Vec<Slot>,
    queue: Apart<Mutex<Queue>>,
    work: Condvar,
    /// Credits in the lower half, wake-ups so far in the upper half: one step counts both.
    busy: Apart<AtomicU64>,
    stopped: AtomicBool,
    /// Workers wanted, beside those that are held up.
    workers: usize,
    /// Not all processes are in the pool: others than its workers wake them.
    has_threads: bool,
    posts: Vec<Post>,
    /// Where the watch sleeps.
    watch: Mutex<()>,
    bell: Condvar,
    is_watch_asleep: AtomicBool,
}

#[derive(Default)]
struct Queue {
    runnable: VecDeque<usize>,
    sleepers: usize,
    workers: usize,
    /// Workers that are held up, and have a spare each.
    relieved: usize,
}

/// How many spare workers there may be at a time.
const MAX_SPARES: usize = 16;

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
    /// It has received something, and has not asked for more since, or asks at this moment.
    is_at_work: AtomicBool,
    /// Packets that it has received.
    taken: AtomicU64,
}

impl External {
    /// It asks for a packet.
    pub(crate) fn asks(&self) {
        self.is_at_work.store(true, Ordering::SeqCst);
    }

    /// It has received a packet.
    pub(crate) fn has_taken(&self) {
        self.taken.fetch_add(1, Ordering::Release);
    }

    /// There is nothing for it, or it wants nothing any more.
    pub(crate) fn is_idle(&self) {
        self.is_at_work.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_at_work(&self) -> bool {
        self.is_at_work.load(Ordering::SeqCst)
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Acquire)
    }

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
    pub(crate) fn new(own_thread: &[bool], workers: usize) -> Self {
        Self {
            slots: own_thread.iter().map(|own| Slot::new(*own)).collect(),
            queue: Apart::new(Mutex::new(Queue {
                workers,
                ..Queue::default()
            })),
            work: Condvar::new(),
            busy: Apart::default(),
            stopped: AtomicBool::new(false),
            workers,
            has_threads: own_thread.contains(&true),
            posts: posts(workers),
            watch: Mutex::new(()),
            bell: Condvar::new(),
            is_watch_asleep: AtomicBool::new(false),
        }
    }

    /// Workers wanted, beside those that are held up.
    pub(crate) const fn workers(&self) -> usize {
        self.workers
    }

    pub(crate) fn posts(&self) -> &[Post] {
        &self.posts
    }

    /// The post of this thread, if it works for this roster.
    fn own_post(&self) -> Option<&Post> {
        let (roster, number) = POST.with(Cell::get);
        (roster == self.address()).then(|| &self.posts[number])
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    pub(crate) fn wake_who(&self, who: &Who) {
        match who {
            Who::Process(process) => self.wake(*process),
            Who::External(external) => external.ring(),
        }
    }

    pub(crate) fn own_thread(&self, process: usize) -> Option<&OwnThread> {
        self.slots.get(process)?.own()
    }

    /// A link with a crowd calls a process and nobody else, or does so no longer. Written before the
    /// process is woken, so its turn sees it.
    pub(crate) fn count_call(&self, process: usize, is_called: bool) {
        let calls = &self.slots[process].bell().calls;
        if is_called {
            calls.fetch_add(1, Ordering::Relaxed);
        } else {
            calls.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_called(&self, process: usize) -> bool {
        self.slots[process].bell().calls.load(Ordering::Relaxed) > 0
    }

    /// Lets a process run, now or once more.
    pub(crate) fn wake(&self, process: usize) {
        let slot = &self.slots[process];
        let state = &slot.bell().state;
        loop {
            let from = state.load(Ordering::Relaxed);
            let to = if from == IDLE { BUSY } else { NOTIFIED };
            // Written also when it stays the same: whoever starts the process reads it, and so sees
            // what the process is woken for.
            if state
                .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed)
                .is_err()
            {
                continue;
            }
            if from == IDLE {
                self.resume();
                self.dispatch(process, slot);
            }
            return;
        }
    }

    #[inline]
    fn dispatch(&self, process: usize, slot: &Slot) {
        if let Some(own) = slot.own() {
            return own.permit();
        }
        let spilled = match self.own_post() {
            Some(post) => post.follow(process),
            None => Some(process),
        };
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

    /// Runs a process once, or a few times when it is notified meanwhile. Tells how it leaves: to go on
    /// later, idle, or ended; in the last two cases the caller gives up its credit.
    pub(crate) fn run(&self, process: usize, mut turn: impl FnMut() -> After) -> After {
        let slot = &self.slots[process];
        slot.start();
        let mut runs = 0;
        loop {
            match turn() {
                After::Again => break,
                After::Ended => return After::Ended,
                After::RoundOver | After::Idle => {}
            }
            slot.linger();
            if slot.idle() {
                return After::Idle;
            }
            runs += 1;
            if runs == SLOT_RUNS {
                // Who is notified each time, such as one that feeds itself, starves nobody.
                break;
            }
            slot.start();
        }
        self.again(process);
        After::Again
    }

    /// A process has used its turn and goes to the back of the queue. What a wake-up meanwhile was for is
    /// seen when it starts.
    fn again(&self, process: usize) {
        match self.slots[process].own() {
            Some(own) => own.permit_again(),
            None => self.enqueue(process),
        }
    }

    /// Gives up one credit. True: nobody is busy any more.
    pub(crate) fn rest(&self) -> bool {
        self.busy.fetch_sub(1, Ordering::AcqRel) & CREDITS == 1
    }

    /// Takes one credit, for a process that comes back from outside.
    pub(crate) fn resume(&self) {
        let was_nobody = self.busy.fetch_add(WAKE_UP + 1, Ordering::SeqCst) & CREDITS == 0;
        sequence();
        if was_nobody && self.is_watch_asleep.load(Ordering::SeqCst) {
            drop(self.watch.lock());
            self.bell.notify_one();
        }
    }

    /// Wake-ups so far.
    pub(crate) fn epoch(&self) -> u64 {
        self.busy.load(Ordering::Acquire) / WAKE_UP
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire) & CREDITS != 0
    }

    /// Nobody is busy, and this is the count of wake-ups so far.
    pub(crate) fn quiet_epoch(&self) -> Option<u64> {
        let busy = self.busy.load(Ordering::Acquire);
        (busy & CREDITS == 0).then_some(busy / WAKE_UP)
    }

    /// Everybody stops running as soon as they notice.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        drop(self.queue.lock());
        self.work.notify_all();
        drop(self.watch.lock());
        self.bell.notify_one();
        for own in self.slots.iter().filter_map(Slot::own) {
            own.unpark();
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Runs pooled processes until the roster stops, or has workers enough without this one.
    pub(crate) fn work(&self, number: usize, mut run: impl FnMut(usize)) {
        let post = &self.posts[number];
        POST.with(|post| post.set((self.address(), number)));
        while let Some(first) = self.next_queued(post) {
            post.run(first, &mut run);
            let mut runs = 0;
            while let Some(process) = post.take_next() {
                if runs == SLOT_RUNS {
                    self.enqueue(process);
                    break;
                }
                runs += 1;
                post.run(process, &mut run);
            }
        }
        POST.with(|post| post.set(NOWHERE));
        post.is_taken.store(false, Ordering::Release);
    }

    fn next_queued(&self, post: &Post) -> Option<usize> {
        post.rest();
        let mut queue = self.queue.lock();
        if post.is_relieved.swap(false, Ordering::AcqRel) {
            queue.relieved -= 1;
        }
        if queue.workers > self.workers + queue.relieved {
            queue.workers -= 1;
            return None;
        }
        let mut has_looked = !self.has_threads || YIELDS == 0;
        loop {
            if self.is_stopped() {
                return None;
            }
            if let Some(process) = queue.runnable.pop_front() {
                return Some(process);
            }
            if !std::mem::replace(&mut has_looked, true) {
                // To wake it costs a thread beside the pool as much as a hundred packets. Where there
                // is none it would only take from the other workers what they have just fed.
                drop(queue);
                let has_come = || self.is_stopped() || self.queued() > 0;
                post.luck.look(YIELDS, has_come, yield_now);
                queue = self.queue.lock();
                continue;
            }
            queue.sleepers += 1;
            self.work.wait(&mut queue);
            queue.sleepers -= 1;
        }
    }

    // ---- the watch ----

    /// A worker has been held up by one run: what it was to run next goes to the queue. Gives a post
    /// for a spare worker, when somebody waits for a worker, nobody comes, and there is a post left.
    pub(crate) fn relieve(&self, held: &Post) -> Option<usize> {
        if let Some(process) = held.take_next() {
            self.enqueue(process);
        }
        let mut queue = self.queue.lock();
        if queue.runnable.is_empty() || queue.sleepers > 0 || self.is_stopped() {
            return None;
        }
        let free = |post: &Post| !post.is_taken.load(Ordering::Acquire);
        let number = self.posts.iter().position(free)?;
        if held.is_relieved.swap(true, Ordering::AcqRel) {
            return None;
        }
        self.posts[number].is_taken.store(true, Ordering::Release);
        queue.relieved += 1;
        queue.workers += 1;
        Some(number)
    }

    /// The spare worker for this post could not be had.
    pub(crate) fn unrelieve(&self, number: usize) {
        self.queue.lock().workers -= 1;
        self.posts[number].is_taken.store(false, Ordering::Release);
    }

    /// Processes that wait for a worker.
    pub(crate) fn queued(&self) -> usize {
        self.queue.lock().runnable.len()
    }

    /// The watch waits for this long. False: the roster has stopped.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let mut watch = self.watch.lock();
        if !self.is_stopped() {
            self.bell.wait_for(&mut watch, time);
        }
        !self.is_stopped()
    }

    /// The watch sleeps until somebody is busy. False: the roster has stopped.
    pub(crate) fn sleep_while_idle(&self) -> bool {
        let mut watch = self.watch.lock();
        self.is_watch_asleep.store(true, Ordering::SeqCst);
        sequence();
        while self.busy.load(Ordering::SeqCst) & CREDITS == 0 && !self.is_stopped() {
            self.bell.wait(&mut watch);
        }
        self.is_watch_asleep.store(false, Ordering::SeqCst);
        !self.is_stopped()
    }
}

/// Posts for the workers, taken, and for as many spares as there may be.
fn posts(workers: usize) -> Vec<Post> {
    let post = |number| Post {
        is_taken: AtomicBool::new(number < workers),
        ..Post::default()
    };
    (0..workers + MAX_SPARES).map(post).collect()
}
