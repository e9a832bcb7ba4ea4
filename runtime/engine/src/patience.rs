//! Waiting for a store that cannot do something now: it cannot be reached, or has no room.

use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use paperflow_core::connector::StoreFaultKind;
use paperflow_core::time::Moment;
use paperflow_core::{Fault, Step, Timer, Turn};

use crate::watch::{Notice, Told};

/// The first rest; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(1);

/// No rest is longer.
const MOST: Duration = Duration::from_millis(1_024);

/// What lasts longer is told.
const LONG: Duration = Duration::from_secs(1);

/// How long those who use stores try again, and who hears of it.
#[derive(Clone)]
pub(crate) struct Patience {
    pub(crate) limit: Duration,
    pub(crate) told: Arc<Told>,
}

/// One who uses a store, and may be refused.
pub(crate) struct Refused {
    /// What it is called in a notice.
    name: String,
    patience: Patience,
    timer: Timer,
    /// Since when, and how often.
    since: Option<(Moment, u32)>,
    is_told: bool,
    alarm: Option<u64>,
}

impl Refused {
    pub(crate) fn new(name: &str, patience: &Patience, timer: Timer) -> Self {
        Self {
            name: name.to_owned(),
            patience: patience.clone(),
            timer,
            since: None,
            is_told: false,
            alarm: None,
        }
    }

    /// The store has done what it was asked.
    pub(crate) fn served(&mut self) {
        self.since = None;
        if std::mem::take(&mut self.is_told) {
            self.patience.told.served(&self.name);
        }
    }

    /// A turn begins, or there will be none: nobody needs to be called.
    pub(crate) fn wake(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            self.timer.cancel(alarm);
        }
    }

    /// The store has refused: rests before the next try, if there is to be one.
    pub(crate) fn rest(
        &mut self,
        fault: impl Into<Fault>,
        turn: &mut Turn,
        cx: &Context<'_>,
    ) -> Result<Step, Fault> {
        let (now, fault) = (self.timer.now(), fault.into());
        let (since, times) = self.since.unwrap_or((now, 0));
        let lasted = now.saturating_sub(since);
        let may_work_later = fault.of_store() == Some(StoreFaultKind::Unavailable);
        if !may_work_later || lasted >= self.patience.limit {
            return Err(fault);
        }
        if lasted >= LONG && !std::mem::replace(&mut self.is_told, true) {
            self.patience.told.notify(Notice::Refused {
                by: self.name.clone(),
                message: fault.message().to_owned(),
                limit: self.patience.limit,
            });
        }
        self.since = Some((since, times.saturating_add(1)));
        let rest = FIRST.saturating_mul(1 << times.min(16)).min(MOST);
        self.alarm = Some(self.timer.wake_at(now + rest, cx.waker().clone()));
        turn.wait_outside();
        Ok(Step::Wait)
    }
}
