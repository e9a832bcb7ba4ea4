//! What a process with tables in a store has done and not yet committed.
//!
//! What it sends is staged until its unit of work is complete: until it receives again, or its call is
//! over. Then the rows it has written, the packets it has handled and what it has sent are committed
//! together, those of many units at a time; only after that does anything leave, and are deliveries let
//! go of. So a packet that is delivered again is either handled from the start, or known, and then what
//! was sent before is sent again, with the same ids.

use std::collections::HashMap;
use std::sync::Arc;

use crate::component::Deskside;
use crate::connector::{Disposition, Failure, Handled, Row, StoreFault, Work};
use crate::fault::Fault;
use crate::message::{Id, Message};
use crate::packet::Packet;
use crate::settle::{Holding, Tokens, Trail};
use crate::turn::{Give, Pulled, Take, Turn};

use super::owing::{Debt, Owing};
use super::windows::Inner;

/// Most units of work that are committed at a time.
const MOST: usize = 256;

/// A packet that waits, with the out-port element it goes to, and whether the process took it before.
type Waiting = (usize, Packet, bool);

pub(super) struct Staging {
    side: Arc<Deskside>,
    ledger: Arc<Owing>,
    /// The unit of work that is not complete.
    current: Unit,
    /// Those that are, oldest first.
    complete: Vec<Unit>,
    /// What an earlier run owes has been asked for.
    has_begun: bool,
    /// The packet that waits at an in-port, if it is known to be new.
    new: HashMap<usize, Id>,
    /// What was received and is in the hands of the process, and the deliveries that brought it once
    /// more meanwhile: what becomes of it becomes of them.
    in_hand: HashMap<Id, Vec<Tokens>>,
}

/// What was done between two receives.
#[derive(Default)]
struct Unit {
    /// What was handled, and whether a store delivers it again until it is settled.
    handled: Vec<(Id, bool)>,
    packets: Vec<Waiting>,
    /// What the packets are when they are kept.
    sent: Vec<(usize, Message)>,
    rows: Vec<Row>,
    tokens: Vec<Tokens>,
    /// It was committed before: what it has sent is sent again.
    is_known: bool,
}

impl Unit {
    fn is_empty(&self) -> bool {
        self.handled.is_empty() && self.packets.is_empty() && self.rows.is_empty()
    }

    fn has_handled(&self, id: Id) -> bool {
        self.handled.iter().any(|(handled, _)| *handled == id)
    }

    /// The packet that brings what was sent with it when it comes again: the last that a store delivers.
    fn bringer(&self) -> Option<Id> {
        let mut handled = self.handled.iter().rev();
        handled
            .find(|(_, is_delivered)| *is_delivered)
            .map(|(id, _)| *id)
    }

    /// What is owed once it is committed: what nobody will deliver anything again for, and all there is if a delivery
    /// may come as another one.
    fn debt(&self, owes_all: bool) -> Option<Debt> {
        let (_, first) = self.sent.first().filter(|_| !self.is_known)?;
        match self.bringer() {
            None => Some(Debt::Own(first.id)),
            Some(bringer) => owes_all.then_some(Debt::Handled(bringer)),
        }
    }

    /// What is to be remembered of it.
    fn remember(&self, into: &mut Vec<Handled>) {
        let bringer = self.bringer();
        for (id, _) in &self.handled {
            let sent = if Some(*id) == bringer {
                self.sent.clone()
            } else {
                Vec::new()
            };
            into.push(handled(*id, sent));
        }
        if let Some(Debt::Own(first)) = self.debt(false) {
            into.push(Handled {
                own: true,
                ..handled(first, self.sent.clone())
            });
        }
    }
}

fn handled(id: Id, sent: Vec<(usize, Message)>) -> Handled {
    Handled {
        id,
        sent,
        own: false,
    }
}

impl Staging {
    pub(super) fn new(side: Arc<Deskside>) -> Self {
        let ledger = Owing::new(Arc::clone(&side.desk), side.waker.clone());
        Self {
            side,
            ledger: Arc::new(ledger),
            current: Unit::default(),
            complete: Vec::new(),
            has_begun: false,
            new: HashMap::new(),
            in_hand: HashMap::new(),
        }
    }

    /// A packet has been received at an in-port.
    fn receive(&mut self, at: usize, packet: &Packet) {
        self.new.remove(&at);
        if let Some(id) = packet.trail().and_then(|trail| trail.id) {
            self.in_hand.insert(id, Vec::new());
        }
    }

    /// A packet that is in the hands of the process comes once more: false if it is not.
    fn join(&mut self, id: Id, tokens: Tokens) -> bool {
        if self.current.has_handled(id) {
            self.current.tokens.push(tokens);
        } else if let Some(all) = self.in_hand.get_mut(&id) {
            all.push(tokens);
        } else {
            return false;
        }
        true
    }

