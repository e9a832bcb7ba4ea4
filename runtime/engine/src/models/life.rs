//! Models of a process that goes to the back of the queue, of threads that are stopped or relieved, and
//! of what is seen by those who judge.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicUsize;
use loom::thread;
use paperflow_core::turn::Waits;

use super::model;
use crate::process::{After, Life, LifeCell, Status};
use crate::roster::Roster;
use crate::sync::{Brief, Mutex};

/// Fails when `start` only stores.
#[test]
fn who_goes_to_the_back_of_the_queue_sees_what_it_was_woken_for() {
    model(|| {
        let roster = Arc::new(Roster::new(&[false], 1));
        let heap = Arc::new(AtomicUsize::new(0));
        let (waker, put) = (Arc::clone(&roster), Arc::clone(&heap));
        let waker = thread::spawn(move || {
            for _ in 0..2 {
                put.fetch_add(1, Ordering::Relaxed);
                waker.wake(0);
            }
        });
        let mut turns = 0;
        roster.work(0, |process| {
            roster.run(process, || {
                turns += 1;
                if heap.load(Ordering::Relaxed) == 2 {
                    roster.stop();
                    After::Ended
                } else if turns == 1 {
                    After::Again
                } else {
                    After::Idle
                }
            });
        });
        waker.join().expect("the waker ends");
    });
}

/// Fails when `stop` or `work_for` has no fence.
#[test]
fn a_thread_of_its_own_is_stopped_also_while_it_begins() {
    model(|| {
        let roster = Arc::new(Roster::new(&[true], 0));
        let own = Arc::clone(&roster);
        let own = thread::spawn(move || own.work_for(0, || true, || {}));
        roster.stop();
        own.join().expect("the thread ends");
    });
}

/// A process wakes another, which its worker is to run next; the watch takes it from the worker, and
/// hires a spare, while the worker may come back.
///
/// Fails when `take_next` looks and then stores, or when `relieve` drops what it has taken.
#[test]
fn what_a_held_worker_was_to_run_next_runs_once() {
    model(|| {
        let (roster, runs) = (Arc::new(Roster::new(&[false; 3], 1)), [0; 3]);
        let runs = Arc::new(runs.map(AtomicUsize::new));
        let work = |number| {
            let (roster, runs) = (Arc::clone(&roster), Arc::clone(&runs));
            move || {
                roster.work(number, |process| {
                    roster.run(process, || {
                        runs[process].fetch_add(1, Ordering::Relaxed);
                        (1..3)
                            .filter(|_| process == 0)
                            .for_each(|next| roster.wake(next));
                        After::Idle
                    });
                    if roster.rest() {
                        roster.stop();
                    }
                });
            }
        };
        roster.wake(0);
        let (watch, spare) = (Arc::clone(&roster), work(1));
        let watch = thread::spawn(move || {
            if let Some(number) = watch.relieve(&watch.posts()[0]) {
                assert_eq!(number, 1, "the first post that is free");
                spare();
            }
        });
        work(0)();
        watch.join().expect("the watch ends");
        let runs = runs.each_ref().map(|runs| runs.load(Ordering::Relaxed));
        assert_eq!(runs, [1; 3]);
    });
}

/// What was looked at between two looks at the count is of one piece when both say quiet, and the same.
///
/// Fails when `resume` does not count wake-ups.
#[test]
fn what_is_seen_while_nobody_is_busy_is_of_one_piece() {
    model(|| {
        let roster = Arc::new(Roster::new(&[], 0));
        let state = Arc::new([0, 0].map(Mutex::new));
        let (other, written) = (Arc::clone(&roster), Arc::clone(&state));
        let other = thread::spawn(move || {
            other.resume();
            written.iter().for_each(|part| *part.lock() += 1);
            other.rest();
        });
        if let Some(epoch) = roster.quiet_epoch() {
            let [first, second] = [0, 1].map(|at: usize| *state[at].lock());
            if roster.quiet_epoch() == Some(epoch) {
                assert_eq!(first, second);
            }
        }
        other.join().expect("the other ends");
    });
}

/// Fails when `look` keeps what it read before it had the lock.
#[test]
fn where_a_process_is_and_what_it_waits_for_fit() {
    model(|| {
        let process = Arc::new((LifeCell::default(), Brief::new(Waits::default())));
        let runner = Arc::clone(&process);
        let runner = thread::spawn(move || {
            let mut body = runner.1.lock();
            runner.0.set(Life::Active);
            body.receive.note(0);
            runner.0.set(Life::Suspended);
        });
        let Status { life, waits } = process.0.look(&process.1, Waits::clone);
        assert_eq!(life == Life::Suspended, !waits.receive.is_empty());
        runner.join().expect("the turn ends");
    });
}
