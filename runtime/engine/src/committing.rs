//! What a process with tables in a store does at the end of a step.

use std::task::Context;

use paperflow_core::{Fault, Step, Timer, Turn};

use crate::network::Net;
use crate::patience::Refused;
use crate::process::{Body, Process};

impl Process {
    /// What a process with tables in a store has done is made safe, and then leaves.
    pub(crate) fn commit(&self, turn: &mut Turn, step: Step) -> Result<(), Fault> {
        if self.special.desk.is_some() {
            turn.rest(step == Step::Done);
            turn.commit()?;
            if step != Step::Done {
                turn.send_committed()?;
            }
        }
        Ok(())
    }

    /// Its store has committed all there was.
    pub(crate) fn served(body: &mut Body) {
        if let Some(refused) = &mut body.refused {
            refused.wake();
            refused.served();
        }
    }

    /// Its store would not commit: what it has done stays, and the commit is tried again after a rest, if
    /// it may work later.
    pub(crate) fn wait_for_store(
        &self,
        body: &mut Body,
        net: &Net,
        fault: Fault,
    ) -> Result<(), Fault> {
        let timer = || Timer::new(net.clock.shared());
        let new = || Box::new(Refused::new(&self.address, &net.patience, timer()));
        let refused = body.refused.get_or_insert_with(new);
        let cx = Context::from_waker(&self.waker);
        refused.rest(fault, &mut body.turn, &cx).map(|_| ())
    }
}