    /// The process has nothing more to do with a packet, and has not handled it.
    pub(super) fn part_with(&mut self, id: Option<Id>) {
        let parted = id.and_then(|id| self.in_hand.remove(&id));
        for tokens in parted.into_iter().flatten() {
            tokens.worsen(Disposition::Release, None);
        }
    }

    /// A packet of this id has been handled: dropped, sent on, or its call is over. `is_delivered`: a store
    /// delivers it again unless what follows from it is settled.
    pub(super) fn handle(&mut self, id: Option<Id>, is_delivered: bool) {
        if let Some(id) = id.filter(|id| !self.current.has_handled(*id)) {
            self.current.handled.push((id, is_delivered));
            let joined = self.in_hand.remove(&id);
            self.current.tokens.extend(joined.into_iter().flatten());
        }
    }

    /// The unit of work is complete. The process holds nothing any more that its packets do not.
    pub(super) fn end_unit(&mut self, holding: Option<&mut Holding>) {
        let mut unit = std::mem::take(&mut self.current);
        unit.rows = self.side.journal.take();
        if let Some(holding) = holding {
            unit.tokens.extend(holding.take_all());
            // Also what was let go of after the packets were sent.
            for (_, packet, _) in &mut unit.packets {
                hold_all(packet, &unit.tokens);
            }
        }
        if !unit.is_empty() || !unit.tokens.is_empty() {
            self.complete.push(unit);
        }
    }

    /// Whether nothing waits for a commit.
    pub(super) const fn is_settled(&self) -> bool {
        self.complete.is_empty()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.complete.len() >= MOST
    }

    /// Packets that wait.
    pub(super) fn staged(&self) -> usize {
        let units = self.complete.iter().chain([&self.current]);
        units.map(|unit| unit.packets.len()).sum()
    }

    fn is_staged(&self, id: Id) -> bool {
        let mut units = self.complete.iter().chain([&self.current]);
        units.any(|unit| unit.has_handled(id))
    }

    /// Commits what is complete, and gives what may leave now.
    fn commit(&mut self) -> Result<Vec<Unit>, StoreFault> {
        let mut work = Work::default();
        for unit in &self.complete {
            unit.remember(&mut work.handled);
            work.rows.extend(unit.rows.iter().cloned());
        }
        if work != Work::default() {
            crate::failpoint!("before_commit");
            self.side.desk.commit(&work)?;
            crate::failpoint!("after_commit");
        }
        Ok(std::mem::take(&mut self.complete))
    }

    /// What is not committed never happened: what led to it is to be delivered again.
    fn discard(&mut self) -> Vec<Waiting> {
        drop(self.side.journal.take());
        for (_, joined) in self.in_hand.drain() {
            joined
                .iter()
                .for_each(|tokens| tokens.worsen(Disposition::Release, None));
        }
        let mut units = std::mem::take(&mut self.complete);
        units.push(std::mem::take(&mut self.current));
        let tokens = units.iter().flat_map(|unit| &unit.tokens);
        tokens.for_each(|tokens| tokens.worsen(Disposition::Release, None));
        units.into_iter().flat_map(|unit| unit.packets).collect()
    }
}

impl Inner {
    /// Stages a packet that the process sends.
    #[inline(never)]
    pub(super) fn stage(&mut self, at: usize, packet: Packet, forwarded: bool) -> Give {
        let before = packet.trail().cloned().unwrap_or_default();
        let packet = self.descend(at, packet, forwarded);
        let leads_nowhere = self.outlet(at).is_none();
        let Some(staging) = &mut self.staging else {
            return Give::Full(packet);
        };
        if forwarded {
            staging.handle(before.id, !before.tokens.is_empty());
        }
        if leads_nowhere {
            self.place(at, packet, forwarded);
            return Give::Sent;
        }
        match message(&packet) {
            Ok(message) => staging.current.sent.push((at, message)),
            Err(reason) => {
                self.fault
                    .get_or_insert_with(|| Box::new(Fault::new(reason).rejected()));
            }
        }
        staging.current.packets.push((at, packet, forwarded));
        Give::Sent
    }

    /// The next packet that has not been handled before.
    pub(super) fn take_new(&mut self, at: usize) -> Take {
        let is_retried = self.retry.as_ref().is_some_and(|retry| retry.0 == at);
        if self.left == 0 || is_retried {
            return self.take_slowly(at);
        }
        loop {
            let pulled = self.skip_known(at).unwrap_or_else(|fault| {
                self.fault.get_or_insert_with(|| Box::new(fault.at(at)));
                self.left = 0;
                Pulled::Empty
            });
            match pulled {
                Pulled::End => return Take::End,
                Pulled::Empty if self.left > 0 => self.wait_for_packet(at),
                Pulled::Empty | Pulled::Some | Pulled::All => {}
            }
            let later = self.retry.take();
            let packet = self.receive(at);
            self.retry = later;
            match packet {
                Some(packet) => {
                    if let Some(staging) = &mut self.staging {
                        staging.receive(at, &packet);
                    }
                    crate::failpoint!("after_admit");
                    return Take::Packet(packet);
                }
                // One has been given back.
                None if pulled != Pulled::Empty && self.left > 0 => {}
                None => {
                    self.spent |= self.left == 0;
                    return Take::Empty;
                }
            }
        }
    }

