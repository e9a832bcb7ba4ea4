//! Each construct of the language, and each way upstream loses an arrow.

use paperflow_graph::json::{JsonOptions, to_json};
use paperflow_graph::{Connection, Graph, Origin, Sources};
use paperflow_syntax::{Options, Parsed, format, parse, print};

fn read(text: &str) -> (Parsed, Vec<String>) {
    let mut sources = Sources::new();
    let file = sources.add("t.fbp", text);
    let parsed = parse(&sources, file, Options::default());
    let place = |span| sources.place(span).to_string();
    let problems = parsed.diagnostics.iter();
    let problems = problems
        .map(|found| format!("{} {}", place(found.span), found.code))
        .collect();
    (parsed, problems)
}

fn sound(text: &str) -> Graph {
    let (parsed, problems) = read(text);
    assert!(problems.is_empty(), "{text}\n{:#?}", parsed.diagnostics);
    parsed.graph
}

fn arrows(graph: &Graph) -> Vec<String> {
    graph.connections.iter().map(arrow).collect()
}

fn arrow(connection: &Connection) -> String {
    let index = |index: Option<u32>| index.map(|index| format!("[{index}]")).unwrap_or_default();
    let from = match &connection.from {
        Origin::Initial(initial) => initial.value.to_string(),
        Origin::Port(end) => format!("{}.{}{}", end.process, end.port.name, index(end.port.index)),
    };
    let attributes = connection.attributes.iter();
    let attributes = attributes.map(|found| format!(" {}={}", found.key, found.value));
    let to = &connection.to;
    let to = format!("{}.{}{}", to.process, to.port.name, index(to.port.index));
    format!("{from} ->{} {to}", attributes.collect::<String>())
}

