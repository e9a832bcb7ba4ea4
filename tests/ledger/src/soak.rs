//! Kills a network at times by chance, runs it again until it finishes, and compares what it has said with
//! a run that nobody disturbs.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value as Json, json};

use crate::chance::Chance;
use crate::child::{Child, End, Order};

/// What is soaked, and how.
pub(crate) struct Soak<'a> {
    pub(crate) office: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) graph: &'a Path,
    pub(crate) wiring: &'a Path,
    pub(crate) kills: u32,
    pub(crate) seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Soaked {
    pub(crate) kills: u32,
    /// How often it came to its end.
    pub(crate) rounds: u32,
    /// Lines of a run that nobody disturbs.
    pub(crate) lines: usize,
    /// Lines that came once more than they should.
    pub(crate) again: u64,
    /// The last line, where that is a record.
    pub(crate) summary: Option<Json>,
    pub(crate) wrong: Vec<String>,
}

/// How often each line came.
type Lines = BTreeMap<String, u64>;

impl Soak<'_> {
    pub(crate) fn run(&self) -> io::Result<Soaked> {
        fs::create_dir_all(self.folder)?;
        let begun = Instant::now();
        let (expected, summary) = self.undisturbed()?;
        let whole = begun.elapsed();
        let mut soaked = Soaked {
            lines: expected
                .values()
                .sum::<u64>()
                .try_into()
                .unwrap_or_default(),
            summary,
            ..Soaked::default()
        };
        soaked
            .wrong
            .extend(soaked.summary.as_ref().and_then(unbalanced));
        let mut chance = Chance::of(self.seed, "soak");
        while soaked.kills < self.kills && soaked.wrong.is_empty() {
            self.round(&mut soaked, &expected, (whole, &mut chance))?;
        }
        Ok(soaked)
    }

    fn undisturbed(&self) -> io::Result<(Lines, Option<Json>)> {
        let child = self.start("undisturbed")?;
        let end = child.wait()?;
        let lines = child.rest();
        if end != End::Exit(0) {
            return Err(io::Error::other(format!(
                "undisturbed: {}",
                told(&child, end)
            )));
        }
        let summary = lines
            .last()
            .and_then(|line| serde_json::from_str(line).ok());
        Ok((count(lines), summary))
    }

    /// A store of its own, from the first run to the one that finishes.
    fn round(
        &self,
        soaked: &mut Soaked,
        expected: &Lines,
        (whole, chance): (Duration, &mut Chance),
    ) -> io::Result<()> {
        let store = format!("round-{}", soaked.rounds);
        let mut said = Lines::new();
        loop {
            let most = u64::try_from(whole.as_micros()).unwrap_or(u64::MAX) / 4;
            let after = Duration::from_micros(chance.up_to(most));
            let is_last = soaked.kills == self.kills;
            let child = self.start(&store)?;
            let end = child.wait_or_kill((!is_last).then_some(after))?;
            let mut lines = child.rest();
            match end {
                End::Killed(Signal::SIGKILL) => {
                    // The last one may be cut off.
                    lines.pop_if(|line| !expected.contains_key(line));
                    soaked.kills += 1;
                }
                End::Exit(0) => {}
                end => {
                    soaked.wrong.push(told(&child, end));
                    return Ok(());
                }
            }
            count_into(&mut said, lines);
            if end == End::Exit(0) {
                soaked.rounds += 1;
                compare(soaked, expected, &said);
                return Ok(());
            }
        }
    }

    fn start(&self, store: &str) -> io::Result<Child> {
        let data = self.folder.join(store);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let complaints = self.folder.join("soak.log");
        Child::start(&Order {
            office: self.office,
            folder: &root,
            graph: self.graph,
            wiring: self.wiring,
            data: &data,
            complaints: &complaints,
            failpoint: None,
            more: &[],
            limit: None,
        })
    }
}

fn told(child: &Child, end: End) -> String {
    let complaints = child.complaints().unwrap_or_default();
    let first: Vec<&str> = complaints.lines().take(8).collect();
    format!("it ended by {end:?}: {}", first.join(" / "))
}

fn count(lines: Vec<String>) -> Lines {
    let mut counted = Lines::new();
    count_into(&mut counted, lines);
    counted
}

fn count_into(counted: &mut Lines, lines: Vec<String>) {
    for line in lines {
        *counted.entry(line).or_default() += 1;
    }
}

/// Each line that was expected came, at least as often, and no other.
fn compare(soaked: &mut Soaked, expected: &Lines, said: &Lines) {
    let times = |line: &String| said.get(line).copied().unwrap_or_default();
    for (line, wanted) in expected {
        match times(line).checked_sub(*wanted) {
            Some(again) => soaked.again += again,
            // Equal lines of several orders are told apart by the sums in the last one.
            None if times(line) > 0 => {}
            None => soaked.wrong.push(format!("lost: {line}")),
        }
    }
    let strange = said.keys().filter(|line| !expected.contains_key(*line));
    let strange = strange.map(|line| format!("nobody else says: {line}"));
    soaked.wrong.extend(strange);
}

/// Money that was taken and is neither kept nor given back.
fn unbalanced(summary: &Json) -> Option<String> {
    let [taken, kept, refunded] = ["taken", "kept", "refunded"].map(|sum| summary[sum].as_i64());
    (taken? != kept? + refunded?).then(|| format!("the books do not balance: {summary}"))
}

impl Soaked {
    /// In a few lines.
    pub(crate) fn words(&self) -> String {
        let Self {
            kills,
            rounds,
            lines,
            again,
            summary,
            wrong,
        } = self;
        let sums = summary.as_ref().filter(|summary| summary["taken"].is_i64());
        let sums = sums.map(|sums| {
            let [taken, kept, refunded] = ["taken", "kept", "refunded"].map(|sum| &sums[sum]);
            format!("\ntaken {taken} = kept {kept} + refunded {refunded}, as undisturbed")
        });
        let wrong: Vec<&str> = wrong.iter().take(5).map(String::as_str).collect();
        let verdict = match wrong.is_empty() {
            true => String::from("nothing lost, nothing else said"),
            false => format!("FAILED: {}", wrong.join("\n")),
        };
        format!(
            "soak: {kills} kills, {rounds} times to the end, {lines} lines each, {again} lines again; {verdict}{}",
            sums.unwrap_or_default()
        )
    }

    pub(crate) fn json(&self) -> Json {
        json!({
            "kills": self.kills,
            "rounds": self.rounds,
            "lines": self.lines,
            "again": self.again,
            "summary": self.summary,
            "wrong": self.wrong,
        })
    }
}

/// The order flow, with what must not be lost in a store.
pub(crate) fn order_flow(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../graphs/order-flow")
        .join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_or_strange_is_wrong_and_what_comes_again_is_counted() {
        let lines = |text: &str| count(text.split(' ').map(String::from).collect());
        let mut soaked = Soaked::default();
        compare(&mut soaked, &lines("a b c"), &lines("a a a c d"));
        assert_eq!(soaked.wrong, ["lost: b", "nobody else says: d"]);
        assert_eq!(soaked.again, 2);
    }

    #[test]
    fn money_is_kept_or_given_back() {
        assert_eq!(
            unbalanced(&json!({"taken": 3, "kept": 2, "refunded": 1})),
            None
        );
        assert!(unbalanced(&json!({"taken": 3, "kept": 2, "refunded": 0})).is_some());
    }
}
