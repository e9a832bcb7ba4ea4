//! Every mistake is found, where it was made, once.

use std::sync::Arc;

use crate::samples::{catalogue, checked, graph, problems};
use crate::{FileId, Graph, Origin, Resolve, examine};

/// A graph with something wrong, and what is to be said about it.
struct Row {
    text: &'static str,
    problems: &'static [&'static str],
}

const fn row(text: &'static str, problems: &'static [&'static str]) -> Row {
    Row { text, problems }
}

fn sweep(rows: &[Row]) {
    for Row {
        text,
        problems: expected,
    } in rows
    {
        assert_eq!(problems(text, &[]), *expected, "{text}");
    }
}

#[test]
fn names() {
    sweep(&[
        row(
            "'5' -> COUNT A(gne)",
            &["P0201 A(gne): unknown component `gne`"],
        ),
        row(
            "A()",
            &["P0202 A(): Node \"A\" does not have a component defined"],
        ),
        row(
            "'5' -> CUONT A(gen)\nA OUT -> IN B(drop)",
            &["P0203 CUONT: `A` has no in-port `CUONT`"],
        ),
        row(
            "'5' -> COUNT A(gen)\nA OUT -> IN B(pass)\nB IN -> IN C(drop)",
            &["P0204 IN: `IN` of `B` is an in-port, not an out-port"],
        ),
        row(
            "A(pass) WROTE -> LINES B(pass)",
            &[
                "P0301 A(pass): required port `IN` of `A` not connected",
                "P0203 WROTE: `A` has no out-port `WROTE`",
                "P0203 LINES: `B` has no in-port `LINES`",
                "P0301 B(pass): required port `OUT` of `B` not connected",
            ],
        ),
        row(
            "'5' -> COUNT Gen(gen)\nGen OUT -> IN B(drop)\nGne OUT -> IN B\nGen OUT -> IN Cat",
            &[
                "P0205 Gne: Edge to \"B\" port \"IN\" is connected to an undefined source node \"Gne\"",
                "P0205 Cat: Edge from \"Gen\" port \"OUT\" is connected to an undefined target \
                 node \"Cat\"",
            ],
        ),
        row(
            "'5' -> IN A",
            &[
                "P0212 : the graph has no processes",
                "P0205 A: IIP containing \"5\" is connected to an undefined target node \"A\"",
            ],
        ),
        row(
            "A(drop)\nA(lone)",
            &["P0206 A(drop): process `A` is defined more than once"],
        ),
        row(
            "A(drop)\nB(drop)\nINPORT= A IN X\nINPORT= B IN Y\nINPORT= B IN y",
            &["P0208 INPORT= B IN y: two exports of in-ports are named `y`"],
        ),
        row(
            "A(lone)\nINPORT= B IN X\nOUTPORT= B OUT Y",
            &[
                "P0209 INPORT= B IN X: Inport \"X\" is connected to an undefined target node \"B\"",
                "P0209 OUTPORT= B OUT Y: Outport \"Y\" is connected to an undefined source node \"B\"",
            ],
        ),
        row(
            "Entry(SubIn)\nEntry OUT -> IN A(drop)",
            &["P0210 Entry(SubIn): border `Entry` has no public name"],
        ),
        row(
            "'I' -> NAME In(SubIn)\n'O' -> NAME Out(SubOut)\nIn OUT -> IN Out",
            &["P0214 ->: border `In` is not joined to an inner process on this side"],
        ),
        row("", &["P0212 : the graph has no processes"]),
    ]);
}

#[test]
fn an_unknown_component_gets_a_suggestion_from_catalogue_aliases_and_files() {
    let help = |text| {
        checked(text, &[("order-flow", "A(lone)")]).diagnostics[0]
            .help
            .clone()
    };
    let meant = |name: &str| Some(format!("did you mean `{name}`?"));
    assert_eq!(help("A(gne)"), meant("gen"));
    assert_eq!(help("A(passthru)"), meant("Passthru"));
    assert_eq!(help("A(order_flow)"), meant("order-flow"));
}

#[test]
fn an_unknown_port_gets_a_suggestion_or_the_list_of_ports() {
    let help = |port: &str| {
        let text = format!("'5' -> {port} A(gen)\nA OUT -> IN B(drop)");
        let found = checked(&text, &[]).diagnostics;
        found
            .into_iter()
            .find(|found| found.code == "P0203")
            .and_then(|found| found.help)
    };
    assert_eq!(help("CONT").as_deref(), Some("did you mean `COUNT`?"));
    let all = "its in-ports are `COUNT`, `WAIT`, `LOUD` and `RATE`";
    assert_eq!(help("VOLUME").as_deref(), Some(all));
}

#[test]
fn a_subnet_inside_itself_shows_the_chain() {
    let files = [("a", "B(b)"), ("b", "C(c)"), ("c", "A(a)")];
    let expected = ["P0207 A(a): subnet `a` contains itself: a -> b -> c -> a"];
    assert_eq!(problems("X(a)", &files), expected);
}

#[test]
fn the_top_graph_inside_itself_is_found() {
    struct Itself(Graph);
    impl Resolve for Itself {
        fn subnet(&mut self, _name: &str, _from: FileId) -> Option<Arc<Graph>> {
            Some(Arc::new(self.0.clone()))
        }
    }
    let top = Graph {
        name: String::from("top"),
        ..graph(0, "X(top)")
    };
    let found = examine(&top, &catalogue(), &mut Itself(top.clone())).diagnostics;
    let messages: Vec<_> = found.iter().map(|found| &*found.message).collect();
    assert_eq!(messages, ["subnet `top` contains itself: top -> top"]);
}

#[test]
fn two_processes_of_one_address_clash() {
    let text = "S(inner)\nS/A(lone)\nINPORT= S/A IN X";
    let expected = ["P0211 S/A(lone): two processes have the address `S/A`"];
    assert_eq!(
        problems(text, &[("inner", "A(lone)\nB(lone)\nA OUT -> IN B")]),
        expected
    );
}

#[test]
fn wiring() {
    sweep(&[
        row(
            "A(gen)",
            &["P0301 A(gen): required ports `COUNT` and `OUT` of `A` not connected"],
        ),
        row(
            "'5' -> COUNT A(gen)\nA OUT -> IN B(drop)\nA OUT ->(name=x) IN C(drop)",
            &["P0302 ->(name=x): out-port `A.OUT` has 2 connections"],
        ),
        row(
            "'5' -> COUNT A(gen)\nA OUT -> IN B(drop)\nA OUT -> IN B",
            &["P0302 ->: out-port `A.OUT` has 2 connections"],
        ),
        row(
            "'5' -> COUNT A(gen)\nA OUT -> IN B(drop)\n'6' -> IN B",
            &["P0303 '6': in-port `B.IN` has an initial packet and a connection"],
        ),
        row(
            "'5' -> COUNT A(gen)\n'6' -> count A\nA OUT -> IN B(drop)",
            &["P0304 '6': in-port `A.COUNT` has two initial packets"],
        ),
        row(
            "'5' -> COUNT A(gen)\nA OUT -> IN[1] B(drop)",
            &["P0305 IN[1]: `IN` of `B` is not an array port"],
        ),
        row(
            "'5' -> COUNT A(gen)\nA OUT ->(capacity=0) IN B(drop)",
            &["P0307 ->(capacity=0): `0` is not a capacity"],
        ),
        row(
            "'5' -> COUNT A(gen)\nA OUT ->(full=drop) IN B(drop)",
            &["P0308 ->(full=drop): `drop` is not a policy for a full link"],
        ),
        row(
            "'5' -> COUNT A(gen)\nA OUT -> IN B(drop)\nC(lone)",
            &["P0309 C(lone): nothing leads to process `C`"],
        ),
        row(
            "A(drop)\n'5' -> COUNT B(gen)\nB OUT -> IN A\n'go' -> * A",
            &["P0314 'go': initial packet to the automatic port of `A`"],
        ),
        row(
            "'5' -> COUNT A(gen)\nA OUT -> IN B(drop)\nOUTPORT= A OUT X",
            &["P0313 OUTPORT= A OUT X: out-port `A.OUT` is exported and leads elsewhere too"],
        ),
    ]);
}

#[test]
fn arrows_into_one_link_agree() {
    let graph = |first: &str, second: &str| {
        let gens = "'5' -> COUNT A(gen)\n'5' -> COUNT B(gen)";
        format!("{gens}\nA OUT ->({first}) IN C(drop)\nB OUT ->({second}) IN C")
    };
    let found = problems(&graph("capacity=1", "capacity=2"), &[]);
    let expected = "P0306 ->(capacity=2): two capacities for the one link into `IN`: 1 and 2";
    assert_eq!(found, [expected]);
    let found = problems(&graph("full=wait", "full=drop-new"), &[]);
    let expected =
        "P0306 ->(full=drop-new): two policies for the one link into `IN`: wait and drop-new";
    assert_eq!(found, [expected]);
    assert_eq!(problems(&graph("capacity=2", "capacity=2"), &[]), [""; 0]);
    assert_eq!(problems(&graph("capacity=2", ""), &[]), [""; 0]);
}

#[test]
fn an_in_port_may_be_exported_and_connected() {
    let text = "A(pass)\nB(pass)\nA OUT -> IN B\nB OUT -> IN A\nINPORT= A IN X";
    assert_eq!(problems(text, &[]), [""; 0]);
}

#[test]
fn cycles() {
    sweep(&[
        row(
            "A(pass)\nB(pass)\nA OUT -> IN B\nB OUT -> IN A",
            &["P0310 A(pass): nothing starts the cycle A -> B -> A"],
        ),
        row(
            "'5' -> COUNT G(gen)\nG OUT -> IN D(drop)\nA(loop)\nA AGAIN -> BACK A\n\
             A OUT -> IN B(pass)\nB OUT -> IN A",
            &["P0310 A(loop): nothing starts the cycle A -> A"],
        ),
        row(
            "'5' -> COUNT G(gen)\nG OUT -> IN A(loop)\nA AGAIN -> BACK A\nA OUT -> IN D(drop)",
            &[],
        ),
        row(
            "'1' -> COUNT A(gen)\n'1' -> COUNT B(gen)\nA OUT -> IN C(drop)\nB OUT -> IN C\n\
             A * -> * B\nB * -> * A",
            &["P0310 A(gen): nothing starts the cycle A -> B -> A"],
        ),
    ]);
}

#[test]
fn a_cycle_names_what_waits_behind_it() {
    let text = "A(loop)\nA AGAIN -> IN A\nA OUT -> IN D(drop)";
    let found = checked(text, &[]).diagnostics;
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .help
            .as_deref()
            .is_some_and(|help| help.contains("`D` behind it"))
    );
}

