//! Many packets through a durable arc whose reader is slower than its writer: memory and disk are bounded by the
//! arc, and by what is kept, not by how many have gone through.
#![cfg(feature = "sqlite")]

mod kept;

use std::fs;

use kept::{Kept, Run};
use paperflow::{Closed, Out, Param, Scheduler, Text, component};

const PACKETS: usize = 50_000;
const BYTES: usize = 256;
/// Packets of the arc.
const CAPACITY: u64 = 500;
/// Of the file: a third of what goes through. Its log has a line for each of the last 10,000 deliveries, and a
/// run knows the ids of all that it has sent.
const MOST: u64 = (PACKETS * BYTES / 3) as u64;

/// Sends letters of 256 bytes.
#[component("test/letters", work = compute)]
async fn letters(
    /// How many.
    count: Param<usize>,
    /// The letters.
    out: Out<Text>,
) -> Result<(), Closed> {
    for number in 0..*count {
        out.send(format!("{number:0BYTES$}")).await?;
    }
    Ok(())
}

fn graph(name: &str, arc: &str, way: Scheduler) -> Kept {
    let text = format!(
        "'{PACKETS}' -> COUNT E(test/letters) OUT ->({arc}) IN W(flow/pass)\nOUTPORT=W.OUT:OUT"
    );
    Kept::new(name, &text).with(letters).under(way)
}

fn size(kept: &Kept) -> u64 {
    let file = fs::metadata(kept.folder().join("store.db"));
    file.expect("there is a store").len()
}

/// Reads all, and looks now and then, but not when it may be over.
fn read(mut run: Run, look: impl Fn()) {
    let mut out = run.output("OUT");
    for number in 0..PACKETS {
        if number % 5_000 == 0 {
            look();
        }
        let letter = out.next().map(|letter| letter.to_string());
        assert_eq!(letter, Some(format!("{number:0BYTES$}")));
    }
    assert!(run.finish().is_success());
}

/// What the runs before have left is room for the next.
#[track_caller]
fn is_used_again(kept: &Kept) {
    let sizes = [(); 3].map(|()| {
        read(kept.start(), || ());
        size(kept)
    });
    assert!(sizes[2] < sizes[0] + sizes[0] / 4, "{sizes:?}");
}

#[test]
fn a_queue_takes_no_more_than_it_holds_and_its_file_is_used_again() {
    let arc = format!("queue, {CAPACITY}");
    let kept = graph("plateau-queue", &arc, Scheduler::Pool(2));
    read(kept.start(), || {
        let queue = kept.queue("g.W.IN");
        assert!(queue.ready <= CAPACITY, "{queue:?}");
        // One batch that was received, and what lies in the two links behind it.
        assert!(queue.leased <= 256 + 2 * 128 + 64, "{queue:?}");
        assert!(size(&kept) < MOST, "{} bytes", size(&kept));
    });
    is_used_again(&kept);
}

#[test]
fn a_stream_takes_no_more_than_is_kept_of_it_and_its_file_is_used_again() {
    let arc = format!("stream, retain=1000, {CAPACITY}");
    let kept = graph("plateau-stream", &arc, Scheduler::Threads);
    read(kept.start(), || {
        assert!(size(&kept) < MOST, "{} bytes", size(&kept));
    });
    is_used_again(&kept);
}