/// Texts without a mistake, and the arrows they give.
const SOUND: &[(&str, &[&str])] = &[
    ("", &[]),
    ("   ", &[]),
    ("# only a comment", &[]),
    ("a(A)", &[]),
    ("a(A)\nb()\nb(B)", &[]),
    // chains
    (
        "a(A)\nb(B)\nc(C)\na -> b -> c",
        &["a.OUT -> b.IN", "b.OUT -> c.IN"],
    ),
    (
        "a(A)\nb(B)\nc(C)\na OUT -> b OUT -> c",
        &["a.OUT -> b.IN", "b.OUT -> c.IN"],
    ),
    (
        "a(A)\nb(B)\nc(C)\na OUT -> IN b -> c",
        &["a.OUT -> b.IN", "b.OUT -> c.IN"],
    ),
    (
        "a(A) X -> Y b(B) Z -> Q c(C)",
        &["a.X -> b.Y", "b.Z -> c.Q"],
    ),
    ("a(A)->b(B)->c(C)", &["a.OUT -> b.IN", "b.OUT -> c.IN"]),
    ("a(A)\nb(B)\na->b", &["a.OUT -> b.IN"]),
    ("a(A) OUT -> IN (B)", &["a.OUT -> _B_1.IN"]),
    // automatic ports
    ("a(A) * -> * b(B)", &["a.* -> b.*"]),
    (
        "a(A) OUT -> * b(B) * -> IN c(C)",
        &["a.OUT -> b.*", "b.* -> c.IN"],
    ),
    // indexes
    ("a(A) OUT[ 0 ] -> IN[12] b(B)", &["a.OUT[0] -> b.IN[12]"]),
    (
        "a(A)\nb(B)\nc(C)\na -> b O[1] -> I[2] c",
        &["a.OUT -> b.IN", "b.O[1] -> c.I[2]"],
    ),
    // attributes
    ("a(A) OUT ->(30) IN b(B)", &["a.OUT -> capacity=30 b.IN"]),
    ("a(A) -> (30) b(B)", &["a.OUT -> capacity=30 b.IN"]),
    ("a(A) ->(30) (B)", &["a.OUT -> capacity=30 _B_1.IN"]),
    (
        "a(A) ->(capacity=30, full=drop-oldest) b(B)",
        &["a.OUT -> capacity=30 full=drop-oldest b.IN"],
    ),
    (
        "a(A) ->(queue, via=rabbit, retries=3, delay=5s, dead-letter=\"fax failed\") b(B)",
        &["a.OUT -> kind=queue via=rabbit retries=3 delay=5s dead-letter=fax failed b.IN"],
    ),
    ("a(A) ->(Comp)", &["a.OUT -> _Comp_1.IN"]),
    ("a(A) ->(Comp:x=1)", &["a.OUT -> _Comp_1.IN"]),
    // initial packets
    ("'it\\'s' -> IN a(A)", &["\"it's\" -> a.IN"]),
    (
        "'\u{fc}\u{2603}' -> IN a(A)",
        &["\"\u{fc}\u{2603}\" -> a.IN"],
    ),
    ("'one\ntwo' -> IN a(A)", &["\"one\\ntwo\" -> a.IN"]),
    (
        "\"a\\\"b\" -> IN a(A)\n[1, {\"k\": null}]\n -> IN a",
        &["\"a\\\"b\" -> a.IN", "[1,{\"k\":null}] -> a.IN"],
    ),
    (
        "true -> IN a(A)\nnull -> IN a\n-1.5 -> IN a",
        &["true -> a.IN", "null -> a.IN", "-1.5 -> a.IN"],
    ),
    ("true(T)\ntrue -> IN a(A)", &["true.OUT -> a.IN"]),
    (
        "\\true(T)\ntrue -> IN a(A)\n\\true -> a",
        &["true -> a.IN", "true.OUT -> a.IN"],
    ),
    // classic dialect
    (
        "\u{feff}Net:\n a(A)\tOUT ->\n  IN b(B);\n",
        &["a.OUT -> b.IN"],
    ),
    (
        "Net: a(A) OUT -> # why\n\n # and so\n IN b(B);",
        &["a.OUT -> b.IN"],
    ),
    ("a(A) OUT ->(3)\n IN b(B)", &["a.OUT -> capacity=3 b.IN"]),
    (
        "Read(\"../dir/ThFileRd\")? OUT -> IN b(B)",
        &["Read.OUT -> b.IN"],
    ),
    ("Gen\\-1(A) OUT\\-X -> IN b(B)", &["Gen-1.OUT-X -> b.IN"]),
    // names
    (
        "a(a/b.c@1.2-x) -> \u{e9}t\u{e9}(\u{e9})",
        &["a.OUT -> \u{e9}t\u{e9}.IN"],
    ),
    (
        "constructor(A) -> __proto__(B)",
        &["constructor.OUT -> __proto__.IN"],
    ),
    // separators
    (
        "a(A) -> b(B),\r\nb X -> Y a, a -> b,",
        &["a.OUT -> b.IN", "b.X -> a.Y", "a.OUT -> b.IN"],
    ),
    (
        "a(A) -> b(B); b -> a\n;;",
        &["a.OUT -> b.IN", "b.OUT -> a.IN"],
    ),
];

#[test]
fn each_arrow_of_a_sound_text_is_a_connection() {
    for (text, expected) in SOUND {
        assert_eq!(arrows(&sound(text)), *expected, "{text}");
    }
}

#[test]
fn a_sound_text_keeps_its_meaning_in_canonical_style() {
    for (text, expected) in SOUND {
        let formatted = format(text).text;
        assert_eq!(arrows(&sound(&formatted)), *expected, "{text}\n{formatted}");
        assert_eq!(format(&formatted).text, formatted, "{text}");
    }
}