#[test]
fn a_long_chain_and_a_long_cycle_are_checked_without_deep_recursion() {
    let many = 5_000;
    let chain = (1..many).map(|at| format!("P{} OUT -> IN P{at}(pass)\n", at - 1));
    let chain: String = chain.collect();
    let text = format!("P0(pass)\n{chain}P{} OUT -> IN P0\n", many - 1);
    let codes: Vec<_> = checked(&text, &[])
        .diagnostics
        .iter()
        .map(|found| found.code)
        .collect();
    assert_eq!(codes, ["P0310"]);
}

#[test]
fn fixed_array_ports_have_all_their_elements_and_no_more() {
    let graph = |second: u32| {
        format!(
            "'5' -> COUNT A(gen)\nA OUT -> IN B(split)\nB OUT[0] -> IN C(drop)\n\
             B OUT[{second}] -> IN D(drop)"
        )
    };
    assert_eq!(problems(&graph(1), &[]), [""; 0]);
    let expected = ["P0312 OUT[2]: `B.OUT[2]` is beyond the last element"];
    assert_eq!(problems(&graph(2), &[]), expected);
    let one = "'5' -> COUNT A(gen)\nA OUT -> IN B(split)\nB OUT -> IN C(drop)";
    assert_eq!(
        problems(one, &[]),
        ["P0311 B(split): `B.OUT[1]` not connected"]
    );
}

