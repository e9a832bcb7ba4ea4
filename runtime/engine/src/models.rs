//! Every order in which threads can meet at a roster and a link, tried one by one.
//!
//! These are the real roster and the real link; only the processes are made up. A model ends when
//! nobody is busy, as a network does, and whoever notices that looks whether anything was forgotten.
//! A wake-up that is lost shows as work that is left, or as threads that wait for ever.
//!
//! Run by `RUSTFLAGS="--cfg loom" cargo test --release -p paperflow-engine --lib models`.

mod crowd;
mod ends;
mod life;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicUsize;
use loom::thread;
use paperflow_core::Packet;
use paperflow_core::turn::{Haul, Inlet, Outlet, Pulled, Received, Room, Window};
use paperflow_graph::Full;

use crate::link::{Link, Writer};
use crate::process::After;
use crate::roster::{Roster, Who};

/// Switches of threads that nobody asked for, in one run: bugs show with few.
const SWITCHES: usize = 4;

fn model(body: impl Fn() + Send + Sync + 'static) {
    model_with(SWITCHES, body);
}

fn model_with(switches: usize, body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.check(body);
}

/// The roster, what is run, and what must be true when nobody is busy.
struct Stage<T> {
    roster: Arc<Roster>,
    actors: T,
}

trait Actors: Send + Sync + 'static {
    /// Runs a process once.
    fn turn(&self, process: usize);

    /// Nobody is busy.
    fn check(&self);
}

impl<T: Actors> Stage<T> {
    /// As `Net::run` does it.
    fn run(&self, process: usize) {
        let after = self.roster.run(process, || {
            self.actors.turn(process);
            After::Idle
        });
        if after != After::Again {
            self.rest();
        }
    }

    fn rest(&self) {
        if self.roster.rest() {
            self.actors.check();
            self.roster.stop();
        }
    }

    /// Workers in threads of their own, which all may sleep when `kick_off` comes.
    fn play(self, workers: usize, kick_off: impl FnOnce(&Self)) {
        let stage = Arc::new(self);
        stage.roster.resume();
        let workers: Vec<_> = (0..workers)
            .map(|number| {
                let stage = Arc::clone(&stage);
                thread::spawn(move || stage.roster.work(number, |process| stage.run(process)))
            })
            .collect();
        kick_off(&stage);
        stage.rest();
        for worker in workers {
            worker.join().expect("a worker ends");
        }
    }
}

/// Processes that take what was put before them, and wake a fixed other one with it.
struct Heaps {
    heaps: Vec<AtomicUsize>,
    next: Vec<Option<usize>>,
    roster: Arc<Roster>,
    done: AtomicUsize,
    wanted: usize,
}

impl Heaps {
    fn new(next: &[Option<usize>], workers: usize, wanted: usize) -> Stage<Self> {
        let roster = Arc::new(Roster::new(&vec![false; next.len()], workers));
        Stage {
            roster: Arc::clone(&roster),
            actors: Self {
                heaps: next.iter().map(|_| AtomicUsize::new(0)).collect(),
                next: next.to_vec(),
                roster,
                done: AtomicUsize::new(0),
                wanted,
            },
        }
    }

    fn put(&self, process: usize) {
        self.heaps[process].fetch_add(1, Ordering::Relaxed);
        self.roster.wake(process);
    }
}

impl Actors for Heaps {
    fn turn(&self, process: usize) {
        let taken = self.heaps[process].swap(0, Ordering::Relaxed);
        for _ in 0..taken {
            match self.next[process] {
                Some(next) => self.put(next),
                None => _ = self.done.fetch_add(1, Ordering::Relaxed),
            }
        }
    }

    fn check(&self) {
        assert_eq!(
            self.done.load(Ordering::Relaxed),
            self.wanted,
            "a wake-up is lost"
        );
    }
}

#[test]
fn a_wake_up_is_never_lost_on_its_way_to_a_process() {
    model(|| {
        Heaps::new(&[None], 2, 2).play(2, |stage| {
            stage.actors.put(0);
            stage.actors.put(0);
        });
    });
}

#[test]
fn zero_busy_means_that_all_is_done_and_every_worker_wakes_to_end() {
    model(|| {
        Heaps::new(&[Some(1), None], 2, 2).play(2, |stage| {
            stage.actors.put(0);
            stage.actors.put(0);
        });
    });
}

/// A writer and a reader of one link.
struct Pair {
    link: Arc<Link>,
    writer: Writer,
    to_send: AtomicUsize,
    received: AtomicUsize,
    wanted: usize,
}

