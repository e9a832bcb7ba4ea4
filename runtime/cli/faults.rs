//! What goes wrong while a network runs, as diagnostics: with a code, the source line of the process
//! and the way out.

use paperflow_core::connector::{StoreFault, StoreFaultKind};
use paperflow_engine::report::{Deadlock, FaultReport, Leak, Outcome, Unbalanced};
use paperflow_engine::{BuildError, Verdict};
use paperflow_graph::{Diagnostic, Plan, Span};

use super::render::count;

/// A code, its title and its explanation.
type Explanation = (&'static str, &'static str, &'static str);

const FAILED: Explanation = (
    "P0601",
    "a process failed",
    "\
A component gave up, or panicked, and nobody took care of it, so the network stopped.

    'missing.txt' -> SOURCE Read(file/lines) OUT -> IN Show(console/write)

The message says what happened, and which packet was being handled if there was one. Where the
failure belongs to a packet, connect the process's ERROR port and the packet goes there with the
header `error`; or give the process a policy: `Pay(course/take-payment:fault=park)` sets the packet
aside, `fault=retry` tries again first, `fault=restart` opens the process afresh,
`fault=stop-process` ends only this process.
",
);

const DEADLOCK: Explanation = (
    "P0602",
    "deadlock",
    "\
Processes wait for each other and nothing can ever move again.

    Split(flow/round-robin) OUT[0] -> IN[0] Join(flow/concat)
    Split OUT[1] -> IN[1] Join

Here Join reads all of IN[0] before it looks at IN[1]; when the link to IN[1] is full, Split waits
for room there and sends nothing to IN[0]. The report lists each process that waits, the port, how
full its link is, and who is on the other side. Where it can be told, it begins with the process that
reads in such an order, and names a capacity that would have been enough. Let the reader take packets
in the order they come (`flow/merge`), or make the link large enough for what it must hold:
`->(1000)`.
",
);

const LEAK: Explanation = (
    "P0603",
    "a component lost packets",
    "\
A component took packets and neither sent nor dropped them.

Packets are counted: what is made and received must be sent on or ended. This is a mistake in the
component, not in the graph. A component written as a function cannot make it; look for a hand-written
one that keeps a packet when it ends, or that leaves one on its stack.
",
);

const UNBALANCED: Explanation = (
    "P0604",
    "brackets that do not match",
    "\
A stream ended with open brackets that were never closed, or the other way round.

Whoever reads groups from this stream cannot tell where they end. Look at the components that send
into it: each open bracket needs its close bracket, and two writers that both send groups into one
port break each other's. Bring groups together with `flow/concat`, one after the other.
",
);

const SET_ASIDE: Explanation = (
    "P0605",
    "a fault that the network survived",
    "\
A process could not handle a packet, or ended early, and its policy let the rest go on.

With `fault=park` or `fault=retry` the packet was set aside, with `fault=restart` the process starts
afresh, with `fault=stop-process` it ended. The run counts as a success because the graph says so.
Connect the process's ERROR port to do something about such packets.
",
);

const UNDRAINED: Explanation = (
    "P0606",
    "not drained in time",
    "\
The network was told to stop, and processes were still at work when the time was up.

The first Ctrl-C stops the sources and lets everything drain; a second one, or the end of
`--drain DURATION`, stops at once. What was still in the network is lost, as if the machine had
failed; what came from a store, or from a source that sends the same again, comes again in the next run.
Give it more time with `--drain 1m`.
",
);

const UNBUILT: Explanation = (
    "P0607",
    "the network cannot be built",
    "\
The graph is correct, but this machine cannot run it.

The usual reason is more processes with a thread of their own than the system has threads for. Run
it with `--scheduler auto`, so that processes share a pool of workers.
",
);

const UNOPENED: Explanation = (
    "P0608",
    "the store cannot be opened",
    "\
A link or a table of the graph is kept by a store, and the store is not to be had.

    Orders OUT ->(queue) IN Pay

The embedded store is a folder, `.paperflow` beside the graph or what `--data DIR` says. One process at
a time may have it: a second run of the graph needs a folder of its own. A store that is damaged is never
repaired or made anew behind your back; the message says what to do.
",
);

/// Every diagnostic of a run, by code.
pub(super) const EXPLANATIONS: &[Explanation] = &[
    FAILED, DEADLOCK, LEAK, UNBALANCED, SET_ASIDE, UNDRAINED, UNBUILT, UNOPENED,
];

const SENT_OR_DROPPED: &str = "each packet a component takes must be sent or dropped by it";

/// How many waiting processes are shown with their source lines; the report lists them all.
const MOST_LABELS: usize = 8;

/// Everything an outcome has to say, the reason for its end last.
pub(super) fn of_outcome(outcome: &Outcome, plan: &Plan) -> Vec<Diagnostic> {
    let mut found: Vec<_> = outcome
        .faults
        .iter()
        .map(|fault| survived(fault, plan))
        .collect();
    found.extend(outcome.leaks.iter().map(|leak| leaked(leak, plan)));
    found.extend(
        outcome
            .unbalanced
            .iter()
            .map(|stream| unbalanced(stream, plan)),
    );
    match &outcome.verdict {
        Verdict::Finished => {}
        Verdict::Failed(fault) => found.push(failed(fault, plan)),
        Verdict::Deadlock(deadlock) => found.push(deadlocked(deadlock, plan)),
        Verdict::Abandoned(processes) => found.push(undrained(processes, plan)),
    }
    found
}

/// A network that could not be built.
pub(super) fn unbuilt(error: &BuildError) -> Box<Diagnostic> {
    let found = Diagnostic::error(UNBUILT.0, Span::default(), error.to_string());
    Box::new(found)
}

/// Why the store of a graph cannot be opened.
pub(super) fn unopened(fault: &StoreFault) -> Box<Diagnostic> {
    let found = Diagnostic::error(UNOPENED.0, Span::default(), fault.to_string());
    Box::new(match fault.kind() {
        StoreFaultKind::Taken => found.help("stop the other one, or give this one `--data DIR`"),
        _ => found,
    })
}

fn span(plan: &Plan, address: &str) -> Span {
    plan.process(address)
        .map_or_else(Span::default, |process| plan.processes[process].span)
}

/// The name in the drawing: `P` for the worker `P[2]` that does some of its work.
fn drawn(address: &str) -> &str {
    address.split('[').next().unwrap_or(address)
}

fn failed(fault: &FaultReport, plan: &Plan) -> Diagnostic {
    let message = format!("`{}` failed: {}", place(fault), fault.message);
    let found = Diagnostic::error(FAILED.0, span(plan, &fault.address), message).note(note(fault));
    if fault.packet.is_none() {
        return found;
    }
    let address = drawn(&fault.address);
    found.help(format!(
        "connect `{address} ERROR -> ...`, or give the process a policy such as `fault=park`"
    ))
}

fn survived(fault: &FaultReport, plan: &Plan) -> Diagnostic {
    let message = format!("`{}` could not go on: {}", place(fault), fault.message);
    Diagnostic::warning(SET_ASIDE.0, span(plan, &fault.address), message)
        .note(note(fault))
        .help(format!(
            "connect `{} ERROR -> ...` to do something about it",
            drawn(&fault.address)
        ))
}

fn place(fault: &FaultReport) -> String {
    match &fault.port {
        Some(port) => format!("{}.{port}", fault.address),
        None => fault.address.clone(),
    }
}

fn note(fault: &FaultReport) -> String {
    match &fault.packet {
        Some(packet) => format!("`{}`, with the packet `{packet}`", fault.component),
        None => format!("`{}`", fault.component),
    }
}

fn leaked(leak: &Leak, plan: &Plan) -> Diagnostic {
    let packets = count(
        usize::try_from(leak.packets.abs()).unwrap_or(usize::MAX),
        "packet",
    );
    let (what, help) = match (leak.on_stack, leak.packets < 0) {
        (true, _) => (
            "left on its stack",
            "what a component lays on its stack must be taken off again before its input has ended",
        ),
        (_, true) => ("made up", SENT_OR_DROPPED),
        (_, false) => ("lost", SENT_OR_DROPPED),
    };
    let message = format!("`{}` {what} {packets}", leak.address);
    Diagnostic::error(LEAK.0, span(plan, &leak.address), message).help(help)
}

fn unbalanced(stream: &Unbalanced, plan: &Plan) -> Diagnostic {
    let brackets = count(
        usize::try_from(stream.open.abs()).unwrap_or(usize::MAX),
        "bracket",
    );
    let what = if stream.open > 0 {
        "open and not closed"
    } else {
        "closed and never opened"
    };
    let address = stream
        .to
        .rsplit_once('.')
        .map_or(stream.to.as_str(), |(address, _)| address);
    Diagnostic::error(
        UNBALANCED.0,
        span(plan, address),
        format!("{brackets} into `{}` {what}", stream.to),
    )
    .note("reads this stream")
    .help("look at the components that send into it: each open bracket needs its close bracket")
}

fn undrained(processes: &[String], plan: &Plan) -> Diagnostic {
    let message = format!(
        "stopped with {} still at work",
        count(processes.len(), "process")
    );
    let address = |text: &String| {
        text.split(" (")
            .next()
            .map(String::from)
            .unwrap_or_default()
    };
    let first = processes.first().map(address).unwrap_or_default();
    let mut found =
        Diagnostic::error(UNDRAINED.0, span(plan, &first), message).note("still at work");
    for address in processes.iter().skip(1).take(MOST_LABELS).map(address) {
        found = found.label(span(plan, &address), "so is this");
    }
    found.help(format!(
        "not done: {}; `--drain DURATION` gives more time",
        processes.join(", ")
    ))
}

fn deadlocked(deadlock: &Deadlock, plan: &Plan) -> Diagnostic {
    let number = deadlock.stuck.len();
    let message = format!(
        "deadlock: {} can never move again",
        count(number, "process")
    );
    let mut stuck = deadlock
        .stuck
        .iter()
        .map(|stuck| (span(plan, &stuck.address), stuck.state.to_string()));
    let (first, state) = stuck.next().unwrap_or_default();
    let mut found = Diagnostic::error(DEADLOCK.0, first, message).note(state);
    for (span, state) in stuck.take(MOST_LABELS - 1) {
        found = found.label(span, state);
    }
    let usual = "read whatever comes first, or make a link of the cycle larger: `->(1000)`";
    let way_out = deadlock.sufficient.as_deref().unwrap_or(usual);
    let lines: Vec<_> = deadlock.culprit.iter().map(String::as_str).collect();
    found.help([lines, vec![way_out]].concat().join("\n"))
}

/// Every waiting process with its ports, fills, capacities and peers, and a cycle of waits.
pub(super) fn waits(deadlock: &Deadlock) -> String {
    let mut lines = vec![String::from("waiting:")];
    for stuck in &deadlock.stuck {
        lines.push(format!(
            "  {} {} at {}",
            stuck.address, stuck.state, stuck.origin
        ));
        lines.extend(stuck.links.iter().map(|link| {
            let peers = link.peers.join(", ");
            format!(
                "    {} {}/{} with {peers}",
                link.port, link.fill, link.capacity
            )
        }));
    }
    if !deadlock.cycle.is_empty() {
        lines.push(String::from("cycle:"));
        lines.extend(deadlock.cycle.iter().map(|wait| format!("  {wait}")));
    }
    lines.join("\n") + "\n"
}
