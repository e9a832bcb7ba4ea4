//! Directories as sources.

mod common;

use common::{Place, rig, run};
use paperflow_core::{Fault, Text, Timer, component, outside};
use paperflow_core::{Out, Param};
use paperflow_engine::{Network, Options, Scheduler, Verdict};
use paperflow_graph::Sources;
use paperflow_graph::plan::{End, Initial, Link, Plan, Process, Writer};
use std::time::Duration;

const NOTHING: [&str; 0] = [];

#[test]
fn walk_goes_into_every_directory() {
    let place = Place::new();
    for directory in ["b", "b/empty", "b/inner", "d"] {
        std::fs::create_dir(place.path(directory)).unwrap();
    }
    let names = [
        "a.txt",
        "c.txt",
        "e.csv",
        "b/x.txt",
        "b/inner/y.txt",
        "d/z.txt",
    ];
    let paths = names.map(|name| place.file(name, ""));
    let walk = rig("Walk").set("SOURCE", place.path("").trim_end_matches('/'));
    walk.clone().expect("OUT", paths.clone().map(Text::from));
    let texts = paths.iter().filter(|path| path.ends_with(".txt"));
    let texts: Vec<_> = texts.map(|path| Text::from(path.as_str())).collect();
    walk.set("PATTERN", "*.txt").expect("OUT", texts);
    let missing = place.path("missing");
    rig("file/walk")
        .set("SOURCE", missing.as_str())
        .expect_fault(&format!("cannot read {missing}: "));
}

#[cfg(unix)]
#[test]
fn walk_does_not_run_in_circles() {
    let place = Place::new();
    std::fs::create_dir(place.path("inner")).unwrap();
    let link = place.path("inner/back");
    std::os::unix::fs::symlink(place.path(""), &link).unwrap();
    rig("file/walk")
        .set("SOURCE", place.path("").trim_end_matches('/'))
        .expect("OUT", [link]);
}

#[test]
fn watch_tells_of_what_is_there_only_when_asked() {
    let place = Place::new();
    let paths = ["a.txt", "b.txt"].map(|name| place.file(name, ""));
    place.file("c.csv", "");
    std::fs::create_dir(place.path("d.txt")).unwrap();
    let watch = rig("Watchdog")
        .set("SOURCE", place.path("").trim_end_matches('/'))
        .set("PATTERN", "*.txt")
        .set("COUNT", "3");
    watch.clone().expect("CREATED", NOTHING);
    watch.set("EXISTING", "true").expect("CREATED", paths);
}

#[test]
fn watch_names_what_is_wrong() {
    let place = Place::new();
    let missing = place.path("missing");
    rig("file/watch")
        .set("SOURCE", missing.as_str())
        .expect_fault(&format!("cannot read {missing}: "));
    rig("file/watch")
        .set("SOURCE", place.path(""))
        .set("INTERVAL", "0s")
        .expect_fault("parameter INTERVAL: expected a duration of more than zero");
    rig("file/watch")
        .set("SOURCE", place.path(""))
        .set("COUNT", "-1")
        .expect_fault("parameter COUNT: expected a whole number, 0 or more, got -1");
}

/// Makes a file, takes it away and makes it again, four seconds apart, from second 2 on.
#[component("test/touch", work = thread)]
async fn touch(
    /// The file.
    path: Param<String>,
    /// The clock.
    timer: Timer,
    /// Nothing.
    #[optional]
    out: Out<Text>,
) -> Result<(), Fault> {
    timer.sleep(Duration::from_secs(2)).await;
    outside(|| std::fs::write(path.as_str(), ""))?;
    timer.sleep(Duration::from_secs(4)).await;
    outside(|| std::fs::remove_file(path.as_str()))?;
    timer.sleep(Duration::from_secs(4)).await;
    outside(|| std::fs::write(path.as_str(), ""))?;
    out.close();
    Ok(())
}

/// Drops everything.
#[component("test/sink", work = compute)]
fn sink(
    /// Anything.
    input: paperflow_core::Packet,
) {
    drop(input);
}

/// Looks at 1.5 s, 3 s ... 15 s, while `test/touch` does its work.
fn watched(directory: &str, path: &str) -> Plan {
    let processes = ["test/touch", "file/watch", "test/sink"].map(|component| Process {
        address: component.to_owned(),
        component: component.to_owned(),
        ..Process::default()
    });
    let end = |process, port: &str| End {
        process,
        port: port.to_owned(),
        ..End::default()
    };
    let initials = [
        (0, "PATH", path),
        (1, "SOURCE", directory),
        (1, "INTERVAL", "1500ms"),
        (1, "COUNT", "10"),
    ];
    let initials = initials.map(|(process, port, value)| Initial {
        to: end(process, port),
        value: value.into(),
        ..Initial::default()
    });
    let link = Link {
        to: end(2, "IN"),
        from: vec![Writer {
            end: end(1, "CREATED"),
            ..Writer::default()
        }],
        ..Link::default()
    };
    Plan {
        initials: initials.into(),
        links: vec![link],
        processes: processes.into(),
        ..Plan::default()
    }
}

#[test]
fn watch_tells_of_a_file_that_is_there_again() {
    for scheduler in [Scheduler::Threads, Scheduler::Pool(2)] {
        let place = Place::new();
        let options = Options {
            scheduler,
            virtual_time: true,
            ..Options::default()
        };
        let plan = watched(&place.path(""), &place.path("new"));
        let catalogue = paperflow_io::catalogue().with(touch).with(sink);
        let network = Network::new(plan, &catalogue, &Sources::new(), options);
        let outcome = network.start().unwrap().running.wait();
        assert_eq!(outcome.verdict, Verdict::Finished);
        let sink = &outcome.statistics.processes[2];
        assert_eq!((sink.address.as_str(), sink.received), ("test/sink", 2));
    }
}

#[test]
fn watch_needs_nobody_to_listen() {
    let place = Place::new();
    place.file("a", "");
    let watch = rig("file/watch")
        .set("SOURCE", place.path(""))
        .set("EXISTING", "true")
        .set("COUNT", "2");
    let ran = run(&watch, &[]);
    assert_eq!(ran.outcome.verdict, Verdict::Finished);
}
