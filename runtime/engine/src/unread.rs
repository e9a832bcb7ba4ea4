//! What the embedding program has yet to read, or is at work on: what follows from a delivery is settled
//! by it there, so a run that reads from stores is not over before.
//!
//! A program may as well wait for the end first, and read then: so whoever waits for the run waits for
//! its reader for a while only, and from then on for what is read no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, bounded, never};

use crate::network::Net;
use crate::roster::{External, Who};

/// How long who waits for the run waits for a program that reads nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of the embedding program's reading.
pub(crate) struct Reading {
    /// The next time it has read all there is, everybody is to be judged.
    is_awaited: AtomicBool,
    /// One more than the count of packets at which it was given up.
    given_up: AtomicU64,
    /// That it is behind, or has caught up, for whoever waits for the run.
    news: (Sender<()>, Receiver<()>),
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            is_awaited: AtomicBool::new(false),
            given_up: AtomicU64::new(0),
            news: bounded(1),
        }
    }
}

impl Reading {
    pub(crate) const fn news(&self) -> &Receiver<()> {
        &self.news.1
    }

    fn tell(&self) {
        // Who has not heard the last news looks as well.
        let _told = self.news.0.try_send(());
    }
}

/// The time that whoever waits for the run gives the embedding program to read.
pub(crate) struct Grace {
    /// When it is over.
    pub(crate) alarm: Receiver<Instant>,
    /// Packets that the program had received when it began.
    taken: Option<u64>,
}

impl Default for Grace {
    fn default() -> Self {
        Self {
            alarm: never(),
            taken: None,
        }
    }
}

impl Grace {
    /// It begins if the program is behind, and is over if it is not.
    pub(crate) fn look(&mut self, net: &Net) {
        if !net.is_behind() {
            *self = Self::default();
        } else if self.taken.is_none() {
            self.alarm = after(PATIENCE);
            self.taken = Some(net.taken_outside());
        }
    }

    /// It is over: who has read something meanwhile has more of it.
    pub(crate) fn end(&mut self, net: &Net) {
        let before = std::mem::take(self).taken;
        if before == Some(net.taken_outside()) && net.is_behind() {
            net.give_up_on_reader();
        } else {
            self.look(net);
        }
    }
}

impl Net {
    /// Whether it is for the embedding program to go on: it has something to read that keeps somebody
    /// from sending, or that was delivered by a store.
    pub(crate) fn is_left_unread(&self) -> bool {
        let is_waited_for = self.waits_for_reader();
        if is_waited_for {
            self.reading.tell();
        }
        is_waited_for || self.is_blocked_outside()
    }

    /// Whether the embedding program is behind with what it reads, and may catch up yet. Whoever catches
    /// up then lets everybody be judged again.
    pub(crate) fn waits_for_reader(&self) -> bool {
        if !self.is_behind() {
            return false;
        }
        self.reading.is_awaited.store(true, Ordering::SeqCst);
        // Who has caught up in between has not seen that.
        self.is_behind()
    }

    /// Whether something that a store may have delivered lies unread, or is in the hands of whoever reads.
    fn is_behind(&self) -> bool {
        !self.receivers.is_empty()
            && self.reading.given_up.load(Ordering::Acquire) != self.taken_outside() + 1
            && self.outputs().any(|(link, external)| {
                let look = self.links[link].observe();
                external.is_at_work() || look.fill > 0 && !look.is_deserted
            })
    }

    /// Packets that the embedding program has received.
    fn taken_outside(&self) -> u64 {
        self.outputs().map(|(_, external)| external.taken()).sum()
    }

    /// It is not waited for the embedding program any more, unless it reads again.
    fn give_up_on_reader(&self) {
        self.reading
            .given_up
            .store(self.taken_outside() + 1, Ordering::Release);
        self.busily(|| ());
    }

    /// The embedding program has caught up with what it reads.
    pub(crate) fn caught_up(&self) {
        if self.reading.is_awaited.swap(false, Ordering::SeqCst) {
            self.busily(|| ());
            self.reading.tell();
        }
    }

    fn outputs(&self) -> impl Iterator<Item = (usize, &Arc<External>)> {
        let links = self.links.iter().enumerate();
        links.filter_map(|(at, link)| match &link.reader {
            Who::Process(_) => None,
            Who::External(external) => Some((at, external)),
        })
    }

    /// Whether a process waits for room that only the embedding program can make.
    fn is_blocked_outside(&self) -> bool {
        let is_blocked = |link: usize, who: &Who| match who {
            Who::Process(writer) => {
                let process = &self.processes[*writer];
                let waits = process.status().waits;
                let mut sockets = waits.send.iter().filter_map(|at| process.outputs().get(at));
                sockets.any(|socket| socket.link() == Some(link))
            }
            Who::External(_) => false,
        };
        let mut links = self.links.iter().enumerate();
        self.blocked.load(Ordering::Acquire) > 0
            && links.any(|(at, link)| {
                matches!(link.reader, Who::External(_))
                    && link.writers.iter().any(|who| is_blocked(at, who))
            })
    }
}
