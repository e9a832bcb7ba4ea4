//! What processes and links did, as a table.

use std::fmt::Write;
use std::time::Duration;

use paperflow_engine::LONG_TURN;
use paperflow_engine::report::{LinkStatistics, ProcessStatistics, Statistics, Totals};

use crate::cli::out::Paint;
use crate::cli::tabular::{aligned, rows, short};

/// Processes, links, and the sums of both.
pub(crate) fn table(statistics: &Statistics, paint: Paint) -> String {
    let processes = rows(PROCESS, statistics.processes.iter().map(process));
    let links = rows(LINK, statistics.links.iter().flat_map(link));
    let mut text =
        aligned(&processes, PROCESS_LEFT, paint) + "\n" + &aligned(&links, LINK_LEFT, paint) + "\n";
    footer(&mut text, statistics);
    text + &held_up(statistics, paint)
}

/// At most so many waits are shown, none shorter than [`SHORT`] or a hundredth of the longest.
const MOST_WAITS: usize = 10;
const SHORT: Duration = Duration::from_millis(1);

/// Who held up whom: waits at links, and turns that held a worker.
fn held_up(statistics: &Statistics, paint: Paint) -> String {
    let waits = statistics.waits();
    let least = waits
        .first()
        .map_or(SHORT, |wait| SHORT.max(wait.time / 100));
    let waits = waits.iter().take_while(|wait| wait.time >= least);
    let waits = waits.take(MOST_WAITS).map(ToString::to_string);
    let long = |process: &&ProcessStatistics| process.long_turns > 0;
    let turns = statistics.processes.iter().filter(long).map(long_turns);
    section("WHO WAITED FOR WHOM", waits, paint) + &section("LONG TURNS", turns, paint)
}

fn long_turns(process: &ProcessStatistics) -> String {
    let ProcessStatistics {
        address,
        component,
        origin,
        long_turns,
        longest_turn,
        ..
    } = process;
    format!(
        "{address} ({component}) at {origin} held a worker for more than {LONG_TURN:?} {long_turns} times, {} at worst",
        short(*longest_turn)
    )
}

/// Lines under a title; nothing when there are none.
fn section(title: &str, lines: impl Iterator<Item = String>, paint: Paint) -> String {
    let lines: String = lines.map(|line| line + "\n").collect();
    if lines.is_empty() {
        return lines;
    }
    format!("\n{}\n{lines}", paint.strong(title))
}

const PROCESS: &[&str] = &[
    "PROCESS",
    "COMPONENT",
    "STATE",
    "OPENED",
    "TURNS",
    "RECEIVED",
    "SENT",
    "CREATED",
    "DROPPED",
    "PARKED",
    "BUSY",
    "BLOCKED SEND",
    "BLOCKED RECEIVE",
];
/// Columns that are words, from the left; numbers stand to the right.
const PROCESS_LEFT: usize = 3;

const LINK: &[&str] = &[
    "FROM",
    "TO",
    "CAPACITY",
    "SENT",
    "RECEIVED",
    "SHED",
    "LOST",
    "HIGH WATER",
];
const LINK_LEFT: usize = 2;

fn process(process: &ProcessStatistics) -> Vec<String> {
    let words = [
        process.address.clone(),
        process.component.clone(),
        process.state.to_string(),
    ];
    let received = process.received + process.iip_delivered;
    let counts = [
        process.opened,
        process.turns,
        received,
        process.sent,
        process.created,
        process.dropped,
        process.parked,
    ];
    let times = [process.busy, process.blocked_send, process.blocked_receive];
    words
        .into_iter()
        .chain(counts.map(|count| count.to_string()))
        .chain(times.map(short))
        .collect()
}

/// A line for each writer of a link; the first has the numbers.
fn link(link: &LinkStatistics) -> Vec<Vec<String>> {
    let counts = link.counts;
    let mut writers = link.from.iter().cloned();
    let from = writers.next().unwrap_or_else(|| String::from("(nobody)"));
    let numbers = [
        counts.sent,
        counts.received,
        counts.shed,
        counts.lost_on_close,
    ]
    .map(|count| count.to_string());
    let ends = [from, link.to.clone(), link.capacity.to_string()];
    let first = ends
        .into_iter()
        .chain(numbers)
        .chain([counts.high_water.to_string()])
        .collect();
    let other = |writer: String| {
        let mut row = vec![String::new(); LINK.len()];
        row[0] = writer;
        row
    };
    std::iter::once(first).chain(writers.map(other)).collect()
}

fn footer(text: &mut String, statistics: &Statistics) {
    let Totals {
        created,
        iip_delivered,
        fed,
        dropped,
        shed,
        lost_on_close,
        handed_out,
        received,
        ..
    } = statistics.totals;
    let seconds = statistics.elapsed.as_secs_f64().max(1e-9);
    let _ = writeln!(
        text,
        "{received} packets received in {}, {:.0} packets per second",
        short(statistics.elapsed),
        received as f64 / seconds
    );
    let sign = if statistics.totals.is_conserved() {
        "="
    } else {
        "is not"
    };
    let _ = writeln!(
        text,
        "created {created} + initial {iip_delivered} + fed {fed} {sign} \
         dropped {dropped} + shed {shed} + lost {lost_on_close} + handed out {handed_out}"
    );
}
