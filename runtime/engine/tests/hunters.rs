//! Networks that hang when a wake-up is lost, run again and again.
//!
//! `PAPERFLOW_REPEATS=50 cargo test --release -p paperflow-engine --test hunters` is the long run.

mod common;

use std::time::Duration;

use common::{Ran, run_library};
use paperflow_engine::{Scheduler, Verdict};

fn repeats() -> usize {
    let written = std::env::var("PAPERFLOW_REPEATS").ok();
    written.and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// Runs a network many times, each time another way. A run that does not end fails the test.
fn hunt(text: &str, subnet: Option<&str>, check: impl Fn(&Ran, &str)) {
    let ways = [
        (Scheduler::Threads, 1),
        (Scheduler::Threads, 7),
        (Scheduler::Pool(1), 2),
        (Scheduler::Pool(2), 1),
        (Scheduler::Pool(2), 3),
        (Scheduler::Auto, 128),
    ];
    for repeat in 0..repeats() {
        for (scheduler, capacity) in ways {
            let way = format!("{scheduler:?} at {capacity}, repeat {repeat}");
            let (done, ended) = std::sync::mpsc::channel();
            let (text, subnet) = (text.to_owned(), subnet.map(str::to_owned));
            std::thread::spawn(move || {
                let ran = run_library(&text, subnet.as_deref(), scheduler, capacity);
                done.send(ran).map_err(drop)
            });
            let ran = ended.recv_timeout(Duration::from_secs(60));
            check(&ran.unwrap_or_else(|_| panic!("{way} does not end")), &way);
        }
    }
}

#[test]
fn a_thousand_groups_through_a_rearmed_subnet() {
    let text = "'3000' -> COUNT G(t/groups) OUT -> IN S(Pass)
'3' -> SIZE G
S OUT -> IN P(t/pass)
OUTPORT=P.OUT:OUT";
    let subnet = "'IN' -> NAME I(SubInSS) OUT -> IN W(t/stumble) OUT -> IN V(t/pass-on-thread) OUT -> IN O(SubOutSS)
'OUT' -> NAME O";
    hunt(text, Some(subnet), |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.out.len(), 5000, "{way}");
    });
}

#[test]
fn five_thousand_packets_over_twenty_ways() {
    let mut text = String::from("'5000' -> COUNT E(t/emit) OUT -> IN D(t/deal)\n");
    for way in 0..20 {
        let component = ["t/pass", "t/walk", "t/stumble", "t/pass-on-thread"][way % 4];
        text += &format!("D OUT[{way}] -> IN P{way}({component}) OUT -> IN Sum\n");
    }
    text += "Sum(t/tally) OUT -> IN Show(t/walk)\nOUTPORT=Show.OUT:OUT";
    hunt(&text, None, |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.out, ["5000"], "{way}");
    });
}

#[test]
fn loopers_and_functions_in_a_row_that_stumble() {
    let kinds = ["t/walk", "t/stumble", "t/pass", "t/pass-on-thread"];
    let mut text = String::from("'700' -> COUNT E(t/emit-slowly) OUT");
    for step in 0..12 {
        text += &format!(" -> IN S{step}({}) OUT", kinds[step * 7 % 4]);
    }
    text += " -> IN Sum(t/tally) OUT -> IN Show(t/walk)\nOUTPORT=Show.OUT:OUT";
    hunt(&text, None, |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.out, ["700"], "{way}");
    });
}