/// Texts with mistakes: where each is and what it is called.
const BROKEN: &[(&str, &[&str])] = &[
    ("'abc -> IN a(A)\nb(B)", &["1:1 P0101"]),
    ("a(A OUT -> IN b(B)", &["1:2 P0102"]),
    ("a(A) OUT[0 -> IN b(B)", &["1:9 P0102"]),
    ("{\"a\": x} -> IN a(A)", &["1:1 P0103"]),
    ("a(A) OUT + -> IN b(B)", &["1:10 P0104"]),
    ("a(A) OUT IN b(B)", &["1:10 P0105"]),
    ("A(B) C(D)", &["1:6 P0105"]),
    ("a(A)b(B)", &["1:5 P0105"]),
    ("a(A) -> b(B) c(C)", &["1:14 P0105"]),
    ("'x' -> IN a(A) 'y' -> IN a", &["1:16 P0113"]),
    ("a(A)OUT -> b(B)\nA", &["2:1 P0106"]),
    ("IN a(A)", &["1:1 P0106"]),
    ("a(A) OUT", &["1:6 P0106"]),
    ("IN a(A) OUT -> IN b(B)", &["1:1 P0106"]),
    ("a(A) OUT -> IN b(B) OUT", &["1:21 P0106"]),
    ("-> IN a(A)", &["1:1 P0107"]),
    ("a(A) OUT ->", &["1:10 P0107"]),
    ("a(A) OUT -> -> b(B)", &["1:10 P0107"]),
    ("a(A) -> * -> b(B)", &["1:9 P0107"]),
    ("name (A) OUT -> IN b(B)", &["1:6 P0108"]),
    ("b(B) -> IN name (A)", &["1:17 P0108"]),
    ("a(A) OUT -> b OUT -> c(C)", &["1:13 P0109"]),
    ("a(A) OUT[] -> IN b(B)", &["1:9 P0110"]),
    ("a(A) OUT[x] -> IN b(B)", &["1:9 P0110"]),
    ("a(A) OUT [0] -> IN b(B)", &["1:10 P0113"]),
    ("a(A) OUT-X -> IN b(B)", &["1:6 P0111"]),
    ("a/b(A) -> b(B)", &["1:1 P0112"]),
    ("a(A) -> 'x' -> b(B)", &["1:9 P0113"]),
    ("'x'", &["1:1 P0113"]),
    ("a(A B) -> b(B)", &["1:4 P0114"]),
    ("a(A:) -> b(B)", &["1:4 P0114"]),
    ("a(A) ->(capcity=3) b(B)", &["1:9 P0115"]),
    ("a(A) ->(0) b(B)", &["1:9 P0116"]),
    (
        "a(A) ->(queue, full=drop_oldest, nmae=x) b(B)",
        &["1:16 P0116", "1:34 P0115"],
    ),
    ("INPORT=a:X\na(A)", &["1:1 P0117"]),
    ("INPORT=a.IN:X-Y\na(A)", &["1:13 P0111"]),
    ("EXPORT=a.IN:X\na(A)", &["1:1 P0117"]),
    ("DEFAULT_INPORT=", &["1:1 P0117"]),
    ("a(A) OUT => IN b(B)", &["1:10 P0118"]),
    ("a(A),, b(B)", &["1:6 P0119"]),
    (",a(A)", &["1:1 P0119"]),
    ("# @paperflow-group {", &["1:1 P0120"]),
    ("a() -> b(B)", &["1:1 P0202"]),
    ("x OUT -> IN b(B)", &["1:1 P0205"]),
    ("a(A) OUT -> IN x", &["1:16 P0205"]),
    ("'d' -> IN x", &["1:11 P0205"]),
    ("INPORT=x.IN:P", &["1:1 P0209"]),
    ("OUTPORT=x.OUT:P", &["1:1 P0209"]),
    (
        "a(A) OUT IN b(B)\nc(C) OUT[] -> b\n'z' -> IN d",
        &["1:10 P0105", "2:9 P0110", "3:11 P0205"],
    ),
];

#[test]
fn each_mistake_is_reported_once_with_its_place() {
    for (text, expected) in BROKEN {
        let (parsed, problems) = read(text);
        assert_eq!(problems, *expected, "{text}\n{:#?}", parsed.diagnostics);
        let formatted = format(text);
        assert_eq!(formatted.text, *text);
        assert_eq!(formatted.diagnostics.len(), expected.len(), "{text}");
    }
}

