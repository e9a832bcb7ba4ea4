//! What the ledgers of a network wrote, and whether it adds up.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// How often each number stands in a file.
type Times = BTreeMap<u64, u64>;

#[derive(Debug)]
pub(crate) struct Books {
    /// What came to the ledger, before its inbox.
    pub(crate) arrived: Times,
    /// How often it was counted, by the ledger's own table.
    pub(crate) counted: Times,
    /// Calls of the handler, by number.
    pub(crate) handled: Times,
    /// The numbers of those calls, in their order.
    pub(crate) calls: Vec<u64>,
    pub(crate) dead: Aside,
    pub(crate) invalid: Aside,
}

/// What was set aside: what came to its ledger, and how often that counted it.
#[derive(Debug)]
pub(crate) struct Aside {
    pub(crate) arrived: Times,
    pub(crate) counted: Times,
}

impl Books {
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let calls = lines(&folder.join("effects.log"))?;
        let calls: Vec<u64> = calls.iter().map(|(number, _)| *number).collect();
        Ok(Self {
            arrived: times(&folder.join("arrived.log"))?,
            counted: most(&folder.join("counted.log"))?,
            handled: calls.iter().fold(Times::new(), |mut times, number| {
                *times.entry(*number).or_default() += 1;
                times
            }),
            calls,
            dead: Aside::read(folder, "dead")?,
            invalid: Aside::read(folder, "invalid")?,
        })
    }

    /// More than one of each number came before the inbox.
    pub(crate) fn duplicates(&self) -> u64 {
        surplus(&self.arrived)
    }

    /// More than one call had an effect outside, of those that were to have one.
    pub(crate) fn repeated(&self, good: impl Iterator<Item = u64>) -> u64 {
        let calls = good.filter_map(|number| self.handled.get(&number));
        calls.map(|calls| calls - 1).sum()
    }

    /// Each number was counted once, and no other.
    pub(crate) fn check(&self, sent: impl Iterator<Item = u64>) -> Result<(), String> {
        compare("counted", &self.counted, sent)
    }
}

impl Aside {
    fn read(folder: &Path, name: &str) -> io::Result<Self> {
        Ok(Self {
            arrived: times(&folder.join(format!("{name}.log")))?,
            counted: most(&folder.join(format!("{name}-counted.log")))?,
        })
    }

    pub(crate) fn duplicates(&self) -> u64 {
        surplus(&self.arrived)
    }
}

/// Each of these numbers stands there once, and no other.
pub(crate) fn compare(
    what: &str,
    found: &Times,
    expected: impl Iterator<Item = u64>,
) -> Result<(), String> {
    let expected: BTreeMap<u64, u64> = expected.map(|number| (number, 1)).collect();
    let lost = expected.keys().filter(|number| !found.contains_key(number));
    let twice = found.iter().filter(|(_, times)| **times > 1);
    let strange = found.keys().filter(|number| !expected.contains_key(number));
    let lists = [
        ("lost", lost.copied().collect::<Vec<u64>>()),
        ("more than once", twice.map(|(number, _)| *number).collect()),
        ("not sent", strange.copied().collect()),
    ];
    let wrong = lists.iter().filter(|(_, numbers)| !numbers.is_empty());
    let wrong: Vec<String> = wrong.map(|(how, numbers)| told(how, numbers)).collect();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{what}: {}", wrong.join("; "))),
    }
}

fn told(how: &str, numbers: &[u64]) -> String {
    let first: Vec<String> = numbers.iter().take(5).map(u64::to_string).collect();
    let more = if numbers.len() > 5 { " ..." } else { "" };
    format!("{} {how} ({}{more})", numbers.len(), first.join(", "))
}

fn surplus(times: &Times) -> u64 {
    times.values().map(|times| times - 1).sum()
}

/// How many lines each number has.
fn times(path: &Path) -> io::Result<Times> {
    let mut times = Times::new();
    for (number, _) in lines(path)? {
        *times.entry(number).or_default() += 1;
    }
    Ok(times)
}

/// The greatest count that stands behind each number. A line is written before its row is kept, and may
/// be there twice; a row that was kept twice has a greater count.
fn most(path: &Path) -> io::Result<Times> {
    let mut most = Times::new();
    for (number, times) in lines(path)? {
        let known = most.entry(number).or_default();
        *known = times.max(*known);
    }
    Ok(most)
}

/// The lines of a file: a number, and what stands behind it. The last one may be cut off.
fn lines(path: &Path) -> io::Result<Vec<(u64, u64)>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    Ok(whole.lines().filter_map(line).collect())
}

fn line(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split(' ');
    let number = words.next()?.trim_end_matches(char::is_alphabetic);
    let times = words.next().and_then(|times| times.parse().ok());
    Some((number.parse().ok()?, times.unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_doubled_or_strange_is_told() {
        let found = Times::from([(1, 1), (2, 2), (9, 1)]);
        let wrong = compare("counted", &found, 1..=3).unwrap_err();
        assert_eq!(
            wrong,
            "counted: 1 lost (3); 1 more than once (2); 1 not sent (9)"
        );
        assert_eq!(surplus(&found), 1);
    }

    #[test]
    fn lines_begin_with_a_number() {
        assert_eq!(line("000012abcd"), Some((12, 1)));
        assert_eq!(line("7 3"), Some((7, 3)));
        assert_eq!(line("else"), None);
    }
}
