//! Substream-sensitive subnets: one full inner life per group, re-armed and not rebuilt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use paperflow_core::Fault;
use paperflow_core::turn::{Outlet, Received};

use crate::link::Link;
use crate::network::Net;
use crate::options::Policy;
use crate::process::{Process, Socket, Stage};

pub(crate) struct Scope {
    pub(crate) parent: Option<usize>,
    /// Processes directly in it.
    pub(crate) members: Vec<usize>,
    /// Scopes directly in it.
    pub(crate) children: Vec<usize>,
    /// Links whose innermost scope it is.
    links: Vec<usize>,
    /// The member that sends a packet for the whole subnet at the end of each life, if somebody takes
    /// packets from the subnet's automatic out-port.
    herald: Option<usize>,
    /// Packets received from outside up to the end of the last life.
    received: AtomicU64,
    /// Members and children that have not ended this life.
    pub(crate) left: AtomicUsize,
    /// The first packet of this life has come: inner sources may start.
    is_active: AtomicBool,
    /// No packet will come any more: nobody starts, not even who must run.
    is_closing: AtomicBool,
}

impl Scope {
    pub(crate) fn new(
        parent: Option<usize>,
        members: Vec<usize>,
        children: Vec<usize>,
        links: Vec<usize>,
        herald: Option<usize>,
    ) -> Self {
        let left = AtomicUsize::new(members.len() + children.len());
        let (is_active, is_closing) = (AtomicBool::new(false), AtomicBool::new(false));
        Self {
            parent,
            members,
            children,
            links,
            herald,
            received: AtomicU64::new(0),
            left,
            is_active,
            is_closing,
        }
    }
}

impl Net {
    /// Before the start: members of re-armed subnets learn which links outlive their lives.
    pub(crate) fn mark_borders(&self) {
        let members = self.scopes.iter().flat_map(|scope| &scope.members);
        members.for_each(|member| self.processes[*member].mark_border(self));
    }

    pub(crate) fn is_active(&self, scope: usize) -> bool {
        self.scopes[scope].is_active.load(Ordering::Acquire)
    }

    pub(crate) fn is_closing(&self, scope: usize) -> bool {
        self.scopes[scope].is_closing.load(Ordering::Acquire)
    }

    /// The first packet of a life has come: the subnet's own sources start.
    pub(crate) fn activate(&self, scope: usize) {
        if self.scopes[scope].is_active.swap(true, Ordering::AcqRel) {
            return;
        }
        for member in &self.scopes[scope].members {
            if self.processes[*member].is_source {
                self.roster.wake(*member);
            }
        }
    }

    /// A member has found its inputs at their end before this life began. When that holds for all that
    /// comes from outside, the subnet ends with its outer inputs, and nobody in it starts again.
    pub(crate) fn try_closing(&self, scope: usize, finder: usize) -> bool {
        let scope_of = &self.scopes[scope];
        if scope_of.is_active.load(Ordering::Acquire) {
            return false;
        }
        let others = scope_of.members.iter().filter(|member| **member != finder);
        let all_ended = others.map(|member| &self.processes[*member]).all(|member| {
            member
                .outer_inputs(self)
                .all(|element| self.is_drained(member, element))
        });
        if all_ended {
            scope_of.is_closing.store(true, Ordering::Release);
            scope_of
                .members
                .iter()
                .for_each(|member| self.roster.wake(*member));
        }
        all_ended
    }

    fn is_drained(&self, process: &Process, element: usize) -> bool {
        let look = process.inputs()[element]
            .link()
            .map(|link| self.links[link].observe());
        look.is_none_or(|look| look.is_over && look.fill == 0)
    }

    /// A member of a scope has ended its life; the last one re-arms the scope.
    pub(crate) fn member_over(&self, process: usize) {
        if let Some(scope) = self.processes[process].scope() {
            self.one_less(scope);
        }
    }

    fn one_less(&self, scope: usize) {
        if self.scopes[scope].left.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        if self.announce(scope) {
            return;
        }
        if self.has_more(scope) {
            if let Some(idler) = self.idler(scope) {
                return self.refuse_to_rearm(scope, idler);
            }
            self.rearm(scope, scope);
            self.scopes[scope]
                .members
                .iter()
                .for_each(|member| self.roster.wake(*member));
        } else {
            self.end_scope(scope);
        }
    }

    /// A life that has begun is over: a packet without content tells whoever reads the automatic
    /// out-port of the subnet. True: it has to leave first.
    fn announce(&self, scope: usize) -> bool {
        let this = &self.scopes[scope];
        let Some(herald) = this.herald else {
            return false;
        };
        if !this.is_active.swap(false, Ordering::AcqRel) {
            return false;
        }
        this.left.store(1, Ordering::Release);
        let process = &self.processes[herald];
        let mut body = process.body.lock();
        process.announce(&mut body);
        body.stage = Stage::Announcing;
        drop(body);
        self.roster.wake(herald);
        true
    }