#[test]
fn kinds_that_cannot_meet_show_both_ends() {
    let text = "'5' -> COUNT A(gen)\nA OUT -> IN B(count)\nB COUNT -> LINE C(words)\n\
                C WORD -> IN D(drop)";
    let found = checked(text, &[]).diagnostics;
    assert_eq!(
        problems(text, &[]),
        ["P0401 LINE: `B.COUNT` sends int, but `C.LINE` takes text"]
    );
    assert_eq!(found[0].labels[0].text, "sends int");
}

#[test]
fn values_that_no_parameter_could_read() {
    let rows: &[(&str, &str, bool, &str)] = &[
        ("COUNT", "'100'", true, "a whole number"),
        ("COUNT", "-3", true, "a negative one"),
        ("COUNT", "'many'", false, "a word"),
        ("COUNT", "'1.5'", false, "a fraction"),
        ("COUNT", "[1]", true, "a list is left to the component"),
        ("RATE", "'1.5'", true, "a fraction"),
        ("RATE", "'fast'", false, "a word"),
        ("LOUD", "'yes'", true, "a truth value in words"),
        ("LOUD", "'maybe'", false, "no truth value"),
        ("WAIT", "'5s'", true, "a duration"),
        ("WAIT", "'1h30m'", true, "a compound duration"),
        ("WAIT", "'soon'", false, "a word"),
    ];
    for (port, value, fine, reason) in rows {
        let count = if *port == "COUNT" {
            ""
        } else {
            "'1' -> COUNT A(gen)\n"
        };
        let process = if *port == "COUNT" { "A(gen)" } else { "A" };
        let text = format!("{count}{value} -> {port} {process}\nA OUT -> IN B(drop)");
        let codes: Vec<_> = checked(&text, &[])
            .diagnostics
            .iter()
            .map(|f| f.code)
            .collect();
        let expected: &[&str] = if *fine { &[] } else { &["P0402"] };
        assert_eq!(codes, expected, "{value} for {port}: {reason}");
    }
}

