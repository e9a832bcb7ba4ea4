//! What `#[component]` makes of functions of every shape.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use paperflow_core::component::{Elements, Layout};
use paperflow_core::time::{Clock, Moment};
use paperflow_core::{
    Catalogue, Component, Fault, Grouped, In, Ins, Number, Out, Outs, Packet, Param, Params,
    Sample, Spec, Table, Text, Timer, Typed, Work, component,
};
use serde_json::json;

/// Emits every word of a text.
/// In order.
///
/// Blanks are left out.
#[component("text/words", work = compute)]
#[example(line = ["to be"], words = ["to", "be"])]
#[example(line = [open, "a", close], words = [open, "a", close])]
fn words(
    /// A line of text.
    line: Text,
    /// One word per packet.
    words: &mut Out<Text>,
) {
    for word in line.split_whitespace() {
        words.put(word);
    }
}

/// Takes every argument a plain function may take.
#[component("test/plain", again)]
#[example(
    order = [{ "price": 3, "tags": ["a", null] }],
    size = 20, ratio = -0.5, who = "me", on = true,
    outs[0] = [1, -2, 2.5, true, null, [1, [2]]],
    rest = [],
    error = ["bad"],
)]
fn plain(
    /// What comes in.
    #[port("Order")]
    order: Typed<Vec<i64>>,
    /// A size.
    #[default(20)]
    size: Param<i64>,
    /// A ratio.
    #[default(-0.5)]
    ratio: &Param<f64>,
    /// A name.
    #[default("nobody")]
    who: Param<String>,
    /// A switch.
    #[default(true)]
    on: &Param<bool>,
    /// A pause.
    pause: Param<Option<Duration>>,
    /// What was seen.
    seen: &mut Table<String, i64>,
    /// Parts.
    #[fixed(3)]
    outs: &mut Outs<Number>,
    /// What is left.
    #[optional]
    rest: &mut Out<Packet>,
    timer: &Timer,
    clock: Timer,
) -> Result<(), Fault> {
    let _ = (size, ratio, who, on, pause, timer.now(), clock);
    seen.put(String::from("orders"), order.len() as i64);
    outs[0].put(Number::Int(1));
    rest.put("rest");
    Err(Fault::new("no good"))
}

/// Takes every argument an async function may take.
#[component("test/process", work = thread, must_run)]
#[example(inputs[0] = [1], inputs[1] = [2])]
async fn process(
    /// Elements.
    inputs: Ins<i64>,
    /// Groups.
    #[optional]
    groups: In<Grouped<Text>>,
    /// How many.
    count: Param<u32>,
    /// A limit.
    limit: Param<Option<i64>>,
    /// Rows.
    mut rows: Table<i64, i64>,
    timer: Timer,
    /// Shares.
    outs: Outs<i64>,
    /// All.
    all: Out<Packet>,
    /// Its own way to ERROR.
    error: Out<Packet>,
) -> Result<(), Fault> {
    rows.put(i64::from(*count), limit.unwrap_or(0));
    timer.sleep(Duration::ZERO).await;
    while let Some((at, got)) = inputs.next_after(0).await {
        outs[at].send(got).await?;
    }
    while let Some(group) = groups.next().await {
        all.send(group.data().count().to_string().as_str()).await?;
    }
    error.send("over").await?;
    Ok(())
}

/// Ends everything.
#[component("test/sink")]
async fn sink(
    /// Anything.
    input: In<Packet>,
) {
    while input.next().await.is_some() {}
}

/// Lets go of one packet after the other.
#[component("test/drop", work = compute)]
pub fn let_go(
    /// Anything.
    _input: Packet,
) {
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment::ZERO
    }

    fn wake_at(&self, _: Moment, _: Waker) -> u64 {
        0
    }

    fn cancel(&self, _: u64) {}
}

/// Opens it with these parameters, every array port with two elements.
fn open(component: &dyn Component, values: Vec<Option<Packet>>) -> Result<(), Fault> {
    let spec = component.spec();
    let elements = |array: bool| Elements {
        first: 0,
        numbers: if array { [0, 1].into() } else { [0].into() },
    };
    let layout = Layout {
        inputs: spec
            .inputs
            .iter()
            .map(|port| elements(port.array))
            .collect(),
        outputs: spec
            .outputs
            .iter()
            .map(|port| elements(port.array))
            .collect(),
    };
    let params = Params::new(
        Arc::new(spec.clone()),
        values,
        Arc::new(layout),
        Arc::new(Still),
    );
    component.open(&params).map(drop)
}

fn names(spec: &Spec) -> [Vec<&str>; 3] {
    [
        spec.inputs.iter().map(|port| port.name.as_str()).collect(),
        spec.outputs.iter().map(|port| port.name.as_str()).collect(),
        spec.params
            .iter()
            .map(|param| param.name.as_str())
            .collect(),
    ]
}

#[test]
fn a_function_is_found_in_a_catalogue_by_its_name() {
    let catalogue = Catalogue::new()
        .with(words)
        .with(plain)
        .with(process)
        .with(sink)
        .with(let_go);
    assert_eq!(
        catalogue.get("text/words").unwrap().spec().name,
        "text/words"
    );
    assert_eq!(catalogue.iter().count(), 5);
}

