//! The process that writes to a connector.

use std::sync::Arc;
use std::task::Context;

use paperflow_core::connector::{Connector, Disposition, StoreFault};
use paperflow_core::headers::names;
use paperflow_core::message::{Id, Message, Part};
use paperflow_core::settle::Settle;
use paperflow_core::turn::Pulled;
use paperflow_core::{
    Activity, Component, Fault, Headers, Kind, Packet, Params, PortSpec, Spec, Step, Take, Turn,
    failpoint,
};

use crate::connect::BELL;
use crate::part::Shore;
use crate::patience::{Patience, Refused};

/// Most messages that are written at a time, if so many lie in the link: brokers with a disk behind them are as
/// long at few as at many.
const MOST: usize = 1_024;
/// Bytes of them after which no more are taken.
const MOST_BYTES: usize = 4 << 20;

/// Makes the process that writes what it receives to a connector, in order, each group as one message.
///
/// A packet has ended for its process when it is safe in the store.
pub(crate) struct Sender {
    spec: Spec,
    connector: Arc<dyn Connector>,
    /// From which the identities of packets follow that come without one.
    chance: Id,
    patience: Patience,
    /// What it has to do with other parts.
    shore: Option<Arc<Shore>>,
}

impl Sender {
    pub(crate) fn new(
        name: &str,
        connector: Arc<dyn Connector>,
        chance: Id,
        shore: Option<Arc<Shore>>,
        patience: &Patience,
    ) -> Self {
        let mut spec = Spec::new(name, "Writes packets to a connector.")
            .input(PortSpec::new("IN", "What is sent.", Vec::new()))
            .output(PortSpec::new(BELL, "Ends when nothing is sent any more.", Vec::new()).array());
        spec.settle = Settle::Each;
        Self {
            spec,
            connector,
            chance,
            patience: patience.clone(),
            shore,
        }
    }
}

impl Component for Sender {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn open(&self, params: &Params) -> Result<Box<dyn Activity>, Fault> {
        Ok(Box::new(Sending {
            connector: Arc::clone(&self.connector),
            refused: Refused::new(&self.spec.name, &self.patience, params.timer()),
            shore: self.shore.clone(),
            chance: self.chance,
            nameless: 0,
            taken: Vec::new(),
            messages: Vec::new(),
            bytes: 0,
            group: None,
            depth: 0,
        }))
    }
}

struct Sending {
    connector: Arc<dyn Connector>,
    refused: Refused,
    shore: Option<Arc<Shore>>,
    chance: Id,
    /// Packets that came without an identity.
    nameless: u64,
    /// Packets that are not safe yet.
    taken: Vec<Packet>,
    messages: Vec<Message>,
    /// Of their payload.
    bytes: usize,
    /// A group that is not complete.
    group: Option<Message>,
    depth: usize,
}

/// What was taken from the in-port.
enum Taken {
    /// As much as there is room for.
    Enough,
    /// All there is for now.
    All,
    /// All there will ever be.
    End,
}

impl Activity for Sending {
    fn step(&mut self, turn: &mut Turn, cx: &mut Context<'_>) -> Result<Step, Fault> {
        self.refused.wake();
        if self.is_early() {
            // Whoever looks after the part calls.
            turn.wait_outside();
            return Ok(Step::Wait);
        }
        loop {
            let room = match self.room(cx) {
                Ok(room) => room,
                Err(fault) => return self.refused.rest(fault, turn, cx),
            };
            if room == 0 {
                return Ok(match self.idle(turn)? {
                    Some(step) => step,
                    None => self.wait_for_readers(turn),
                });
            }
            let taken = self.take(turn, room.min(MOST))?;
            if self.messages.is_empty() {
                return Ok(match taken {
                    Taken::Enough => Step::More,
                    Taken::All => Step::Wait,
                    Taken::End => self.done(),
                });
            }
            if !self.was_ended()
                && let Err(fault) = self.connector.send(&self.messages)
            {
                return self.refused.rest(fault, turn, cx);
            }
            self.refused.served();
            failpoint!("after_confirm");
            self.messages.clear();
            self.bytes = 0;
            let kept = self.group.as_ref().map_or(0, |group| group.parts.len());
            for packet in self.taken.drain(..self.taken.len() - kept) {
                turn.drop_packet(packet);
            }
            turn.let_go_of_deliveries(Disposition::Done, None);
        }
    }

    fn end(&mut self, turn: &mut Turn) {
        self.refused.wake();
        for packet in self.taken.drain(..) {
            packet.release();
            turn.drop_packet(packet);
        }
    }
}