#[test]
fn initial_packets_that_no_data_port_takes() {
    let rows: &[(&str, &str, &[&str])] = &[
        ("'be'", "LINE W(words)", &[]),
        (
            "5",
            "LINE W(words)",
            &["P0403 5: the initial packet is int, but `W.LINE` takes text"],
        ),
        (
            "[1]",
            "LINE W(words)",
            &["P0403 [1]: the initial packet is record, but `W.LINE` takes text"],
        ),
        (
            "null",
            "LINE W(words)",
            &["P0403 null: the initial packet is null, but `W.LINE` takes text"],
        ),
        (
            "1.0",
            "LINE W(words)",
            &["P0403 1.0: the initial packet is float, but `W.LINE` takes text"],
        ),
    ];
    for (value, to, expected) in rows {
        let text = format!("{value} -> {to}\nW WORD -> IN D(drop)");
        assert_eq!(problems(&text, &[]), *expected, "{value}");
    }
    assert_eq!(problems("5 -> IN D(drop)", &[]), [""; 0]);
}

#[test]
fn connectors() {
    let graph = |attribute: &str| format!("'5' -> COUNT A(gen)\nA OUT ->({attribute}) IN B(drop)");
    let rows: &[(&str, &[&str])] = &[
        ("kind=memory", &[]),
        ("kind=queue,via=rabbit,retries=3", &[]),
        (
            "kind=queue,delay=x",
            &["`x` is not a value of the attribute `delay`"],
        ),
        ("kind=queue,key=id", &["a queue has no `key`"]),
        ("kind=stream,retained=yes", &["a stream has no `retained`"]),
        ("kind=stream,full=wait,lease=5s,invalid=bad", &[]),
        ("kind=strem", &["`strem` is not a kind of arc"]),
        ("full=divert", &["`full=divert` does not say where to"]),
        ("retries=3", &["attribute `retries` has no effect here"]),
    ];
    for (attribute, expected) in rows {
        let found = checked(&graph(attribute), &[]).diagnostics;
        let messages: Vec<_> = found.iter().map(|found| &*found.message).collect();
        assert_eq!(messages, *expected, "{attribute}");
    }
}

#[test]
fn three_mistakes_at_once_are_all_shown_in_text_order() {
    let text = "'5' -> CUONT A(gen)\nA OUT -> IN B(drpo)\n'x' -> IN C(drop)\n'y' -> IN C";
    let expected = [
        "P0203 CUONT: `A` has no in-port `CUONT`",
        "P0201 B(drpo): unknown component `drpo`",
        "P0304 'y': in-port `C.IN` has two initial packets",
    ];
    assert_eq!(problems(text, &[]), expected);
}

#[test]
fn an_unknown_component_is_one_mistake_however_it_is_wired() {
    let text = "'5' -> COUNT A(nothing-like-it)\nA OUT[3] -> IN B(drop)\nA ERR -> IN B";
    let expected = ["P0201 A(nothing-like-it): unknown component `nothing-like-it`"];
    assert_eq!(problems(text, &[]), expected);
}

