//! The thread-local slot through which a turn is lent to a component for the length of a call.

use std::cell::RefCell;
use std::mem;

use crate::turn::Turn;

thread_local! {
    static LENT: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

/// Lends the turn to whatever `work` calls.
///
/// When `work` panics the turn stays in the slot until the next loan; the engine ends the process.
pub(crate) fn lend<R>(turn: &mut Turn, work: impl FnOnce() -> R) -> R {
    let outer = LENT.replace(Some(mem::take(turn)));
    let result = work();
    if let Some(back) = LENT.replace(outer) {
        *turn = back;
    }
    result
}

/// Takes a turn back that a panic left in the slot.
pub fn reclaim() -> Option<Turn> {
    LENT.take()
}

/// Uses the lent turn.
///
/// # Panics
/// Outside a turn: a port or timer was used by something that is not a running component.
pub(crate) fn with<R>(work: impl FnOnce(&mut Turn) -> R) -> R {
    try_with(work).unwrap_or_else(|| panic!("a port or timer was used outside its process"))
}

/// Uses the lent turn, if there is one.
pub(crate) fn try_with<R>(work: impl FnOnce(&mut Turn) -> R) -> Option<R> {
    LENT.with_borrow_mut(|lent| lent.as_mut().map(work))
}
