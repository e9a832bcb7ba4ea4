//! Who waits at a connector of a broker in this process: for something to read, or for room.

use std::collections::BTreeMap;
use std::task::Waker;

/// The readers of a connector in this process, by number, each with what its broker knows of it.
pub(crate) struct Readers<S>(BTreeMap<u64, Reader<S>>);

struct Reader<S> {
    waker: Waker,
    /// It has been told that there is nothing.
    is_waiting: bool,
    seat: S,
}

impl<S> Reader<S> {
    fn call(&mut self) {
        if std::mem::take(&mut self.is_waiting) {
            self.waker.wake_by_ref();
        }
    }
}

impl<S> Default for Readers<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S> Readers<S> {
    /// Adds one, of a number that no other has.
    pub(crate) fn add(&mut self, number: u64, waker: Waker, seat: S) {
        let reader = Reader {
            waker,
            is_waiting: false,
            seat,
        };
        self.0.insert(number, reader);
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<S> {
        self.0.remove(&number).map(|reader| reader.seat)
    }

    /// What is known of each.
    pub(crate) fn seats(&self) -> impl Iterator<Item = &S> {
        self.0.values().map(|reader| &reader.seat)
    }

    /// A reader waits for something new, or no longer.
    pub(crate) fn set_waiting(&mut self, number: u64, is_waiting: bool) {
        if let Some(reader) = self.0.get_mut(&number) {
            reader.is_waiting = is_waiting;
        }
    }

    /// Tells those who wait that there may be something.
    pub(crate) fn call(&mut self) {
        self.0.values_mut().for_each(Reader::call);
    }

    pub(crate) fn seat_mut(&mut self, number: u64) -> Option<&mut S> {
        self.0.get_mut(&number).map(|reader| &mut reader.seat)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn seat(&self, number: u64) -> Option<&S> {
        self.0.get(&number).map(|reader| &reader.seat)
    }

    /// Whether one waits.
    pub(crate) fn is_waited(&self) -> bool {
        self.0.values().any(|reader| reader.is_waiting)
    }

    /// Tells one, if it waits, that there may be something.
    pub(crate) fn call_one(&mut self, number: u64) {
        if let Some(reader) = self.0.get_mut(&number) {
            reader.call();
        }
    }
}

/// Those who wait for room.
#[derive(Default)]
pub(crate) struct Writers(Vec<Waker>);

impl Writers {
    /// Somebody waits.
    pub(crate) fn add(&mut self, waker: &Waker) {
        if !self.0.iter().any(|other| other.will_wake(waker)) {
            self.0.push(waker.clone());
        }
    }

    /// Somebody waits no longer.
    pub(crate) fn remove(&mut self, waker: &Waker) {
        self.0.retain(|other| !other.will_wake(waker));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells all that there may be some.
    pub(crate) fn call(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}