#[test]
fn a_port_that_a_subnet_needs_is_missed_at_the_subnet() {
    let inner = "A(pass)\nINPORT= A IN FROM\nOUTPORT= A OUT TO";
    let expected = ["P0301 S(inner): required ports `FROM` and `TO` of `S` not connected"];
    assert_eq!(problems("S(inner)", &[("inner", inner)]), expected);
}

#[test]
fn every_code_is_explained_once_and_has_a_text_with_an_example() {
    let codes: Vec<_> = crate::diagnostics::EXPLANATIONS
        .iter()
        .map(|(code, ..)| *code)
        .collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(codes, sorted);
    for (code, title, text) in crate::diagnostics::EXPLANATIONS {
        assert!(!title.is_empty(), "{code}");
        assert!(text.contains("\n\n    "), "{code} shows an example");
        assert!(
            !text.starts_with(' ') && text.ends_with('\n'),
            "{code}: {text}"
        );
    }
}

#[test]
fn the_same_wrong_port_is_reported_at_each_arrow() {
    let text = "'1' -> COUNT A(gen)\n'1' -> COUNT B(gen)\nA OUT -> INN C(drop)\nB OUT -> INN C";
    let expected = ["P0203 INN: `C` has no in-port `INN`"; 2];
    assert_eq!(problems(text, &[]), expected);
}

#[test]
fn a_port_that_was_left_out_is_said_to_be_left_out() {
    let mut graph = graph(
        0,
        "'1' -> COUNT A(gen)\nA OUT -> IN B(words)\nB WORD -> IN C(drop)",
    );
    let arrow = graph.connections[1].span;
    let port = &mut graph.connections[1].to.port;
    (port.span, port.implied) = (arrow, true);
    let found = examine(&graph, &catalogue(), &mut crate::NoSubnets).diagnostics;
    assert_eq!(found[0].note, "no port is written here, which means `IN`");
}

#[test]
fn c05_readers_of_one_connector_may_share_an_out_port_and_nobody_else() {
    let graph = |one: &str, two: &str| {
        format!(
            "'1' -> COUNT A(gen)\nA OUT ->(kind={one}) IN B(drop)\nA OUT ->(kind={two}) IN C(drop)"
        )
    };
    for (one, two) in [
        ("pubsub", "pubsub"),
        ("stream", "stream,group=g"),
        ("pubsub,name=x", "pubsub,retained=yes"),
    ] {
        assert_eq!(problems(&graph(one, two), &[]), [""; 0], "{one} {two}");
    }
    for (one, two) in [
        ("queue", "queue"),
        ("queue", "memory"),
        ("stream", "pubsub"),
        ("pubsub", "memory"),
    ] {
        let codes = checked(&graph(one, two), &[]).diagnostics;
        let codes: Vec<_> = codes.iter().map(|found| found.code).collect();
        assert_eq!(codes, ["P0302"], "{one} {two}");
    }
}

#[test]
fn c05_arrows_that_share_an_out_port_ask_for_the_same() {
    let text = "'1' -> COUNT A(gen)\nA OUT ->(kind=stream,partitions=2) IN B(drop)\n\
                A OUT ->(kind=stream,partitions=3) IN C(drop)";
    let expected = "two values of `partitions` for the one stream `.A.OUT`: 2 and 3";
    assert!(problems(text, &[])[0].ends_with(expected));
    let text = "'1' -> COUNT A(gen)\nA OUT ->(kind=pubsub,via=x) IN B(drop)\n\
                A OUT ->(kind=pubsub,via=y) IN C(drop)";
    let expected = "two stores for the one pubsub `.A.OUT`: x and y";
    assert!(problems(text, &[])[0].ends_with(expected));
}

#[test]
fn t13_a_stream_gives_nothing_back_unless_it_is_said_what_becomes_of_failures() {
    let graph = |terms: &str| format!("'1' -> COUNT A(gen)\nA OUT ->({terms}) IN B(drop)");
    for key in ["delay=5s", "retries=3", "backoff=fixed", "dead-letter=dead"] {
        for strategy in ["", ",on-error=skip"] {
            let text = graph(&format!("kind=stream,{key}{strategy}"));
            let found = checked(&text, &[]).diagnostics;
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].code, "P0506");
            let help = found[0].help.as_deref().unwrap();
            for legal in ["on-error=skip", "on-error=retry", "on-error=copy"] {
                assert!(help.contains(legal), "{help}");
            }
        }
        for strategy in ["retry", "copy"] {
            let text = graph(&format!("kind=stream,{key},on-error={strategy}"));
            assert_eq!(problems(&text, &[]), [""; 0]);
        }
        assert_eq!(problems(&graph(&format!("kind=queue,{key}")), &[]), [""; 0]);
    }
}

