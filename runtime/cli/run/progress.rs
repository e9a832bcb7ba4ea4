//! A line on a terminal that says how far the network is; silence anywhere else.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use paperflow_engine::report::State;
use paperflow_engine::{Observer, Running};
use paperflow_graph::Plan;

/// How often the line is drawn.
const EVERY: Duration = Duration::from_millis(120);

/// The line, until it is finished.
pub(crate) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

/// Shows a line, if somebody can see it and nothing else is written over it.
pub(crate) fn start(running: &Running, plan: &Plan) -> Progress {
    let is_free = !io::stdout().is_terminal() || !plan.processes.iter().any(writes_to_console);
    if !io::stderr().is_terminal() || !is_free {
        return Progress(None);
    }
    let (end, ended) = mpsc::channel();
    let observer = running.observer();
    let show = move || {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            bar.set_message(message(&observer));
            bar.tick();
        }
        bar.finish_and_clear();
    };
    let thread = thread::Builder::new()
        .name(String::from("progress"))
        .spawn(show);
    Progress(thread.ok().map(|thread| (end, thread)))
}

impl Progress {
    /// Takes the line away.
    pub(crate) fn finish(self) {
        if let Some((end, thread)) = self.0 {
            drop(end);
            drop(thread.join());
        }
    }
}

fn writes_to_console(process: &paperflow_graph::plan::Process) -> bool {
    process.component.starts_with("console/")
}

fn message(observer: &Observer) -> String {
    let states = observer.states();
    let count =
        |wanted: fn(&State) -> bool| states.iter().filter(|(_, state)| wanted(state)).count();
    let ended = count(|state| *state == State::Terminated);
    let outside = count(|state| *state == State::Outside);
    let full = count(|state| matches!(state, State::SuspendedSend(_)));
    format!(
        "{} packets; {ended} of {} processes ended, {outside} outside, {full} waiting for room",
        observer.received(),
        states.len()
    )
}
