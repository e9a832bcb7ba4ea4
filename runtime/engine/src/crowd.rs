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

use crate::link::{Link, State, number};
use crate::roster::Who;

/// So often in a row the one that came last is called.
const IN_A_ROW: u32 = 64;

/// Writers that are to be woken, by number: mostly one, so that needs no list.
#[derive(Default)]
pub(crate) enum Called {
    #[default]
    Nobody,
    One(u32),
    More(u32, Vec<u32>),
}

impl Called {
    /// Adds one, unless it is there.
    pub(crate) fn add(&mut self, writer: u32) {
        match self {
            Self::Nobody => *self = Self::One(writer),
            Self::One(first) | Self::More(first, _) if *first == writer => {}
            Self::One(first) => *self = Self::More(*first, vec![writer]),
            Self::More(_, more) if more.contains(&writer) => {}
            Self::More(_, more) => more.push(writer),
        }
    }

    /// Takes over those who are called for more of the same room; all who waited have been called by one
    /// of the two.
    #[inline]
    pub(crate) fn join(&mut self, more: Self) {
        if !matches!(more, Self::Nobody) {
            *self = more;
        }
    }
}

/// What is known of the writers that wait for room in a link, beside the first of them.
#[derive(Default)]
pub(crate) struct Calls {
    /// The others, in the order in which they came.
    more: Vec<u32>,
    /// It has been called, has not waited since, and its turn is not over.
    called: Option<u32>,
    in_a_row: u32,
}

impl State {
    /// A writer waits for room.
    fn stand_in_line(&mut self, writer: u32) {
        if self.waiting.is_none_or(|first| first == writer) {
            self.waiting = Some(writer);
            return;
        }
        let more = &mut self.rare_mut().calls.more;
        // A writer that asks again and again is woken once.
        if !more.contains(&writer) {
            more.push(writer);
        }
    }

    /// A writer has got room, or has left.
    pub(crate) fn come(&mut self, writer: usize) {
        let writer = number(writer);
        if self.waiting == Some(writer) {
            self.take_oldest();
        } else if self.waiting.is_some()
            && let Some(calls) = self.calls()
        {
            calls.more.retain(|other| *other != writer);
        }
    }

    fn take_oldest(&mut self) -> Option<u32> {
        let next = self.calls().and_then(|calls| {
            let is_one = !calls.more.is_empty();
            is_one.then(|| calls.more.remove(0))
        });
        std::mem::replace(&mut self.waiting, next)
    }

    fn take_newest(&mut self) -> Option<u32> {
        let newest = self.calls().and_then(|calls| calls.more.pop());
        newest.or_else(|| self.waiting.take())
    }

    fn take_waiting(&mut self) -> Called {
        let Some(first) = self.waiting.take() else {
            return Called::Nobody;
        };
        match self.calls() {
            Some(calls) if !calls.more.is_empty() => {
                Called::More(first, std::mem::take(&mut calls.more))
            }
            _ => Called::One(first),
        }
    }

    /// The memory of a list of writers that have been woken, for those that come to wait.
    pub(crate) fn take_list_back(&mut self, mut list: Vec<u32>) {
        if let Some(calls) = self.calls()
            && calls.more.capacity() == 0
        {
            list.clear();
            calls.more = list;
        }
    }

    fn called(&self) -> Option<u32> {
        self.rare(|rare| rare.calls.called)
    }

    /// Who is called next, if anybody waits.
    fn next(&mut self) -> Option<u32> {
        let in_a_row = &mut self.rare_mut().calls.in_a_row;
        *in_a_row = if *in_a_row == IN_A_ROW {
            0
        } else {
            *in_a_row + 1
        };
        if *in_a_row == 0 {
            self.take_oldest()
        } else {
            self.take_newest()
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
        let writer = number(writer);
        self.let_go_of(state, writer);
        state.stand_in_line(writer);
    }

    /// There is more room: who is to be woken.
    #[inline(always)]
    pub(crate) fn call(&self, state: &mut State) -> Called {
        if state.waiting.is_none() {
            Called::Nobody
        } else if self.writers.len() == 1 {
            state.waiting.take().map_or(Called::Nobody, Called::One)
        } else {
            self.call_of_several(state)
        }
    }

    #[inline(never)]
    fn call_of_several(&self, state: &mut State) -> Called {
        if self.is_crowded {
            self.call_one(state).map_or(Called::Nobody, Called::One)
        } else {
            state.take_waiting()
        }
    }

    fn call_one(&self, state: &mut State) -> Option<u32> {
        if state.called().is_some() {
            return None;
        }
        let next = state.next();
        state.rare_mut().calls.called = next;
        self.count_call(next, true);
        next
    }

    /// Everybody is to be woken.
    pub(crate) fn call_all(&self, state: &mut State) -> Called {
        if let Some(called) = state.called() {
            self.let_go_of(state, called);
        }
        state.take_waiting()
    }

    /// A writer is not the one that has been called any longer; whether it was.
    fn let_go_of(&self, state: &mut State, writer: u32) -> bool {
        let Some(calls) = state.calls() else {
            return false;
        };
        let called = calls.called.take_if(|called| *called == writer);
        self.count_call(called, false);
        called.is_some()
    }

    fn count_call(&self, writer: Option<u32>, is_called: bool) {
        if let Some(Who::Process(process)) = writer.map(|writer| &self.writers[writer as usize]) {
            self.roster.count_call(*process, is_called);
        }
    }

    /// A writer's turn is over, or it has left: what it was called for is the next one's.
    pub(crate) fn pass_on(&self, writer: usize) {
        if !self.is_crowded {
            return;
        }
        let mut state = self.middle.state.lock();
        let has_room = self.let_go_of(&mut state, number(writer)) && state.used() < self.capacity();
        let called = if has_room {
            self.call(&mut state)
        } else {
            Called::Nobody
        };
        drop(state);
        self.wake_all(called);
    }

    /// Whether a reader that is about to sleep has somebody to call.
    pub(crate) fn owes(&self) -> bool {
        if !self.is_crowded {
            return false;
        }
        let state = self.middle.state.lock();
        state.waiting.is_some() && state.used() < self.capacity()
    }

    /// Calls everybody.
    pub(crate) fn pay(&self) {
        let called = self.call_all(&mut self.middle.state.lock());
        self.wake_all(called);
    }
}