#[test]
fn arcs_inside_what_starts_anew_are_memory_and_those_that_cross_its_border_are_of_any_kind() {
    let inner = "'IN' -> NAME E(SubInSS)\nE OUT ->(kind=INNER) IN P(pass)\n\
                 P OUT -> IN X(SubOutSS)\n'OUT' -> NAME X";
    let text = "'1' -> COUNT A(gen)\nA OUT ->(kind=queue) IN S(inner)\n\
                S OUT ->(kind=stream) IN T(inner)\nT OUT ->(kind=pubsub) IN B(drop)";
    let memory = inner.replace("INNER", "memory");
    assert_eq!(problems(text, &[("inner", &memory)]), [""; 0]);
    let queue = inner.replace("INNER", "queue");
    let found = problems(text, &[("inner", &queue)]);
    let expected = "P0504 ->(kind=queue): a queue inside `S`, which starts anew for each group";
    assert_eq!(found, [expected]);
}

#[test]
fn an_initial_packet_has_no_link_to_shape() {
    let text = "'1' ->(capacity=5) COUNT A(gen)\nA OUT -> IN B(drop)";
    let expected = ["P0503 ->(capacity=5): attribute `capacity` has no effect here"];
    assert_eq!(problems(text, &[]), expected);
}

#[test]
fn a_border_arrow_may_not_ask_for_another_capacity() {
    let inner = "'OUT' -> NAME Exit(SubOut)\nG OUT ->(capacity=2) IN Exit\n'1' -> COUNT G(gen)";
    let text = "S(inner)\nS OUT ->(capacity=9) IN D(drop)";
    let codes: Vec<_> = checked(text, &[("inner", inner)]).diagnostics;
    assert_eq!(
        codes.iter().map(|found| found.code).collect::<Vec<_>>(),
        ["P0306"]
    );
}

#[test]
fn a_large_graph_is_no_trouble() {
    let mut large = Graph::default();
    let small = graph(0, "'1' -> COUNT A(gen)\nA OUT -> IN B(drop)");
    for at in 0..20_000 {
        let mut copy = small.clone();
        let rename = |name: &mut String| *name = format!("{name}{at}");
        copy.processes
            .iter_mut()
            .for_each(|process| rename(&mut process.name));
        for arrow in &mut copy.connections {
            rename(&mut arrow.to.process);
            if let Origin::Port(from) = &mut arrow.from {
                rename(&mut from.process);
            }
        }
        large.processes.append(&mut copy.processes);
        large.connections.append(&mut copy.connections);
    }
    let found = examine(&large, &catalogue(), &mut crate::NoSubnets);
    assert_eq!(found.diagnostics, []);
    assert_eq!(found.plan.links.len(), 20_000);
}

#[test]
fn both_left_out_ports_of_one_arrow_are_reported() {
    let mut graph = graph(0, "A(words)\nB(drop)\nA OUT -> INTO B");
    let arrow = &mut graph.connections[0];
    let Origin::Port(from) = &mut arrow.from else {
        panic!("an arrow")
    };
    for port in [&mut from.port, &mut arrow.to.port] {
        (port.span, port.implied) = (arrow.span, true);
    }
    let found = examine(&graph, &catalogue(), &mut crate::NoSubnets).diagnostics;
    assert_eq!(
        found.iter().filter(|found| found.code == "P0203").count(),
        2,
        "{found:?}"
    );
}

#[test]
fn a_border_is_no_way_round_the_rules() {
    let inner = "'IN' -> NAME Entry(SubIn)\nEntry OUT -> IN A(drop)\n\
                 Entry OUT ->(name=x) IN B(drop)";
    let text = "'1' -> COUNT G(gen)\nG OUT -> IN[1] S(inner)";
    let expected = [
        "P0305 IN[1]: `IN` of `Entry` is not an array port",
        "P0302 ->(name=x): out-port `Entry.OUT` has 2 connections",
    ];
    assert_eq!(problems(text, &[("inner", inner)]), expected);
}

