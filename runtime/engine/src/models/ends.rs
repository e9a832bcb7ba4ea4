//! Models of links whose ends are threads of the embedding program: full, empty, and left.

use std::collections::VecDeque;
use std::sync::Arc;

use loom::thread;
use paperflow_core::Packet;
use paperflow_core::turn::{Inlet, Outlet, Pulled, Received, Room, Window};
use paperflow_graph::Full;

use super::model;
use crate::link::{Link, Writer};
use crate::roster::{External, Roster, Who};

/// A writing end, and where its thread waits.
struct Feeder(Writer, Arc<External>);

impl Feeder {
    /// As `Input::send` does it. False: the reader has left.
    fn send(&self, value: i64) -> bool {
        loop {
            let calls = self.1.calls();
            match self.0.reserve(1, 0) {
                Room::Closed => return false,
                Room::Full => self.1.wait(calls),
                Room::For(_) => {
                    self.0.publish(&mut Window::from(Packet::int(value)), 0);
                    return true;
                }
            }
        }
    }
}

/// As `Output::recv` does it.
fn receive(link: &Link, external: &External) -> Option<Packet> {
    loop {
        let calls = external.calls();
        let mut window = VecDeque::new();
        match link.pull(&mut window, 1, Received::default()) {
            Pulled::Empty => external.wait(calls),
            Pulled::End => return None,
            Pulled::Some | Pulled::All => {
                window
                    .iter()
                    .for_each(|packet| link.release(Received::of(packet)));
                return window.pop_front();
            }
        }
    }
}

fn external() -> (Arc<External>, Who) {
    let external = Arc::new(External::default());
    (Arc::clone(&external), Who::External(external))
}

/// A link for one packet.
fn link(writers: usize) -> (Arc<Link>, Arc<External>, Vec<Feeder>) {
    let roster = Arc::new(Roster::new(&[], 0));
    let (reader, who) = external();
    let (bells, whose): (Vec<_>, Vec<_>) = (0..writers).map(|_| external()).unzip();
    let link = Link::new(1, Full::Wait, who, whose, None, roster);
    let feeders = bells.into_iter().enumerate().map(|(index, bell)| {
        let link = Arc::clone(&link);
        Feeder(Writer { link, index }, bell)
    });
    let feeders = feeders.collect();
    (link, reader, feeders)
}

/// Fails when `reserve` does not count what it grants, when `let_go` wakes nobody, when `settle` does
/// not, or when the last `close_writer` does not.
#[test]
fn two_writers_wait_for_room_and_for_nothing_else() {
    model(|| {
        let (link, reader, feeders) = link(2);
        let writers = feeders.into_iter().enumerate().map(|(at, feeder)| {
            thread::spawn(move || {
                assert!(feeder.send(i64::from(at == 1)), "the reader stays");
                feeder.0.close();
            })
        });
        let writers: Vec<_> = writers.collect();
        let mut came = [false; 2];
        while let Some(packet) = receive(&link, &reader) {
            let at = usize::from(packet == Packet::int(1));
            assert!(!std::mem::replace(&mut came[at], true), "each comes once");
        }
        for writer in writers {
            writer.join().expect("a writer ends");
        }
        assert_eq!(came, [true; 2]);
        let counts = link.counts();
        assert_eq!((counts.sent, counts.received, counts.high_water), (2, 2, 1));
    });
}

/// Fails when `close` wakes no writer, or does not count what it loses.
#[test]
fn a_writer_that_waits_hears_that_the_reader_has_left() {
    model(|| {
        let (link, reader, feeders) = link(1);
        let writers = feeders.into_iter().map(|feeder| {
            thread::spawn(move || {
                while feeder.send(1) {}
                feeder.0.close();
            })
        });
        let writers: Vec<_> = writers.collect();
        assert_eq!(receive(&link, &reader), Some(Packet::int(1)));
        link.close_reader(Received::default(), false);
        for writer in writers {
            writer.join().expect("the writer ends");
        }
        let counts = link.counts();
        assert_eq!((counts.received, counts.high_water), (1, 1));
        assert_eq!(counts.sent, counts.received + counts.lost_on_close);
    });
}