#[test]
fn documentation_becomes_description() {
    let spec = words.spec();
    assert_eq!(
        spec.doc,
        "Emits every word of a text.\nIn order.\n\nBlanks are left out."
    );
    assert_eq!(spec.about, "Emits every word of a text.");
    assert_eq!(spec.inputs[0].about, "A line of text.");
    assert_eq!(spec.outputs[0].about, "One word per packet.");
}

#[test]
fn options_become_manner() {
    let of = |spec: &Spec| (spec.work, spec.must_run, spec.again);
    assert_eq!(of(words.spec()), (Work::Compute, false, false));
    assert_eq!(of(plain.spec()), (Work::Thread, false, true));
    assert_eq!(of(process.spec()), (Work::Thread, true, false));
}

#[test]
fn arguments_become_ports_in_capitals() {
    assert_eq!(
        names(words.spec()),
        [vec!["LINE"], vec!["WORDS", "ERROR"], vec![]]
    );
    let params = vec!["SIZE", "RATIO", "WHO", "ON", "PAUSE"];
    assert_eq!(
        names(plain.spec()),
        [vec!["ORDER"], vec!["OUT", "REST", "ERROR"], params]
    );
    let outputs = vec!["OUT", "ALL", "ERROR"];
    assert_eq!(
        names(process.spec()),
        [vec!["IN", "GROUPS"], outputs, vec!["COUNT", "LIMIT"]]
    );
    assert_eq!(names(let_go.spec())[0], ["IN"]);
}

#[test]
fn types_become_kinds_arrays_and_sizes() {
    let (out, rest) = (&plain.spec().outputs[0], &plain.spec().outputs[1]);
    assert_eq!((out.array, out.size, out.optional), (true, Some(3), false));
    assert_eq!(out.kinds, ["int", "float"]);
    assert_eq!((rest.array, rest.size, rest.optional), (false, None, true));
    assert!(rest.kinds.is_empty());
    let (elements, groups) = (&process.spec().inputs[0], &process.spec().inputs[1]);
    assert_eq!((elements.array, elements.size), (true, None));
    assert_eq!(
        (groups.kinds.as_slice(), groups.optional),
        (&[String::from("text")][..], true)
    );
    assert_eq!(
        (
            plain.spec().tables[0].name.as_str(),
            process.spec().tables.len()
        ),
        ("SEEN", 1)
    );
}

#[test]
fn parameters_have_kinds_and_defaults() {
    let params = plain.spec().params.iter();
    let got: Vec<_> = params
        .map(|param| {
            (
                param.parses.as_str(),
                param.default.as_deref(),
                param.optional,
            )
        })
        .collect();
    let wanted = [
        ("int", Some("20"), false),
        ("float", Some("-0.5"), false),
        ("text", Some("nobody"), false),
        ("bool", Some("true"), false),
        ("duration", None, true),
    ];
    assert_eq!(got, wanted);
}

#[test]
fn examples_are_packets_by_port() {
    let [first, second] = words.spec().examples.as_slice() else {
        panic!("two examples")
    };
    assert_eq!(
        first.feeds,
        [("LINE".to_owned(), vec![Sample::Data(json!("to be"))])]
    );
    assert_eq!(
        first.expects[0].1,
        [Sample::Data(json!("to")), Sample::Data(json!("be"))]
    );
    assert_eq!(
        second.feeds[0].1,
        [Sample::Open, Sample::Data(json!("a")), Sample::Close]
    );
    assert_eq!(process.spec().examples[0].feeds[1].0, "IN[1]");
}

#[test]
fn examples_hold_any_json_and_parameters() {
    let example = &plain.spec().examples[0];
    let order = json!({ "price": 3, "tags": ["a", null] });
    assert_eq!(
        example.feeds,
        [("ORDER".to_owned(), vec![Sample::Data(order)])]
    );
    let params: Vec<_> = example
        .params
        .iter()
        .map(|(name, text)| format!("{name}={text}"))
        .collect();
    assert_eq!(params, ["SIZE=20", "RATIO=-0.5", "WHO=me", "ON=true"]);
    let ports: Vec<_> = example
        .expects
        .iter()
        .map(|(port, _)| port.as_str())
        .collect();
    assert_eq!(ports, ["OUT[0]", "REST", "ERROR"]);
    let parts = [
        json!(1),
        json!(-2),
        json!(2.5),
        json!(true),
        json!(null),
        json!([1, [2]]),
    ];
    assert_eq!(example.expects[0].1, parts.map(Sample::Data));
}

#[test]
fn opening_resolves_every_argument() {
    open(&words, vec![]).unwrap();
    open(&plain, vec![]).unwrap();
    open(&sink, vec![]).unwrap();
    open(&let_go, vec![]).unwrap();
    open(&process, vec![Some(Packet::text("3"))]).unwrap();
}

#[test]
fn opening_fails_on_a_bad_parameter() {
    let missing = open(&process, vec![]).unwrap_err();
    assert_eq!(missing.message(), "parameter COUNT is missing");
    let bad = open(&process, vec![Some(Packet::text("many"))]).unwrap_err();
    assert!(
        bad.message()
            .starts_with("parameter COUNT: expected a value of kind int"),
        "{bad}"
    );
}