impl Sending {
    /// The end of what it sends had been told before, in this run: all of this has been sent.
    fn was_ended(&self) -> bool {
        self.shore.as_ref().is_some_and(|shore| shore.was_ended())
    }

    /// Somebody in another part would miss what is sent now.
    fn is_early(&self) -> bool {
        let shore = self.shore.as_ref();
        shore.is_some_and(|shore| !shore.is_listened_to())
    }

    fn room(&self, cx: &Context<'_>) -> Result<usize, StoreFault> {
        if self.was_ended() {
            return Ok(MOST);
        }
        self.connector.room(cx.waker())
    }

    /// Who has nothing to send waits for no room, which others may make only when this one has ended.
    fn idle(&mut self, turn: &mut Turn) -> Result<Option<Step>, Fault> {
        if !self.messages.is_empty() || matches!(turn.look(0), Pulled::Some | Pulled::All) {
            return Ok(None);
        }
        let taken = self.take(turn, 1)?;
        Ok(match taken {
            _ if !self.messages.is_empty() => None,
            Taken::Enough => Some(Step::More),
            Taken::All => Some(Step::Wait),
            Taken::End => Some(self.done()),
        })
    }

    /// There is no room before a reader makes some; when all have left, here and in other parts, there will
    /// be none.
    fn wait_for_readers(&self, turn: &mut Turn) -> Step {
        let readers = (0..).take_while(|at| turn.is_connected(*at)).count();
        let mut is_deserted = match &self.shore {
            Some(shore) => shore.is_deserted(),
            None => readers > 0,
        };
        for at in 0..readers {
            if !turn.is_deserted(at) {
                turn.wait_for_room(at);
                is_deserted = false;
            }
        }
        if is_deserted {
            return Step::Done;
        }
        if self.connector.is_shared() {
            turn.wait_outside();
        }
        Step::Wait
    }

    /// All is safe, and there is no more.
    fn done(&self) -> Step {
        if let Some(shore) = &self.shore {
            shore.end();
        }
        Step::Done
    }

    fn take(&mut self, turn: &mut Turn, most: usize) -> Result<Taken, Fault> {
        while self.messages.len() < most && self.bytes < MOST_BYTES {
            if turn.is_spent() {
                return Ok(Taken::Enough);
            }
            match turn.take(0) {
                Take::Packet(packet) => self.add(packet)?,
                Take::Empty => return Ok(Taken::All),
                Take::End => return Ok(Taken::End),
            }
        }
        Ok(Taken::Enough)
    }

    fn add(&mut self, packet: Packet) -> Result<(), Fault> {
        let unkept =
            |reason: &str, packet: Packet| Fault::new(reason).with(packet).at(0).rejected();
        let kind = packet.kind();
        if self.depth > 0 || kind == Kind::Open {
            let part = match Part::inside(&packet) {
                Ok(part) => part,
                Err(reason) => return Err(unkept(reason, packet)),
            };
            match &mut self.group {
                Some(group) => group.parts.push(part),
                None => self.group = Some(self.begin(&packet, part)),
            }
            match kind {
                Kind::Open => self.depth += 1,
                Kind::Close => self.depth -= 1,
                _ => {}
            }
            if self.depth == 0 {
                let group = self.group.take();
                self.bytes += group.as_ref().map_or(0, Message::size);
                self.messages.extend(group);
            }
        } else {
            let id = self.id(&packet);
            match Message::of(id, &packet) {
                Ok(message) => {
                    self.bytes += message.size();
                    self.messages.push(message);
                }
                Err(reason) => return Err(unkept(reason, packet)),
            }
        }
        self.taken.push(packet);
        Ok(())
    }

    /// A group begins: its open bracket is the first part, without the headers, which are the message's.
    fn begin(&mut self, open: &Packet, part: Part) -> Message {
        let Part {
            kind,
            body,
            headers,
        } = part;
        let bare = Part {
            kind,
            body,
            headers: Headers::default(),
        };
        Message {
            id: self.id(open),
            headers,
            parts: vec![bare],
        }
    }

    fn id(&mut self, packet: &Packet) -> Id {
        let own = packet.trail().and_then(|trail| trail.id);
        let header = || packet.headers()?.get(names::ID).map(Id::of);
        own.or_else(header).unwrap_or_else(|| {
            self.nameless += 1;
            self.chance.derive(self.chance, self.nameless)
        })
    }
}
