//! Rows of the mission that have a scenario of their own: how long a process lives, two ways to look
//! something up, and conversations that need two channels.

mod support;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use paperflow::{
    Closed, Headers, In, Observer, Out, Output, Packet, Started, component, report::State,
};
use support::{Bench, Ran, Way, finish, ways};

// ---- B6: node lifetime ----

/// Numbers whatever comes, from 1.
#[component("test/number", work = compute)]
async fn number(
    /// Anything.
    input: In<Packet>,
    /// 1, 2, 3...
    out: Out<i64>,
) -> Result<(), Closed> {
    let mut seen = 0;
    while input.next().await.is_some() {
        seen += 1;
        out.send(seen).await?;
    }
    Ok(())
}

/// `Pass` lives from packet to packet, `Count` all the time.
fn counter() -> Bench {
    let text = "Pass(Pass) OUT -> IN Count(test/number)
                INPORT=Pass.IN:IN
                OUTPORT=Count.OUT:OUT";
    Bench::of(text).with(number)
}

const PAUSED: [&str; 2] = ["dormant", "suspended(receive IN)"];

fn words(states: &[(String, State)]) -> Vec<String> {
    states.iter().map(|(_, state)| state.to_string()).collect()
}

fn until(observer: &Observer, expected: [&str; 2]) {
    let start = Instant::now();
    while words(&observer.states()) != expected {
        thread::yield_now();
        let is_hopeless = start.elapsed() > Duration::from_secs(60);
        assert!(!is_hopeless, "it hangs: {:#?}", observer.states());
    }
}

fn read(output: &Output, number: usize) -> Vec<i64> {
    let packets = (0..number).map_while(|_| output.recv());
    packets.filter_map(|packet| packet.as_int()).collect()
}

fn feeds_pauses_and_ends(way: Way) {
    let Started {
        running,
        mut inputs,
        mut outputs,
    } = counter().start(way, &["IN"], &["OUT"]);
    let (observer, input, output) = (running.observer(), inputs.remove(0), outputs.remove(0));
    let mut counted = Vec::new();
    for burst in [3, 2] {
        // What does not fit yet is fed while this thread reads.
        thread::scope(|scope| {
            scope.spawn(|| (0..burst).for_each(|_| input.send(7_i64).expect("it listens")));
            counted.extend(read(&output, burst));
        });
        until(&observer, PAUSED);
        let received = observer.received();
        for _ in 0..20 {
            thread::yield_now();
            assert_eq!(words(&observer.states()), PAUSED, "{way:?}");
        }
        assert_eq!(observer.received(), received, "{way:?}: nothing came");
    }
    assert_eq!(counted, [1, 2, 3, 4, 5], "{way:?}: one life, one count");
    drop(input);
    until(&observer, ["terminated"; 2]);
    assert!(output.recv().is_none());
    let outcome = finish(running, way);
    assert!(outcome.is_success(), "{way:?}: {outcome:#?}");
    let count = &outcome.statistics.processes[1];
    assert_eq!(count.opened, 1, "{way:?}: the same instance");
    // A turn for each packet, for room behind each, for the start and for the end.
    assert!(count.turns <= 5 + 5 + 2, "{way:?}: {count:?}");
}

#[test]
fn b06_a_process_suspends_while_nothing_comes_and_keeps_what_it_knows() {
    ways().for_each(feeds_pauses_and_ends);
}

// ---- B13 and B14: asking, and having a copy ----

fn lookup(name: &str) -> Bench {
    let folder = Path::new("graphs/lookup").join(name);
    Bench::file(&folder.join(format!("{name}.fbp")))
}

fn expected(name: &str) -> Vec<String> {
    let path = Path::new("graphs/lookup").join(name).join("expected.txt");
    let text = std::fs::read_to_string(path).expect("it is there");
    text.lines().map(str::to_owned).collect()
}

/// Links into a port of this name.
fn links_into<'a>(ran: &'a Ran, port: &str) -> Vec<&'a str> {
    let links = ran.outcome.statistics.links.iter();
    let into = links.map(|link| link.to.as_str());
    into.filter(|to| to.ends_with(port)).collect()
}

#[test]
fn b13_a_walk_of_shame_is_a_trip_for_each_item() {
    let bench = lookup("ask");
    assert_eq!(bench.diagnostics(), []);
    bench.every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, expected("ask"), "{:?}", ran.way);
        assert_eq!(ran.link("Answer.IN").counts.received, 100, "{:?}", ran.way);
        let waited = ran.process("Price").blocked_receive;
        assert!(
            waited >= Duration::from_secs(5),
            "{:?}: {waited:?}",
            ran.way
        );
    });
}

#[test]
fn b14_a_table_of_ones_own_needs_no_questions() {
    let bench = lookup("table");
    assert_eq!(bench.diagnostics(), []);
    bench.every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, expected("ask"), "{:?}: as by asking", ran.way);
        assert_eq!(links_into(ran, ".RESULT"), [""; 0], "{:?}", ran.way);
        let received = ran.process("Price").received;
        assert_eq!(received, 100 + 5, "{:?}: orders and dishes", ran.way);
        // Only as long as the files take to be read.
        let waited = ran.process("Price").blocked_receive;
        assert!(waited < Duration::from_secs(5), "{:?}: {waited:?}", ran.way);
    });
}