    /// What waits at an in-port and was handled before ends here, and what was sent is sent again. What
    /// is left there is new. The process does not learn of it: what it does goes on from what it had.
    fn skip_known(&mut self, at: usize) -> Result<Pulled, Fault> {
        loop {
            let pulled = self.look_into(at);
            let front = self.ins.get(at).and_then(|element| element.window.front());
            let id = front.and_then(|packet| packet.trail()?.id);
            let (Pulled::Some | Pulled::All, Some(id)) = (pulled, id) else {
                return Ok(pulled);
            };
            if self.skip_in_hand(at, id) {
                continue;
            }
            let Some(sent) = self.known(at, id)? else {
                return Ok(pulled);
            };
            if let Some((packet, _)) = self.pop(at) {
                self.send_again(&packet, sent);
            }
            if self.left == 0 {
                return Ok(Pulled::Empty);
            }
        }
    }

    /// Drops what waits at an in-port if the process has it in its hands already.
    fn skip_in_hand(&mut self, at: usize, id: Id) -> bool {
        let Some(staging) = &mut self.staging else {
            return false;
        };
        let front = self.ins.get(at).and_then(|element| element.window.front());
        let tokens = front.map(Packet::tokens).unwrap_or_default();
        if self.left == 0 || !staging.join(id, tokens) {
            return false;
        }
        if let Some((packet, _)) = self.pop(at) {
            self.dropped_all(packet.weight());
        }
        true
    }

    /// What followed from a packet that waits at an in-port, if it has been handled before.
    fn known(&mut self, at: usize, id: Id) -> Result<Option<Vec<(usize, Message)>>, Fault> {
        let Some(staging) = &mut self.staging else {
            return Ok(None);
        };
        if staging.is_staged(id) {
            return Ok(Some(Vec::new()));
        }
        if staging.new.get(&at) == Some(&id) {
            return Ok(None);
        }
        let sent = staging.side.desk.handled(id)?;
        if sent.is_none() {
            staging.new.insert(at, id);
        }
        Ok(sent)
    }

    /// A packet that has been handled before ends here, and what was sent is sent again, unless it is on its way.
    fn send_again(&mut self, packet: &Packet, sent: Vec<(usize, Message)>) {
        let mut tokens = packet.tokens();
        let id = packet.trail().and_then(|trail| trail.id);
        self.dropped_all(packet.weight());
        if let (Some(staging), Some(id), false) = (&self.staging, id, sent.is_empty())
            && staging.side.owes_all
        {
            match staging.ledger.owe_again(id, &tokens) {
                Some(owed) => tokens = tokens.join(&owed),
                None => return,
            }
        }
        let again = sent.into_iter();
        let packets = again.filter_map(|(at, message)| {
            let packet = restored(message, &tokens)?;
            (at < self.outs.len()).then_some((at, packet, false))
        });
        let unit = Unit {
            packets: packets.collect(),
            tokens: vec![tokens],
            is_known: true,
            ..Unit::default()
        };
        self.add_known(unit);
    }

    fn add_known(&mut self, unit: Unit) {
        if let Some(staging) = &mut self.staging {
            staging.complete.push(unit);
            if staging.is_full() {
                self.left = 0;
            }
        }
    }
}

/// A packet as it is kept, with its id.
fn message(packet: &Packet) -> Result<Message, &'static str> {
    let id = packet.trail().and_then(|trail| trail.id);
    Message::of(
        id.ok_or("a packet without an identity cannot be kept")?,
        packet,
    )
}

/// A packet that was kept, as it follows from these deliveries.
fn restored(message: Message, tokens: &Tokens) -> Option<Packet> {
    let Message { id, headers, parts } = message;
    let packet = parts.into_iter().next()?.packet().ok()?;
    let packet = if headers.is_empty() {
        packet
    } else {
        packet.with_headers(headers)
    };
    Some(packet.with_trail(Trail {
        id: Some(id),
        tokens: tokens.clone(),
    }))
}

impl Turn {
    /// Whether the process has tables in a store.
    pub fn is_staging(&mut self) -> bool {
        self.inner().staging.is_some()
    }

    /// Packets that the process has sent and not committed.
    pub fn staged(&mut self) -> usize {
        let staging = self.inner().staging.as_ref();
        staging.map_or(0, |staging| staging.staged())
    }

