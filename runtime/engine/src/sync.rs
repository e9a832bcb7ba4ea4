//! What threads meet at: the real things, or, with `--cfg loom`, those whose every order is tried.
//!
//! Only what `models.rs` models takes them from here.

use std::ops::Deref;

/// Something that many threads write, apart from what they only read.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct Apart<T>(T);

impl<T> Apart<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(not(loom))]
mod real {
    use std::ops::{Deref, DerefMut};

    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{
        AtomicBool, AtomicI8, AtomicU8, AtomicU64, AtomicUsize, fence,
    };
    pub(crate) use std::thread::{Thread, current, park, yield_now};

    pub(crate) use parking_lot::{Condvar, Mutex};

    /// How often a thread gives the processor away before it parks: waking one that has parked costs as
    /// much as a hundred packets.
    pub(crate) const YIELDS: u32 = 16;

    /// How often a thread looks for a wake-up before that, about a microsecond long.
    pub(crate) const SPINS: u32 = 40;

    /// The order of two sequentially consistent steps, which they have already.
    pub(crate) const fn sequence() {}

    /// A cell that each thread has for itself.
    macro_rules! thread_cell {
        ($(#[$doc:meta])* $name:ident: $type:ty = $first:expr) => {
            std::thread_local! {
                $(#[$doc])*
                static $name: std::cell::Cell<$type> = const { std::cell::Cell::new($first) };
            }
        };
    }

    pub(crate) use thread_cell;

    /// A lock that hardly anybody ever waits for. Who does gives its processor away, again and again; in
    /// return, to unlock is no atomic step.
    pub(crate) type Brief<T> = spin::mutex::SpinMutex<T, spin::Yield>;

    /// The lock of what several may change at a time, for a moment.
    pub(crate) enum Latch<T> {
        /// Nobody but workers of the pool meets here.
        Brief(Brief<T>),
        /// Who waits sleeps.
        Patient(Mutex<T>),
    }

    pub(crate) enum LatchGuard<'a, T> {
        Brief(spin::mutex::SpinMutexGuard<'a, T>),
        Patient(parking_lot::MutexGuard<'a, T>),
    }

    impl<T> Latch<T> {
        pub(crate) const fn new(value: T, is_brief: bool) -> Self {
            if is_brief {
                Self::Brief(Brief::new(value))
            } else {
                Self::Patient(Mutex::new(value))
            }
        }

        #[inline]
        pub(crate) fn lock(&self) -> LatchGuard<'_, T> {
            match self {
                Self::Brief(lock) => LatchGuard::Brief(lock.lock()),
                Self::Patient(lock) => LatchGuard::Patient(lock.lock()),
            }
        }
    }

    impl<T> Deref for LatchGuard<'_, T> {
        type Target = T;

        #[inline(always)]
        fn deref(&self) -> &T {
            match self {
                Self::Brief(guard) => guard,
                Self::Patient(guard) => guard,
            }
        }
    }

    impl<T> DerefMut for LatchGuard<'_, T> {
        #[inline(always)]
        fn deref_mut(&mut self) -> &mut T {
            match self {
                Self::Brief(guard) => guard,
                Self::Patient(guard) => guard,
            }
        }
    }
}

#[cfg(not(loom))]
pub(crate) use real::*;

#[cfg(loom)]
mod modelled {
    use std::ops::{Deref, DerefMut};
    use std::time::Duration;

    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{
        AtomicBool, AtomicI8, AtomicU8, AtomicU64, AtomicUsize, fence,
    };
    pub(crate) use loom::thread::{Thread, current, park, yield_now};

    /// Yielding again and again shows nothing new.
    pub(crate) const YIELDS: u32 = 0;

    /// Neither does looking.
    pub(crate) const SPINS: u32 = 0;

    /// The models take sequentially consistent loads and stores for weaker ones, but not fences.
    pub(crate) fn sequence() {
        fence(std::sync::atomic::Ordering::SeqCst);
    }

    /// A cell that each thread has for itself.
    macro_rules! thread_cell {
        ($(#[$doc:meta])* $name:ident: $type:ty = $first:expr) => {
            loom::thread_local! {
                $(#[$doc])*
                static $name: std::cell::Cell<$type> = std::cell::Cell::new($first);
            }
        };
    }

    pub(crate) use thread_cell;

    /// Has the face of the real one.
    #[derive(Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    pub(crate) struct Guard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

    pub(crate) type LatchGuard<'a, T> = Guard<'a, T>;

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> Guard<'_, T> {
            Guard(self.0.lock().ok())
        }

        pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
            self.0.try_lock().ok().map(|guard| Guard(Some(guard)))
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_ref().expect("the lock is held")
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().expect("the lock is held")
        }
    }

    /// All kinds of locks are one here.
    pub(crate) type Brief<T> = Mutex<T>;

    pub(crate) struct Latch<T>(Mutex<T>);

    impl<T> Latch<T> {
        pub(crate) fn new(value: T, _: bool) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> Guard<'_, T> {
            self.0.lock()
        }
    }

    pub(crate) struct Condvar(loom::sync::Condvar);

    impl Default for Condvar {
        fn default() -> Self {
            Self::new()
        }
    }

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self(loom::sync::Condvar::new())
        }

        pub(crate) fn wait<T>(&self, guard: &mut Guard<'_, T>) {
            let held = guard.0.take().expect("the lock is held");
            guard.0 = self.0.wait(held).ok();
        }

        /// Time does not pass in a model.
        pub(crate) fn wait_for<T>(&self, guard: &mut Guard<'_, T>, _: Duration) {
            self.wait(guard);
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }
}

#[cfg(loom)]
pub(crate) use modelled::*;