/// `A` asks `B`, and neither has been told of the other's answer.
const ASKS: &str = "A OUT ->(pattern=in-out) IN B";
const NO_WAY: &str =
    "P0323 ->(pattern=in-out): no response channel: nothing leads from `B` back to `A`";

#[test]
fn questions_need_a_way_back() {
    let given = |asks: &str, rest: &str| {
        let fed = "'5' -> COUNT G(gen)\nG OUT -> IN[0] A(merge)";
        problems(&format!("{fed}\nB(pass)\n{asks}\n{rest}"), &[])
    };
    let astray = "B OUT -> IN D(drop)";
    assert_eq!(given(ASKS, astray), [NO_WAY]);
    let ends = "B OUT -> IN D(drop)\nD * -> * A";
    assert_eq!(given(ASKS, ends), [NO_WAY], "an end is no answer");
    for pattern in ["in-only", "out-only", "out-in"] {
        let asks = ASKS.replace("in-out", pattern);
        assert_eq!(given(&asks, astray), [""; 0], "{pattern}");
    }
    assert_eq!(given(ASKS, "B OUT -> IN[1] A"), [""; 0]);
    let further = "B OUT -> IN C(pass)\nC OUT -> IN[1] A";
    assert_eq!(given(ASKS, further), [""; 0]);
}

#[test]
fn an_answer_may_come_out_of_a_subnet() {
    let files = [("desk", "B(pass)\nINPORT= B IN IN\nOUTPORT= B OUT OUT")];
    let text = "'5' -> COUNT G(gen)\nG OUT -> IN[0] A(merge)\nS(desk)\n\
                A OUT ->(pattern=in-out) IN S\nS OUT -> IN";
    assert_eq!(problems(&format!("{text}[1] A"), &files), [""; 0]);
    let astray = problems(&format!("{text} D(drop)"), &files);
    assert_eq!(astray, [NO_WAY.replace("`B`", "`S/B`")]);
}

#[test]
fn an_answer_may_take_its_way_outside() {
    let text = format!("A(merge)\nB(pass)\nINPORT= A IN[0] IN\n{ASKS}");
    let one_sided = format!("{text}\nB OUT -> IN C(drop)");
    assert_eq!(problems(&one_sided, &[]), [NO_WAY]);
    let outside = format!("{text}\nOUTPORT= B OUT OUT");
    assert_eq!(problems(&outside, &[]), [""; 0]);
    let misspelt = problems(&format!("{text}\nB OUT -> IN Aa"), &[]);
    assert_eq!(misspelt.len(), 1, "{misspelt:?}");
}