    /// A member that has left packets from outside unread in a life in which nobody has received any.
    /// The next life would be the same, and so on for ever.
    fn idler(&self, scope: usize) -> Option<(usize, usize)> {
        let this = &self.scopes[scope];
        let members = this.members.iter().map(|member| &self.processes[*member]);
        let outer = || {
            members.clone().flat_map(|process| {
                let link = |at: usize| process.inputs()[at].link().map(|link| &self.links[link]);
                process
                    .outer_inputs(self)
                    .filter_map(move |at| Some((process.index, at, link(at)?)))
            })
        };
        let received = outer().map(|(_, _, link)| link.counts().received).sum();
        if this.received.swap(received, Ordering::AcqRel) != received {
            return None;
        }
        let mut unread = outer().filter(|(_, _, link)| link.observe().fill > 0);
        unread
            .next()
            .map(|(process, element, _)| (process, element))
    }

    fn refuse_to_rearm(&self, scope: usize, (process, element): (usize, usize)) {
        let process = &self.processes[process];
        let port = process.input_name(element).unwrap_or_default();
        let message = format!(
            "has ended without receiving anything while packets wait at {port}; its subnet would start again for ever"
        );
        let report = process.report(&Fault::new(message).at(element), None);
        if process.policy == Policy::StopProcess {
            self.note(report);
            self.end_scope(scope);
        } else {
            self.fail(report);
        }
    }

    fn has_more(&self, scope: usize) -> bool {
        let members = self.scopes[scope]
            .members
            .iter()
            .map(|member| &self.processes[*member]);
        let mut entries = members.filter(|process| process.outer_inputs(self).next().is_some());
        !self.is_closing(scope)
            && !self.is_forsaken(scope)
            && entries.any(|process| process.has_outer_input(&mut process.body.lock(), self))
    }

    /// Whether the subnet has readers outside, and all of them have left: it ends like any process
    /// whose receiver is gone.
    fn is_forsaken(&self, scope: usize) -> bool {
        let mut ways_out = self.ways_out(scope).peekable();
        ways_out.peek().is_some() && ways_out.all(|link| link.observe().is_deserted)
    }

    /// The links that lead out of a subnet.
    fn ways_out(&self, scope: usize) -> impl Iterator<Item = &Arc<Link>> {
        let members = self.scopes[scope].members.iter();
        let outputs = members.flat_map(|member| self.processes[*member].outputs());
        let links = outputs.filter_map(Socket::link);
        let links = links.map(|link| &self.links[link]);
        links.filter(move |link| link.home() != Some(scope))
    }

    /// Makes a scope and everything in it ready for the next life of the outermost one that begins
    /// again. The links in that one are empty: every reader has left them.
    fn rearm(&self, scope: usize, outermost: usize) {
        let this = &self.scopes[scope];
        this.left
            .store(this.members.len() + this.children.len(), Ordering::Release);
        this.is_active.store(false, Ordering::Release);
        this.is_closing.store(false, Ordering::Release);
        this.links.iter().for_each(|link| self.links[*link].rearm());
        let children = this.children.iter();
        children.for_each(|child| self.rearm(*child, outermost));
        for member in &this.members {
            self.processes[*member].rearm(self, outermost);
        }
    }

    /// Nothing will come from outside any more. A scope in another one has ended its life only.
    fn end_scope(&self, scope: usize) {
        match self.scopes[scope].parent {
            Some(parent) => {
                self.close_border(scope, parent);
                self.one_less(parent);
            }
            None => self.terminate_scope(scope),
        }
    }

    fn terminate_scope(&self, scope: usize) {
        self.scopes[scope]
            .children
            .iter()
            .for_each(|child| self.terminate_scope(*child));
        for member in &self.scopes[scope].members {
            let process = &self.processes[*member];
            let mut body = process.body.lock();
            if !body.is_ended() {
                process.terminate(&mut body, self);
            }
            drop(body);
            self.roster.wake(*member);
        }
    }

    /// The subnet, the writer of the links behind it and the reader of those before it, leaves those of
    /// them that live as long as the subnet around it.
    fn close_border(&self, scope: usize, parent: usize) {
        let this = &self.scopes[scope];
        this.children
            .iter()
            .for_each(|child| self.close_border(*child, parent));
        let is_sated = self.ways_out(scope).all(|link| link.is_sated());
        for member in &this.members {
            let process = &self.processes[*member];
            let mut body = process.body.lock();
            for (element, socket) in process.outputs().iter().enumerate() {
                if self.lives_with(socket.link(), parent) {
                    body.turn.end_output(element);
                }
            }
            for (element, socket) in process.inputs().iter().enumerate() {
                if self.lives_with(socket.link(), parent) {
                    body.turn.end_input(element, is_sated);
                }
            }
            let signals = process.special.signals.iter();
            signals
                .filter(|writer| writer.link.home() == Some(parent))
                .for_each(Outlet::close);
            process
                .single_reads()
                .filter(|link| self.lives_with(Some(*link), parent))
                .for_each(|link| {
                    self.links[link].close_reader(Received::default(), is_sated);
                });
        }
    }

    /// Whether a scope is another one or lies within it.
    pub(crate) fn is_within(&self, mut scope: usize, outer: usize) -> bool {
        while scope != outer {
            match self.scopes[scope].parent {
                Some(parent) => scope = parent,
                None => return false,
            }
        }
        true
    }

    fn lives_with(&self, link: Option<usize>, scope: usize) -> bool {
        link.is_some_and(|link| self.links[link].home() == Some(scope))
    }
}
