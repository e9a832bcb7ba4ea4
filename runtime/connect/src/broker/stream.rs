//! A stream of a broker, as one process uses it: who reads it here, and who waits for room.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::task::Waker;

use paperflow_core::connector::{Declaration, StoreFault};
use parking_lot::Mutex;

use super::consumer::{Reading, Side};
use crate::stream::group::Rules;
use crate::stream::ring::Key;

/// A stream of a broker, as this process uses it.
pub(crate) struct Stream<B: Side> {
    pub(crate) name: String,
    pub(crate) local: Mutex<Local<B>>,
}

/// What this process knows of a stream.
pub(crate) struct Local<B: Side> {
    pub(crate) declaration: Declaration,
    pub(crate) key: Key,
    readers: BTreeMap<u64, Seat<B>>,
    writers: Vec<Waker>,
    given: u64,
}

/// A reader of this process.
pub(crate) struct Seat<B: Side> {
    pub(crate) reader: Weak<Reading<B>>,
    waker: Waker,
    is_waiting: bool,
}

impl<B: Side> Stream<B> {
    pub(crate) fn new(declaration: Declaration) -> Self {
        Self {
            name: declaration.name.clone(),
            local: Mutex::new(Local {
                key: Key::of(declaration.key.as_deref()),
                declaration,
                readers: BTreeMap::new(),
                writers: Vec::new(),
                given: 0,
            }),
        }
    }

    pub(crate) fn declare(&self, declaration: Declaration) {
        let mut local = self.local.lock();
        local.key = Key::of(declaration.key.as_deref());
        local.declaration = declaration;
    }

    /// A number for a new reader.
    pub(crate) fn number(&self) -> u64 {
        let mut local = self.local.lock();
        local.given += 1;
        local.given
    }

    /// A reader has left.
    pub(crate) fn unseat(&self, number: u64) {
        let mut local = self.local.lock();
        local.readers.remove(&number);
        local.call_readers();
        local.call_writers();
    }

    pub(crate) fn seat(&self, number: u64, reader: Weak<Reading<B>>, waker: Waker) {
        let seat = Seat {
            reader,
            waker,
            is_waiting: false,
        };
        self.local.lock().readers.insert(number, seat);
    }

    pub(crate) fn rules(&self) -> Rules {
        let local = self.local.lock();
        let declaration = &local.declaration;
        Rules {
            on_error: declaration.on_error.clone(),
            retries: declaration.retries,
            delay: declaration.delay,
        }
    }

    /// The readers of this process.
    pub(crate) fn readers(&self) -> Vec<Arc<Reading<B>>> {
        let local = self.local.lock();
        let readers = local.readers.values();
        readers.filter_map(|seat| seat.reader.upgrade()).collect()
    }

    /// Says of all readers of this process what the server does not know yet.
    pub(crate) fn report(&self, broker: &B) -> Result<(), StoreFault> {
        let readers = self.readers();
        readers.iter().try_for_each(|reader| reader.report(broker))
    }

    pub(crate) fn call_all(&self) {
        let mut local = self.local.lock();
        local.call_readers();
        local.call_writers();
    }
}

impl<B: Side> Local<B> {
    pub(crate) fn set_waiting(&mut self, reader: u64, is_waiting: bool) {
        if let Some(seat) = self.readers.get_mut(&reader) {
            seat.is_waiting = is_waiting;
        }
    }

    /// Tells those who wait that there may be something.
    pub(crate) fn call_readers(&mut self) {
        for seat in self.readers.values_mut() {
            if std::mem::take(&mut seat.is_waiting) {
                seat.waker.wake_by_ref();
            }
        }
    }

    /// Somebody waits for room.
    pub(crate) fn await_room(&mut self, waker: &Waker) {
        if !self.writers.iter().any(|other| other.will_wake(waker)) {
            self.writers.push(waker.clone());
        }
    }

    /// Tells those who wait for room that there may be some.
    pub(crate) fn call_writers(&mut self) {
        self.writers.drain(..).for_each(Waker::wake);
    }
}