#[test]
fn a_misspelt_process_is_one_mistake_also_where_it_is_right() {
    let gen_ = "'5' -> COUNT A(gen)\n";
    let codes = |text: &str, files: &[(&'static str, &str)]| {
        let found = checked(&format!("{gen_}{text}"), files).diagnostics;
        found.iter().map(|found| found.code).collect::<Vec<_>>()
    };
    assert_eq!(codes("Drop(drop)\nA OUT -> IN Dropp", &[]), ["P0205"]);
    assert_eq!(codes("Drop(drop)\nAa OUT -> IN Drop", &[]), ["P0205"]);
    assert_eq!(
        codes(
            "Drop(drop)\nA OUT -> IN Drop\n'7' -> COUNT Gene(gen)\nGen OUT -> IN Drop",
            &[]
        ),
        ["P0205"]
    );
    assert_eq!(
        codes(
            "A OUT -> IN Pass(pass)\nDrop(drop)\nPass OUT -> IN Droop",
            &[]
        ),
        ["P0205"]
    );
    assert_eq!(
        codes(
            "Words(words)\nA OUT -> LINE Word\nINPORT= Words LINE L\nOUTPORT= Word WORD W",
            &[]
        ),
        ["P0205", "P0209"]
    );
    let files = [("inner", "P(pass)\nINPORT= P IN IN\nOUTPORT= P OUT OUT")];
    assert_eq!(
        codes(
            "Inner(inner)\nA OUT -> IN Iner\nInner OUT -> IN D(drop)",
            &files
        ),
        ["P0205"]
    );
    let far = codes("Drop(drop)\nA OUT -> IN Elsewhere", &[]);
    assert_eq!(
        far,
        ["P0301", "P0205"],
        "two names that have nothing in common"
    );
    let port = codes("Drop(drop)\nA OUT -> OUT Dropp", &[]);
    assert_eq!(port, ["P0301", "P0205"], "the guess has no such port");
    let border = [(
        "inner",
        "'IN' -> NAME Entry(SubIn)\nEntry OUT -> IN Entri\nP(pass)\nOUTPORT= P OUT OUT",
    )];
    let border = codes("S(inner)\nA OUT -> IN S\nS OUT -> IN D(drop)", &border);
    assert!(border.contains(&"P0205"), "{border:?}");
}

#[test]
fn subnets_that_double_themselves_are_one_mistake_and_found_at_once() {
    let names = ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"];
    let tens = |levels: usize| -> Vec<(&'static str, String)> {
        // Ten uses of the next on each level: ten to the power of the levels.
        let uses = |at: usize| {
            (0..10)
                .map(|use_| format!("U{use_}({})\n", names[at + 1]))
                .collect()
        };
        let mut files: Vec<_> = (0..levels).map(|at| (names[at], uses(at))).collect();
        files.push((
            names[levels],
            String::from("A(lone)\nB(lone)\nA OUT -> IN B"),
        ));
        files
    };
    let files = tens(9);
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let found = checked("X(a0)\nY(a0)\nZ(a3)", &files).diagnostics;
    let told: Vec<_> = found
        .iter()
        .map(|found| (found.code, &*found.note))
        .collect();
    assert_eq!(
        told,
        [(
            "P0213",
            "3111111110 processes and subnets; a graph opens to 100000 at most"
        )]
    );
    let files = tens(2);
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    assert_eq!(problems("X(a0)\nY(a0)", &files), [""; 0]);
}

/// Every error that the classic runtimes find before the start, where it is and only there.
#[test]
fn errors_of_definition() {
    const SOURCE: &str = "'5' -> COUNT A(gen)\n";
    let rows: &[(&str, &[&str])] = &[
        (
            "A OUT -> IN[1] D(drop)",
            &["P0305 IN[1]: `IN` of `D` is not an array port"],
        ),
        (
            "A OUT[0] -> IN D(drop)",
            &["P0305 OUT[0]: `OUT` of `A` is not an array port"],
        ),
        (
            "A OUT -> IN D(copy)\nD OUT -> IN E(drop)\nD OUT -> IN F(drop)",
            &["P0302 ->: out-port `D.OUT[0]` has 2 connections"],
        ),
        (
            "A OUT -> IN D(split)\nD OUT[1] -> IN E(drop)",
            &["P0311 D(split): `D.OUT[0]` not connected"],
        ),
        (
            "A OUT ->(capacity=2) IN[1] D(merge)\n'5' -> COUNT B(gen)\nB OUT ->(capacity=3) IN[1] D\n\
             D OUT -> IN E(drop)",
            &["P0306 ->(capacity=3): two capacities for the one link into `IN`: 2 and 3"],
        ),
        (
            "A OUT -> IN D(drop)\n'x' -> IN D",
            &["P0303 'x': in-port `D.IN` has an initial packet and a connection"],
        ),
        (
            "'x' -> IN D(drop)\nA OUT -> IN D",
            &["P0303 'x': in-port `D.IN` has an initial packet and a connection"],
        ),
        (
            "A OUT -> IN D(drop)\nM(match)\nN(pass)",
            &[
                "P0301 M(match): required ports `LEFT`, `RIGHT` and `OUT` of `M` not connected",
                "P0301 N(pass): required ports `IN` and `OUT` of `N` not connected",
            ],
        ),
        (
            "A OUT -> IN D(drop)\nD * -> *[2] E(gen)\n'5' -> COUNT E\nE OUT -> IN D",
            &["P0305 *[2]: `*` of `E` is not an array port"],
        ),
        (
            "A OUT -> IN D(drop)\n'go' -> * D",
            &["P0314 'go': initial packet to the automatic port of `D`"],
        ),
        (
            "A OUT -> IN D(drop)\nB(pass)\nC(pass)\nB OUT -> IN C\nC OUT -> IN B",
            &["P0310 B(pass): nothing starts the cycle B -> C -> B"],
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(
            problems(&format!("{SOURCE}{text}"), &[]),
            *expected,
            "{text}"
        );
    }
}
