//! Who of the writers that wait for room in one link is called.
//!
//! Where the reader has a thread of its own, room is for one: were all of them called, all but one
//! would come in vain, and each would cost a thread that wakes. So one is called at a time, and what
//! room there is stays for it until it waits again or its turn is over. Of those that wait the one that
//! came last is called, which has hardly gone; now and then the one that has waited longest.
//!
//! While somebody waits and there is room, somebody else has been called and its turn is not over, or
//! has room reserved; so when nobody is busy, nobody waits in vain. Beyond that, a reader that is about
//! to sleep calls everybody: who has been called may be slow.

use crate::link::{Link, State};
use crate::roster::Who;

/// So often in a row the one that came last is called.
const IN_A_ROW: u32 = 64;

/// Writers by number: mostly one, so that needs no list.
#[derive(Default)]
pub(crate) struct Numbers {
    pub(crate) first: Option<usize>,
    pub(crate) more: Vec<usize>,
}

impl Numbers {
    /// A writer that asks again and again is woken once.
    pub(crate) fn add(&mut self, writer: usize) {
        match self.first {
            None => self.first = Some(writer),
            Some(first) if first == writer => {}
            Some(_) if self.more.contains(&writer) => {}
            Some(_) => self.more.push(writer),
        }
    }

    pub(crate) fn take(&mut self) -> Self {
        if self.is_empty() {
            // Not written, since others look at it.
            return Self::default();
        }
        Self {
            first: self.first.take(),
            more: std::mem::take(&mut self.more),
        }
    }

    const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn take_newest(&mut self) -> Option<usize> {
        self.more.pop().or_else(|| self.first.take())
    }

    fn take_oldest(&mut self) -> Option<usize> {
        let next = (!self.more.is_empty()).then(|| self.more.remove(0));
        std::mem::replace(&mut self.first, next)
    }

    fn remove(&mut self, writer: usize) {
        if self.first == Some(writer) {
            self.take_oldest();
        } else {
            self.more.retain(|other| *other != writer);
        }
    }
}

impl From<Option<usize>> for Numbers {
    fn from(first: Option<usize>) -> Self {
        Self {
            first,
            more: Vec::new(),
        }
    }
}

/// The writers that wait for room in a link.
#[derive(Default)]
pub(crate) struct Crowd {
    waiting: Numbers,
    /// It has been called, has not waited since, and its turn is not over.
    called: Option<usize>,
    in_a_row: u32,
}

impl Crowd {
    /// A writer has got room.
    pub(crate) fn come(&mut self, writer: usize) {
        if !self.waiting.is_empty() {
            self.waiting.remove(writer);
        }
    }

    /// Who is called next, if anybody waits.
    fn next(&mut self) -> Option<usize> {
        self.in_a_row = if self.in_a_row == IN_A_ROW {
            0
        } else {
            self.in_a_row + 1
        };
        if self.in_a_row == 0 {
            self.waiting.take_oldest()
        } else {
            self.waiting.take_newest()
        }
    }
}

impl Link {
    /// Whether one writer is called at a time.
    pub(crate) fn is_crowd(reader_has_thread: bool, writers: &[Who]) -> bool {
        let are_processes = writers.iter().all(|who| matches!(who, Who::Process(_)));
        reader_has_thread && writers.len() > 1 && are_processes
    }

    /// A writer has found no room.
    pub(crate) fn wait(&self, state: &mut State, writer: usize) {
        self.let_go_of(state, writer);
        state.crowd.waiting.add(writer);
    }

    /// There is more room: who is to be woken.
    #[inline]
    pub(crate) fn call(&self, state: &mut State) -> Numbers {
        if state.crowd.waiting.is_empty() {
            Numbers::default()
        } else if self.is_crowded {
            Numbers::from(self.call_one(state))
        } else {
            state.crowd.waiting.take()
        }
    }

    fn call_one(&self, state: &mut State) -> Option<usize> {
        if state.crowd.called.is_some() {
            return None;
        }
        let next = state.crowd.next();
        state.crowd.called = next;
        self.count_call(next, true);
        next
    }

    /// Everybody is to be woken.
    pub(crate) fn call_all(&self, state: &mut State) -> Numbers {
        if let Some(called) = state.crowd.called {
            self.let_go_of(state, called);
        }
        state.crowd.waiting.take()
    }

    /// A writer is not the one that has been called any longer; whether it was.
    fn let_go_of(&self, state: &mut State, writer: usize) -> bool {
        let called = state.crowd.called.take_if(|called| *called == writer);
        self.count_call(called, false);
        called.is_some()
    }

    fn count_call(&self, writer: Option<usize>, is_called: bool) {
        if let Some(Who::Process(process)) = writer.map(|writer| &self.writers[writer]) {
            self.roster.count_call(*process, is_called);
        }
    }

    /// A writer's turn is over, or it has left: what it was called for is the next one's.
    pub(crate) fn pass_on(&self, writer: usize) {
        if !self.is_crowded {
            return;
        }
        let mut state = self.middle.state.lock();
        let has_room = self.let_go_of(&mut state, writer) && state.used() < self.capacity;
        let called = if has_room {
            self.call(&mut state)
        } else {
            Numbers::default()
        };
        drop(state);
        self.wake_all(&called);
    }

    /// Whether a reader that is about to sleep has somebody to call.
    pub(crate) fn owes(&self) -> bool {
        if !self.is_crowded {
            return false;
        }
        let state = self.middle.state.lock();
        !state.crowd.waiting.is_empty() && state.used() < self.capacity
    }

    /// Calls everybody.
    pub(crate) fn pay(&self) {
        let called = self.call_all(&mut self.middle.state.lock());
        self.wake_all(&called);
    }
}
