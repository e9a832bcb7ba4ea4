//! Models of writers that wait for one link whose reader has a thread of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicUsize;
use loom::thread;
use paperflow_core::Packet;
use paperflow_core::turn::{Inlet, Outlet, Pulled, Received, Room, Window};
use paperflow_graph::Full;

use super::{Actors, Stage, model_with};
use crate::link::{Link, Writer};
use crate::roster::{Roster, Who};

const READER: usize = 2;

/// So many switches that nobody asked for show what one of these models can show in seconds.
const FEWER: usize = 3;

/// Two writers of a link for one packet, and its reader.
struct Crowded {
    link: Arc<Link>,
    roster: Arc<Roster>,
    to_send: [AtomicUsize; 2],
    /// It goes away once it has waited.
    fickle: Option<usize>,
    sent: AtomicUsize,
    received: AtomicUsize,
}

impl Crowded {
    fn new(to_send: [usize; 2], fickle: Option<usize>) -> Stage<Self> {
        let roster = Arc::new(Roster::new(&[false, false, true], 1));
        let link = Link::new(
            1,
            Full::Wait,
            Who::Process(READER),
            vec![Who::Process(0), Who::Process(1)],
            None,
            Arc::clone(&roster),
        );
        let actors = Self {
            link,
            roster: Arc::clone(&roster),
            to_send: to_send.map(AtomicUsize::new),
            fickle,
            sent: AtomicUsize::new(0),
            received: AtomicUsize::new(0),
        };
        Stage { roster, actors }
    }

    /// The first writer has filled the link and waits. One thread for the writers and one for the reader.
    fn play(stage: Stage<Self>) {
        let stage = Arc::new(stage);
        stage.roster.resume();
        stage.actors.send(0);
        let writers = Arc::clone(&stage);
        let writers = thread::spawn(move || {
            writers.roster.work(0, |process| writers.run(process));
        });
        let reader = Arc::clone(&stage);
        let reader = thread::spawn(move || {
            let run = || {
                reader.run(READER);
                false
            };
            reader.roster.work_for(READER, run, || reader.pay());
        });
        stage.roster.wake(1);
        stage.rest();
        writers.join().expect("the writers end");
        reader.join().expect("the reader ends");
    }

    fn send(&self, index: usize) {
        let writer = Writer {
            link: Arc::clone(&self.link),
            index,
        };
        while self.to_send[index].load(Ordering::Relaxed) > 0 {
            match writer.reserve(1, 0) {
                Room::For(_) => {
                    writer.publish(&mut Window::from(Packet::null()), 0);
                    self.sent.fetch_add(1, Ordering::Relaxed);
                }
                _ if self.fickle == Some(index) => {}
                _ => return,
            }
            self.to_send[index].fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn receive(&self) {
        let mut window = VecDeque::new();
        let mut received = Received::default();
        while self
            .link
            .pull(&mut window, 8, std::mem::take(&mut received))
            == Pulled::Some
        {
            received.packets = window.drain(..).count();
            assert_eq!(received.packets, 1, "the capacity is exact");
            self.received.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Stage<Crowded> {
    /// As `Net::pay` does it.
    fn pay(&self) {
        if self.actors.link.owes() {
            self.roster.resume();
            self.actors.link.pay();
            self.rest();
        }
    }
}

impl Actors for Crowded {
    fn turn(&self, process: usize) {
        match process {
            READER => self.receive(),
            writer => self.send(writer),
        }
        // As `Net::run` does it.
        if self.roster.is_called(process) {
            self.link.pass_on(process);
        }
    }

    fn check(&self) {
        let left = self
            .to_send
            .each_ref()
            .map(|left| left.load(Ordering::Relaxed));
        assert_eq!(left, [0, 0], "a writer waits although there is room");
        assert_eq!(
            self.received.load(Ordering::Relaxed),
            self.sent.load(Ordering::Relaxed)
        );
    }
}

/// Fails when nobody lets go of who has been called.
#[test]
fn of_two_writers_that_wait_nobody_is_forgotten() {
    model_with(FEWER, || Crowded::play(Crowded::new([2, 1], None)));
}

/// The second writer is called last and does not come: it has given up.
///
/// Fails when `pass_on` calls nobody.
#[test]
fn who_is_called_and_does_not_come_keeps_nobody_waiting() {
    model_with(FEWER, || Crowded::play(Crowded::new([2, 1], Some(1))));
}