#[test]
fn every_code_has_a_broken_text_and_an_explanation() {
    let codes: Vec<&str> = paperflow_syntax::EXPLANATIONS
        .iter()
        .map(|entry| entry.0)
        .collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(codes, sorted, "explanations are by code, none twice");
    for code in codes {
        let shown = BROKEN
            .iter()
            .any(|(_, found)| found.iter().any(|line| line.ends_with(code)));
        assert!(shown, "{code} has no broken text");
    }
}

#[test]
fn content_checks_say_what_upstream_says() {
    let rows = [
        (
            "a(A) O -> P m",
            "Edge from \"a\" port \"O\" is connected to an undefined target node \"m\"",
        ),
        (
            "m O -> P a(A)",
            "Edge to \"a\" port \"P\" is connected to an undefined source node \"m\"",
        ),
        (
            "'D' -> P m",
            "IIP containing \"D\" is connected to an undefined target node \"m\"",
        ),
        (
            "INPORT=m.P:X",
            "Inport \"X\" is connected to an undefined target node \"m\"",
        ),
        (
            "OUTPORT=m.P:X",
            "Outport \"X\" is connected to an undefined source node \"m\"",
        ),
        ("n()", "Node \"n\" does not have a component defined"),
    ];
    for (text, message) in rows {
        assert_eq!(read(text).0.diagnostics[0].message, message);
    }
}

#[test]
fn unknown_attributes_get_a_suggestion() {
    let problem = &read("a(A) ->(capcity=3) b(B)").0.diagnostics[0];
    assert_eq!(problem.help.as_deref(), Some("did you mean `capacity`?"));
}

#[test]
fn a_misspelt_kind_is_not_taken_for_a_process() {
    let (parsed, problems) = read("a(A) OUT ->(quue) IN b(B)");
    assert_eq!(problems, ["1:13 P0116"]);
    let help = parsed.diagnostics[0].help.as_deref();
    assert_eq!(help, Some("did you mean `queue`?"));
}

#[test]
fn node_metadata_may_be_quoted_negative_and_fractional() {
    let graph = sound("a(A:x=-12.5,y=3,host=office-1.example,label=\"a (b), c\",n:=[1,2],main)");
    let found: Vec<String> = graph.processes[0]
        .metadata
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let expected = [
        "x=-12.5",
        "y=3",
        "host=\"office-1.example\"",
        "label=\"a (b), c\"",
        "n=[1,2]",
        "routes=\"main\"",
    ];
    assert_eq!(found, expected);
}

#[test]
fn annotations_hold_any_text() {
    let graph =
        sound("# @title Fax: \"out\", \u{fc}!\n# @app-id x.y\n# @runtime noflo\n# not @one");
    let found: Vec<String> = graph
        .properties
        .iter()
        .map(|found| format!("{}={}", found.key, found.value))
        .collect();
    let expected = [
        "title=\"Fax: \\\"out\\\", \u{fc}!\"",
        "app-id=\"x.y\"",
        "environment={\"type\":\"noflo\"}",
    ];
    assert_eq!(found, expected);
}

#[test]
fn labelled_blocks_are_networks_and_borders_are_exports() {
    let text = "Main: a(Sub) OUT -> IN b(B);\nSub: EXT => INT P(C) OUT -> IN Q(D)\nQ OUT => RES;\n";
    let (parsed, problems) = read(text);
    assert_eq!(problems, [""; 0]);
    assert_eq!(
        (parsed.graph.name.as_str(), parsed.subnets.len()),
        ("Main", 1)
    );
    let sub = &parsed.subnets[0];
    assert_eq!(
        (sub.name.as_str(), arrows(sub)),
        ("Sub", vec![String::from("P.OUT -> Q.IN")])
    );
    let (inport, outport) = (&sub.inports[0], &sub.outports[0]);
    assert_eq!(
        [&inport.public, &inport.process, &inport.port.name],
        ["EXT", "P", "INT"]
    );
    assert_eq!(
        [&outport.public, &outport.process, &outport.port.name],
        ["RES", "Q", "OUT"]
    );
}

