//! A stream of a broker, as one process uses it: who reads it here, and who waits for room.

use std::sync::{Arc, Weak};
use std::task::Waker;

use paperflow_core::connector::{Declaration, StoreFault};
use parking_lot::Mutex;

use super::consumer::{Reading, Side};
use super::waiting::{Readers, Writers};
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
    pub(crate) readers: Readers<Weak<Reading<B>>>,
    pub(crate) writers: Writers,
    given: u64,
}

impl<B: Side> Stream<B> {
    pub(crate) fn new(declaration: Declaration) -> Self {
        Self {
            name: declaration.name.clone(),
            local: Mutex::new(Local {
                key: Key::of(declaration.key.as_deref()),
                declaration,
                readers: Readers::default(),
                writers: Writers::default(),
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
        local.readers.remove(number);
        local.readers.call();
        local.writers.call();
    }

    pub(crate) fn seat(&self, number: u64, reader: Weak<Reading<B>>, waker: Waker) {
        self.local.lock().readers.add(number, waker, reader);
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules::of(&self.local.lock().declaration)
    }

    /// The readers of this process.
    pub(crate) fn readers(&self) -> Vec<Arc<Reading<B>>> {
        let local = self.local.lock();
        local.readers.seats().filter_map(Weak::upgrade).collect()
    }

    /// Says of all readers of this process what the server does not know yet.
    pub(crate) fn report(&self, broker: &B) -> Result<(), StoreFault> {
        let readers = self.readers();
        readers.iter().try_for_each(|reader| reader.report(broker))
    }

    pub(crate) fn call_all(&self) {
        let mut local = self.local.lock();
        local.readers.call();
        local.writers.call();
    }
}