/// Stamps packets as made 30 ms after the start of the clock.
#[component("test/stamp", work = compute)]
fn stamp(
    /// Anything.
    input: Packet,
    /// The same, stamped.
    out: &mut Out<Packet>,
) {
    let mut headers = Headers::default();
    headers.set("time", "30");
    out.put(input.with_headers(headers));
}

/// Three items, one after each 100 ms, look something up in a table that is there at once.
fn staleness(time: &str) -> Bench {
    let text = r#"'{"id":1} {"id":1} {"id":1}' -> IN Words(text/words) OUT -> IN Open(record/from-text)
        Open OUT -> IN Wait(flow/delay) OUT -> IN Price(lookup/table) OUT -> IN Drop(Drop)
        {"id":1,"made":70} -> IN Stamp(test/stamp) OUT -> ROWS Price
        Price STALENESS -> IN Write(WriteToConsole)"#;
    Bench::of(&format!("{text}\n{time}")).with(stamp)
}

#[test]
fn b14_a_table_tells_how_old_it_is() {
    let by_header = staleness("");
    by_header.every_way(|ran| assert_eq!(ran.shown, ["70", "170", "270"], "{:?}", ran.way));
    let by_field = staleness("'made' -> TIME Price");
    by_field.every_way(|ran| assert_eq!(ran.shown, ["30", "130", "230"], "{:?}", ran.way));
    let by_arrival = staleness("").change(|text| text.replace("test/stamp", "flow/pass"));
    by_arrival.every_way(|ran| assert_eq!(ran.shown, ["100", "200", "300"], "{:?}", ran.way));
}

#[test]
fn b14_what_is_not_there_yet_is_held_and_what_never_comes_is_missing() {
    let text = r#"'{"id":3} {"id":1} {"id":9} {"id":2}' -> IN Words(text/words) OUT -> IN Open(record/from-text)
        Open OUT -> IN Price(lookup/table) OUT -> IN Write(WriteToConsole)
        '{"id":1} {"id":2} {"id":3}' -> IN More(text/words) OUT -> IN Wait(flow/delay) OUT -> ROWS Price
        Price MISSING -> IN Write"#;
    Bench::of(text).every_way(|ran| {
        ran.succeeds();
        let mut shown = ran.shown.clone();
        // Two ports, one console: only the order at each port is certain.
        let missing = shown.iter().position(|line| line == r#"{"id":9}"#);
        shown.remove(missing.expect("it leaves by MISSING"));
        let found = [r#"{"id":3}"#, r#"{"id":1}"#, r#"{"id":2}"#];
        assert_eq!(shown, found, "{:?}", ran.way);
    });
}

// ---- C2: one channel is one direction ----

const ASKS: &str = "'7' -> IN Read(record/from-text) OUT -> IN[0] Ask(Merge)
    Ask OUT ->(pattern=in-out) IN Answer(Copy)";

#[test]
fn c02_a_question_without_a_way_back_is_an_error() {
    let error = Bench::of(&format!("{ASKS} OUT -> IN Drop(Drop)")).error();
    assert_eq!(error.code, "P0323");
    let expected = "no response channel: nothing leads from `Answer` back to `Ask`";
    assert_eq!(error.message, expected);
}

#[test]
fn c02_a_question_with_a_way_back_is_fine() {
    let back = ["OUT -> IN[1] Ask", "OUT -> IN Pass(Pass) OUT -> IN[1] Ask"];
    for back in back {
        let diagnostics = Bench::of(&format!("{ASKS} {back}")).diagnostics();
        assert_eq!(diagnostics, [], "{back}");
    }
    let astray = format!("{ASKS} OUT -> IN Drop(Drop)");
    for pattern in ["in-only", "out-only", "out-in"] {
        let bench = Bench::of(&astray.replace("in-out", pattern));
        assert_eq!(bench.diagnostics(), [], "{pattern}");
        bench.every_way(Ran::succeeds);
    }
}

#[test]
fn c02_an_unknown_pattern_is_an_error() {
    let error = Bench::of(&ASKS.replace("in-out", "inout")).error();
    assert_eq!(error.code, "P0116");
}

// ---- W7: endpoints are smart, and connectors carry no rules ----

#[test]
fn w07_a_rule_on_a_connector_is_to_move_into_a_component() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let codes = |arrow: &str| -> Vec<(&'static str, String)> {
        let path = folder.path().join("rule.fbp");
        let text = format!(
            "'in.txt' -> SOURCE Read(file/lines) OUT ->({arrow}) IN Case(text/upper)\n\
             Case OUT -> IN Show(console/write)\n"
        );
        std::fs::write(&path, text).expect("it can be written");
        let described = paperflow::describe(&paperflow::standard());
        let loaded = paperflow::load_strict(&path, &described).expect("it can be read");
        let found = loaded.diagnostics.iter();
        found
            .map(|found| (found.code, found.help.clone().unwrap_or_default()))
            .collect()
    };
    assert_eq!(codes("queue"), []);
    let found = codes("queue, \"filter\":=\"total > 100\"");
    assert!(
        matches!(found.as_slice(), [("P0322", help)] if help.contains("into a component")),
        "{found:?}"
    );
    // As an attribute it is no word of the language at all.
    assert_eq!(codes("queue, filter=\"total > 100\"")[0].0, "P0115");
}
