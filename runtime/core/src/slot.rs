//! The thread-local slot through which a turn is lent to a component for the length of a call.

use std::cell::Cell;
use std::mem::{self, ManuallyDrop};

use crate::turn::Turn;

thread_local! {
    /// Never dropped, so that nobody has to look whether it has been: whoever lends takes back.
    static LENT: Cell<ManuallyDrop<Turn>> = const { Cell::new(ManuallyDrop::new(Turn::nowhere())) };
    /// Whether a put may use the room its port was lent, because the hand is empty.
    static DIRECT: Cell<bool> = const { Cell::new(false) };
    /// Whether the packet being handled has not left yet: the next bare packet put is that one.
    static FORWARD: Cell<bool> = const { Cell::new(false) };
}

/// Lends the turn to whatever `work` calls.
///
/// When `work` panics the turn stays in the slot until the next loan; the engine ends the process.
#[inline(always)]
pub(crate) fn lend<R>(turn: &mut Turn, work: impl FnOnce() -> R) -> R {
    let outer = exchange(mem::take(turn));
    let was_direct = DIRECT.replace(false);
    let result = work();
    DIRECT.set(was_direct);
    *turn = exchange(outer);
    result
}

/// Takes a turn back that a panic left in the slot.
pub fn reclaim() -> Option<Turn> {
    DIRECT.set(false);
    let turn = exchange(Turn::nowhere());
    turn.is_somewhere().then_some(turn)
}

/// Puts a turn into the slot; gives what was there.
#[inline(always)]
fn exchange(turn: Turn) -> Turn {
    ManuallyDrop::into_inner(LENT.replace(ManuallyDrop::new(turn)))
}

/// Uses the lent turn, which is out of the slot meanwhile: a pointer taken and put back, so that the
/// work is compiled into the component's own code.
///
/// # Panics
/// Outside a turn: a port or timer was used by something that is not a running component.
#[inline(always)]
pub(crate) fn with<R>(work: impl FnOnce(&mut Turn) -> R) -> R {
    let mut turn = exchange(Turn::nowhere());
    if !turn.is_somewhere() {
        lost();
    }
    let result = work(&mut turn);
    // What was there meanwhile is nobody's turn, which needs no dropping.
    LENT.set(ManuallyDrop::new(turn));
    result
}

#[cold]
fn lost() -> ! {
    panic!("a port or timer was used outside its process")
}

/// Uses the lent turn, if there is one.
#[inline(always)]
pub(crate) fn try_with<R>(work: impl FnOnce(&mut Turn) -> R) -> Option<R> {
    let mut turn = exchange(Turn::nowhere());
    let result = turn.is_somewhere().then(|| work(&mut turn));
    LENT.set(ManuallyDrop::new(turn));
    result
}

/// Whether a put may use the room its port was lent.
#[inline]
pub(crate) fn is_direct() -> bool {
    DIRECT.get()
}

#[inline]
pub(crate) fn set_direct(direct: bool) {
    DIRECT.set(direct);
}

/// The packet being handled may leave as itself, once.
#[inline]
pub(crate) fn begin_forward() {
    FORWARD.set(true);
}

/// Whether the next bare packet put is the one being handled.
#[inline]
pub(crate) fn take_forward() -> bool {
    FORWARD.replace(false)
}