    /// What an earlier run has committed and may not have sent is sent again.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub fn send_owed(&mut self) -> Result<(), Fault> {
        let inner = self.inner();
        let Some(staging) = &mut inner.staging else {
            return Ok(());
        };
        if std::mem::replace(&mut staging.has_begun, true) {
            return Ok(());
        }
        let ledger = Arc::clone(&staging.ledger);
        let desk = Arc::clone(&staging.side.desk);
        let on_its_way = match staging.side.owes_all {
            true => desk.on_its_way()?,
            false => Vec::new(),
        };
        for committed in desk.owed()?.into_iter().chain(on_its_way) {
            let tokens = ledger.owe(match committed.own {
                true => Debt::Own(committed.id),
                false => Debt::FormerLife(committed.id),
            });
            let packets = committed.sent.into_iter();
            let packets =
                packets.filter_map(|(at, message)| Some((at, restored(message, &tokens)?, false)));
            let unit = Unit {
                packets: packets.collect(),
                is_known: true,
                ..Unit::default()
            };
            inner.add_known(unit);
        }
        Ok(())
    }

    /// What was handled before a crash and is delivered again is not left to wait until the process
    /// reads there: it may read nothing more before what it has sent has come back, and that is sent
    /// again only because of that delivery.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub fn skip_known(&mut self) -> Result<(), Fault> {
        let inner = self.inner();
        for at in 0..inner.ins.len() {
            if inner.left > 0 && inner.retry.is_none() {
                inner.skip_known(at)?;
            }
        }
        Ok(())
    }

    /// A step has ended: the current unit of work is complete if the process waits to receive, or
    /// `is_over`.
    pub fn rest(&mut self, is_over: bool) {
        let inner = self.inner();
        let is_complete = is_over || !inner.waits.receive.is_empty();
        if let (Some(staging), true) = (&mut inner.staging, is_complete) {
            staging.end_unit(inner.holding.as_deref_mut());
        }
    }

    /// Commits the units of work that are complete. What was sent is in the hand then.
    ///
    /// # Errors
    /// The store cannot be reached, or what was sent cannot be kept: nothing was committed.
    pub fn commit(&mut self) -> Result<(), Fault> {
        let inner = self.inner();
        let Some(staging) = &mut inner.staging else {
            return Ok(());
        };
        if let Some(fault) = inner.fault.take() {
            return Err(*fault);
        }
        if let Some(failure) = staging.ledger.take_failure() {
            return Err(not_handled(failure));
        }
        if staging.is_settled() {
            return Ok(());
        }
        let (ledger, owes_all) = (Arc::clone(&staging.ledger), staging.side.owes_all);
        for unit in staging.commit()? {
            let own = unit.debt(owes_all).map(|debt| ledger.owe(debt));
            let own = own.unwrap_or_default();
            for (at, mut packet, forwarded) in unit.packets {
                hold_all(&mut packet, std::slice::from_ref(&own));
                inner.hand.push_back((at, packet, forwarded));
            }
        }
        Ok(())
    }

    /// What a former life has sent could not be handled, and until the end nothing has come again for it.
    pub fn take_undone(&mut self) -> Option<Fault> {
        let staging = self.inner().staging.as_ref()?;
        staging.ledger.take_undone().map(not_handled)
    }

    /// Moves what has been committed to the links, after a step that has ended with a wait. It waits for
    /// the same as before, unless something does not fit: then it waits for room and nothing else.
    ///
    /// # Errors
    /// A receiver has left.
    pub fn send_committed(&mut self) -> Result<(), Fault> {
        let inner = self.inner();
        let waits = std::mem::take(&mut inner.waits);
        if inner.empty_hand()? {
            inner.waits = waits;
        }
        Ok(())
    }

    /// What the process has done and not committed never happened.
    pub fn discard(&mut self) {
        let inner = self.inner();
        let Some(staging) = &mut inner.staging else {
            return;
        };
        for (_, packet, forwarded) in staging.discard() {
            packet.worsen(Disposition::Release, None);
            inner.dropped_all(packet.weight() - usize::from(!forwarded));
        }
    }
}

fn not_handled(failure: Failure) -> Fault {
    let Failure {
        process, message, ..
    } = failure;
    Fault::new(format!(
        "what it sent could not be handled by {process}: {message}"
    ))
}

/// Lets a packet stand for these deliveries as well.
fn hold_all(packet: &mut Packet, tokens: &[Tokens]) {
    let Some(trail) = packet.trail() else { return };
    let own = trail.tokens.clone();
    let all = tokens.iter().fold(own, |all, tokens| all.join(tokens));
    let trail = Trail {
        id: trail.id,
        tokens: all,
    };
    *packet = std::mem::replace(packet, Packet::null()).with_trail(trail);
}
