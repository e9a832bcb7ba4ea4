//! Who is to blame for a deadlock, and which capacity would have avoided it.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use crate::judge::{Exit, Still};
use crate::roster::Who;

impl Still<'_> {
    /// The process that waits for one port while another process is stopped by its not reading a
    /// second one, in one sentence.
    pub(crate) fn culprit(&self, stuck: &BTreeSet<usize>) -> Option<String> {
        let (sender, exit, reader) = self.unread(stuck)?;
        let link = exit.link;
        let waits = self.wait(reader).receive;
        let wanted = waits.first().map(|link| self.port_in(reader, *link))?;
        let (from, to) = (self.port_out(sender, &exit), self.port_in(reader, link));
        let (fill, capacity) = (self.looks[&link].fill, self.net.links[link].capacity());
        let (reader_name, sender_name) = (self.address(reader), self.address(sender));
        let never = if self.net.links[link].counts().received == 0 {
            format!(", and has never read {to}")
        } else {
            String::new()
        };
        Some(format!(
            "{reader_name} waits for {wanted} while {sender_name} cannot send to {from}: link {fill}/{capacity}{never}"
        ))
    }

    /// The capacity that would have sufficed, when nothing more can come from the sources and each
    /// process sends one packet for each that it receives.
    pub(crate) fn sufficient(&self, stuck: &BTreeSet<usize>) -> Option<String> {
        let (sender, exit, reader) = self.unread(stuck)?;
        let link = exit.link;
        let above = self.upstream(sender);
        let is_over =
            |process: &usize| self.net.processes[*process].is_over.load(Ordering::Acquire);
        let is_source = |process: &usize| self.net.processes[*process].is_source;
        if !above
            .iter()
            .copied()
            .filter(|process| is_source(process))
            .all(|source| is_over(&source))
        {
            return None;
        }
        let reads = |at: &usize| matches!(self.net.links[*at].reader, Who::Process(process) if above.contains(&process));
        let queued = self.looks.iter().filter(|(at, _)| reads(at));
        let queued: usize = queued.map(|(_, look)| look.fill).sum();
        let needed = self.looks[&link].fill + queued + 1;
        let (from, to) = (self.port_out(sender, &exit), self.port_in(reader, link));
        Some(format!(
            "{} {from} ->({needed}) {to} {} would have been enough",
            self.address(sender),
            self.address(reader)
        ))
    }

    /// A stuck sender whose reader waits for something else.
    fn unread(&self, stuck: &BTreeSet<usize>) -> Option<(usize, Exit, usize)> {
        stuck.iter().copied().find_map(|sender| {
            let exits = self.wait(sender).send;
            exits
                .into_iter()
                .find_map(|exit| match self.net.links[exit.link].reader {
                    Who::Process(reader) if self.is_waiting_elsewhere(reader, exit.link) => {
                        Some((sender, exit, reader))
                    }
                    _ => None,
                })
        })
    }

    fn is_waiting_elsewhere(&self, reader: usize, link: usize) -> bool {
        let wait = self.wait(reader);
        wait.send.is_empty() && !wait.receive.is_empty() && !wait.receive.contains(&link)
    }

    /// The process and everything that leads to it.
    fn upstream(&self, process: usize) -> BTreeSet<usize> {
        let mut above = BTreeSet::from([process]);
        let mut todo = vec![process];
        while let Some(at) = todo.pop() {
            let into = self
                .net
                .links
                .iter()
                .filter(|link| matches!(link.reader, Who::Process(to) if to == at));
            for who in into.flat_map(|link| &*link.writers) {
                if let Who::Process(from) = who
                    && above.insert(*from)
                {
                    todo.push(*from);
                }
            }
        }
        above
    }

    fn address(&self, process: usize) -> &str {
        &self.net.processes[process].address
    }

    pub(crate) fn port_in(&self, process: usize, link: usize) -> String {
        let process = &self.net.processes[process];
        let mut sockets = process.inputs().iter();
        let element = sockets.position(|socket| socket.link() == Some(link));
        let name = element.and_then(|element| process.input_name(element));
        name.unwrap_or("*").to_owned()
    }

    pub(crate) fn port_out(&self, process: usize, exit: &Exit) -> String {
        let form = &self.net.processes[process].form;
        form.output_name(exit.element).to_owned()
    }
}
