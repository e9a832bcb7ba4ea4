//! What is kept of a group and a partition beside its mark: the note that Kafka keeps with a committed offset.
//!
//! So attempts, and the rest between them, are known to whoever goes on with the partition, wherever; and to whoever
//! waits for room, what somebody has in their hands.

use paperflow_core::Moment;
use serde::{Deserialize, Serialize};

use crate::clock::{millis, moment};
use crate::stream::group::{Kept, Now};
use crate::stream::mark::{Failed, Offset};

/// The most that brokers take, if they are not told otherwise.
const LONGEST: usize = 4096;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Note {
    replayed: u64,
    skipped: u64,
    expired: u64,
    /// Records behind the mark that are not to be received any more, unless somebody else goes on.
    #[serde(skip_serializing_if = "is_none")]
    held: u64,
    /// Offset, failures, until when it rests, and when it failed first, in milliseconds since 1970.
    failed: Vec<(Offset, u32, i64, i64)>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// The note of a partition. When there are more failures than it can hold, the last ones begin anew for
/// whoever goes on with the partition.
pub(super) fn write((kept, held): (Kept, u64), failures: &[(Offset, Failed)], now: Now) -> String {
    let failed = failures.iter().map(|(offset, failed)| {
        let until = millis(now.wall_at(failed.until));
        (*offset, failed.times, until, millis(failed.first))
    });
    let mut note = Note {
        replayed: kept.replayed,
        skipped: kept.skipped,
        expired: kept.expired,
        held,
        failed: failed.collect(),
    };
    loop {
        // Numbers can always be written.
        let text = serde_json::to_string(&note).unwrap_or_default();
        if text.len() <= LONGEST {
            return text;
        }
        let half = note.failed.len() / 2;
        note.failed.truncate(half);
    }
}

/// How many records behind the mark are not to be received any more by whoever has the partition.
pub(super) fn held(text: &str) -> u64 {
    let note: Note = serde_json::from_str(text).unwrap_or_default();
    note.held
}

/// What a note says; nothing but the mark when somebody else has written it.
pub(super) fn read(mark: Offset, text: &str, now: Now) -> (Kept, Vec<(Offset, Failed)>) {
    let note: Note = serde_json::from_str(text).unwrap_or_default();
    let failed = note
        .failed
        .into_iter()
        .map(|(offset, times, until, first)| {
            let until: Moment = moment(until);
            let failed = Failed {
                times,
                until: now.elapsed_at(until),
                first: moment(first),
            };
            (offset, failed)
        });
    let kept = Kept {
        mark,
        replayed: note.replayed,
        skipped: note.skipped,
        expired: note.expired,
    };
    (kept, failed.collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn now(wall: u64, elapsed: u64) -> Now {
        Now {
            wall: Duration::from_secs(wall),
            elapsed: Duration::from_secs(elapsed),
        }
    }

    #[test]
    fn a_note_is_read_by_a_program_with_another_clock() {
        let kept = Kept {
            mark: 7,
            replayed: 12,
            skipped: 1,
            expired: 2,
        };
        let failed = Failed {
            times: 2,
            until: Duration::from_secs(15),
            first: Duration::from_secs(990),
        };
        let text = write((kept, 3), &[(8, failed)], now(1_000, 10));
        assert_eq!(held(&text), 3);
        let (read_kept, failures) = read(7, &text, now(1_002, 100));
        assert_eq!(read_kept, kept);
        let until = Duration::from_secs(103);
        assert_eq!(failures, [(8, Failed { until, ..failed })]);
    }

    #[test]
    fn a_note_is_no_longer_than_brokers_take_and_foreign_ones_say_nothing() {
        let failures: Vec<_> = (0..1_000).map(|at| (at, Failed::default())).collect();
        let text = write((Kept::default(), 0), &failures, now(1_000, 10));
        assert!(text.len() <= LONGEST);
        let (_, read_failures) = read(0, &text, now(1_000, 10));
        assert!(read_failures.len() > 20, "{}", read_failures.len());
        assert_eq!(held("somebody else's"), 0);
        let (kept, failures) = read(5, "somebody else's", now(1, 1));
        assert_eq!((kept.mark, kept.skipped, failures.len()), (5, 0, 0));
    }
}