#[test]
fn exports_may_have_an_index_and_a_component() {
    let graph = sound("INPORT=a(A).IN[2]:X\nOUTPORT=a.OUT:Y.z(:x=1)");
    assert_eq!(
        (
            graph.inports[0].port.index,
            graph.outports[0].metadata.len()
        ),
        (Some(2), 1)
    );
}

#[test]
fn redefinition_keeps_the_last_and_remembers_the_earlier() {
    let graph = sound("a(A)\na(B:x=1)\na(B:x=2)");
    assert_eq!(graph.processes[0].component.as_deref(), Some("B"));
    assert_eq!(graph.processes[0].redefined.len(), 2);
}

#[test]
fn the_style_is_canonical() {
    let text = "\n\n# head  \nName: a(A)   OUT->( 30 ,full = wait )  IN   b( B ) ,c(C)# tail\n\n\n\n\
        # @title  T\n  # @no  \nINPORT = a.IN : X ,\n;\n'x'  ->IN[ 0 ] a OUT ->  # why\n IN b;\n\n";
    let expected = "# head\nName:\na(A) OUT ->(30, full=wait) IN b( B )\nc(C) # tail\n\n\
        # @title T\n# @no\nINPORT=a.IN:X\n;\n'x' -> IN[0] a OUT -> # why\n  IN b;\n";
    assert_eq!(format(text).text, expected);
    assert_eq!(format(expected).text, expected);
}

#[test]
fn large_texts_are_read_in_linear_time_and_without_recursion() {
    let lines: String = (0..50_000)
        .map(|n| format!("a{n}(A) OUT -> IN b{n}(B)\n"))
        .collect();
    assert_eq!(sound(&lines).connections.len(), 50_000);
    let hops = format!("a(A){}", " OUT -> IN a".repeat(100_000));
    assert_eq!(sound(&format(&hops).text).connections.len(), 100_000);
}

#[test]
fn mistakes_on_every_line_take_no_longer_than_none() {
    let lines = [
        "\\\\'\n",
        "[\n",
        "(\n",
        "a OUT ->\n",
        "x -> y\n",
        "{\"a\":[\n",
        "a[\n",
        "'\n",
        "# c\n->\n",
    ];
    for line in lines {
        assert!(!read(&line.repeat(5_001)).1.is_empty(), "{line}");
    }
}

/// JSON as upstream prints it has one kind of number; text keeps the kind that was written.
#[test]
fn a_float_that_is_a_whole_number_stays_a_float_in_text() {
    let rows = [
        ("1.0", "1.0"),
        ("-0.0", "-0.0"),
        ("1e3", "1000.0"),
        ("1", "1"),
    ];
    for (written, printed) in rows {
        let graph = sound(&format!("{written} -> IN a(A)"));
        let text = print(&graph);
        assert!(text.contains(&format!("\n{printed} -> ")), "{text}");
        let again = sound(&text);
        assert_eq!(arrows(&again), arrows(&graph), "{written}");
    }
    let json = to_json(&sound("1.0 -> IN a(A)"), JsonOptions::default());
    assert_eq!(json["connections"][0]["data"].to_string(), "1");
}

#[test]
fn a_divert_keeps_the_path_it_leads_to() {
    let written = "a(A) OUT ->(10, full=divert, divert=\"Outer/Inner.PORT[1]\") IN b(B)";
    let expected = "a.OUT -> capacity=10 full=divert divert=Outer/Inner.PORT[1] b.IN";
    let graph = sound(written);
    assert_eq!(arrows(&graph), [expected]);
    assert_eq!(arrows(&sound(&print(&graph))), [expected]);
    let plain = "a(A) OUT ->(full=divert, divert=Spill.IN) IN b(B)";
    assert_eq!(
        arrows(&sound(plain)),
        ["a.OUT -> full=divert divert=Spill.IN b.IN"]
    );
}