impl Pair {
    fn new(capacity: usize, packets: usize, workers: usize) -> Stage<Self> {
        let roster = Arc::new(Roster::new(&[false, false], workers));
        let link = Link::new(
            capacity,
            Full::Wait,
            Who::Process(1),
            vec![Who::Process(0)],
            None,
            Arc::clone(&roster),
        );
        let writer = Writer {
            link: Arc::clone(&link),
            index: 0,
        };
        Stage {
            roster,
            actors: Self {
                link,
                writer,
                to_send: AtomicUsize::new(packets),
                received: AtomicUsize::new(0),
                wanted: packets,
            },
        }
    }

    fn send(&self) {
        let mut left = self.to_send.load(Ordering::Relaxed);
        let mut window = Window::default();
        while left > 0 {
            let own = self.writer.own_room(window.len());
            let room = match own {
                0 => match self.writer.reserve(1, window.len()) {
                    Room::For(room) => room,
                    _ => break,
                },
                own => own.min(1),
            };
            assert_eq!(room, 1);
            window.push(Packet::int(1));
            left -= 1;
        }
        self.to_send.store(left, Ordering::Relaxed);
        if !window.is_empty() {
            self.writer.publish(&mut window, 0);
        }
        if left == 0 {
            self.writer.close();
        }
    }

    fn receive(&self) {
        let mut window = VecDeque::new();
        let mut received = Received::default();
        loop {
            let released = std::mem::take(&mut received);
            let pulled = match self.link.pull_to_rest(&mut window, 8, released) {
                Haul::One(_) => {
                    self.received.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Haul::Window(pulled) => pulled,
            };
            if matches!(pulled, Pulled::Empty | Pulled::End) {
                return;
            }
            assert!(
                window.len() <= self.link.capacity(),
                "the capacity is exact"
            );
            for packet in window.drain(..) {
                self.received.fetch_add(1, Ordering::Relaxed);
                received.add(Received::of(&packet));
            }
            if pulled == Pulled::All {
                // It rests without a further look.
                return self.link.release(received);
            }
        }
    }
}

impl Actors for Pair {
    fn turn(&self, process: usize) {
        match process {
            0 => self.send(),
            _ => self.receive(),
        }
    }

    fn check(&self) {
        let counts = self.link.counts();
        assert_eq!(
            self.received.load(Ordering::Relaxed),
            self.wanted,
            "a packet is forgotten"
        );
        assert_eq!(counts.sent, counts.received);
        assert!(counts.high_water <= self.link.capacity());
    }
}

#[test]
fn a_full_link_wakes_its_writer_and_an_empty_one_its_reader() {
    model(|| Pair::new(1, 3, 2).play(2, |stage| stage.roster.wake(0)));
}

#[test]
fn two_writers_share_a_capacity_that_is_exact() {
    model(|| {
        let roster = Arc::new(Roster::new(&[false, false, true], 0));
        let writers = vec![Who::Process(0), Who::Process(1)];
        let link = Link::new(1, Full::Wait, Who::Process(2), writers, None, roster);
        let send = |index| {
            let link = Arc::clone(&link);
            move || {
                let writer = Writer { link, index };
                let room = writer.reserve(8, 0);
                if room != Room::Full {
                    assert_eq!(room, Room::For(1));
                    let mut window = Window::from(Packet::null());
                    writer.publish(&mut window, 0);
                }
                room != Room::Full
            }
        };
        let other = thread::spawn(send(1));
        let mine = send(0)();
        let theirs = other.join().expect("a writer ends");
        assert_eq!(usize::from(mine) + usize::from(theirs), 1);
        assert_eq!(link.counts().high_water, 1);
    });
}

#[test]
fn a_thread_that_parks_is_woken() {
    model(|| {
        let roster = Arc::new(Roster::new(&[true], 0));
        let heap = Arc::new(AtomicUsize::new(0));
        let (theirs, taken) = (Arc::clone(&roster), Arc::clone(&heap));
        let own = thread::spawn(move || {
            let mut seen = 0;
            let turn = || {
                theirs.run(0, || {
                    seen += taken.swap(0, Ordering::Relaxed);
                    After::Idle
                });
                seen == 2
            };
            theirs.work_for(0, turn, || {});
            seen
        });
        for _ in 0..2 {
            heap.fetch_add(1, Ordering::Relaxed);
            roster.wake(0);
        }
        assert_eq!(own.join().expect("the thread ends"), 2);
    });
}

#[test]
fn the_watch_sleeps_while_nobody_is_busy_and_wakes_when_somebody_is() {
    model(|| {
        let roster = Arc::new(Roster::new(&[false], 0));
        let watch = Arc::clone(&roster);
        let watching = thread::spawn(move || watch.sleep_while_idle());
        roster.resume();
        assert!(watching.join().expect("the watch wakes"));
    });
}
