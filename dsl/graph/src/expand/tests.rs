//! From drawings to plans.

use crate::plan::Full;
use crate::samples::{checked, expanded, links, plan, problems};

#[test]
fn arrows_into_one_port_share_a_link() {
    let text = "
        '5' -> COUNT A(gen)
        '5' -> COUNT B(gen)
        A OUT ->(capacity=5) in C(drop)
        B OUT ->(full=drop-oldest) IN C";
    let plan = plan(text, &[]);
    assert_eq!(links(&plan), ["A.OUT+B.OUT => C.IN (5)"]);
    assert_eq!(plan.links[0].full, Full::DropOldest);
}

#[test]
fn elements_of_array_ports_have_links_of_their_own_and_the_first_is_meant_when_none_is_written() {
    let text = "
        '5' -> COUNT A(gen)
        A OUT -> IN B(copy)
        B OUT -> IN C(merge)
        B OUT[1] -> IN[1] C
        C OUT -> IN D(drop)";
    let expected = [
        "A.OUT => B.IN",
        "B.OUT[0] => C.IN[0]",
        "B.OUT[1] => C.IN[1]",
        "C.OUT => D.IN",
    ];
    assert_eq!(links(&plan(text, &[])), expected);
}

#[test]
fn a_subnet_is_opened_in_place() {
    let pair = "
        A(pass) OUT ->(capacity=3) IN B(Passthru)
        INPORT= A IN FROM
        OUTPORT= B OUT TO";
    let outer = "
        P(pair)
        INPORT= P from FROM
        OUTPORT= P TO TO";
    let text = "
        '5' -> COUNT G(gen)
        G OUT ->(capacity=7) FROM S(outer)
        S To -> IN D(drop)";
    let plan = plan(text, &[("pair", pair), ("outer", outer)]);
    let addresses: Vec<_> = plan
        .processes
        .iter()
        .map(|process| &*process.address)
        .collect();
    assert_eq!(addresses, ["G", "S/P/A", "S/P/B", "D"]);
    assert_eq!(plan.processes[2].component, "pass");
    let expected = [
        "G.OUT => S/P/A.IN (7)",
        "S/P/B.OUT => D.IN",
        "S/P/A.OUT => S/P/B.IN (3)",
    ];
    assert_eq!(links(&plan), expected);
    let subnets: Vec<_> = plan.subnets.iter().map(|subnet| &*subnet.address).collect();
    assert_eq!(subnets, ["S", "S/P"]);
}

#[test]
fn an_exported_array_port_keeps_its_elements_and_an_exported_element_has_none() {
    let join = "
        A(merge)
        INPORT= A IN ALL
        INPORT= A IN[3] LAST
        OUTPORT= A OUT OUT";
    let good = "
        '1' -> COUNT G(gen)
        '1' -> COUNT H(gen)
        '1' -> COUNT I(gen)
        G OUT -> ALL[2] S(join)
        H OUT -> LAST S
        I OUT -> ALL S
        S OUT -> IN D(drop)";
    let expected = [
        "G.OUT => S/A.IN[2]",
        "H.OUT => S/A.IN[3]",
        "I.OUT => S/A.IN[0]",
        "S/A.OUT => D.IN",
    ];
    assert_eq!(links(&plan(good, &[("join", join)])), expected);
    let bad = good.replace("LAST S", "LAST[1] S");
    let expected = ["P0305 LAST[1]: `LAST` of `S` is not an array port"];
    assert_eq!(problems(&bad, &[("join", join)]), expected);
}

#[test]
fn an_initial_packet_reaches_the_inner_port() {
    let source = "
        G(gen)
        INPORT= G COUNT MANY
        OUTPORT= G OUT OUT";
    let plan = plan(
        "'5' -> MANY S(source)\nS OUT -> IN D(drop)",
        &[("source", source)],
    );
    assert_eq!(plan.initials.len(), 1);
    assert_eq!(plan.processes[plan.initials[0].to.process].address, "S/G");
    assert_eq!(plan.initials[0].to.port, "COUNT");
}

#[test]
fn classic_borders_leave_no_process_and_their_arrows_count() {
    let inner = "
        'IN' -> NAME Entry(SubIn)
        Entry OUT ->(capacity=2) IN A(pass)
        A OUT -> IN Exit
        B OUT -> IN Exit
        '3' -> COUNT B(gen)
        'OUT' -> NAME Exit(SubOut)";
    let text = "
        '5' -> COUNT G(gen)
        G OUT -> IN S(inner)
        S OUT ->(capacity=9) IN D(drop)";
    let plan = plan(text, &[("inner", inner)]);
    assert_eq!(plan.processes.len(), 4);
    let expected = ["G.OUT => S/A.IN (2)", "S/A.OUT+S/B.OUT => D.IN (9)"];
    assert_eq!(links(&plan), expected);
    assert_eq!(plan.initials.len(), 2);
}

#[test]
fn substream_borders_stay_and_make_a_scope() {
    let inner = "
        'IN' -> NAME Entry(SubInSS)
        Entry OUT -> IN P(pair)
        P OUT -> IN Exit(SubOutSS)
        'OUT' -> NAME Exit";
    let pair = "
        A(pass)
        INPORT= A IN IN
        OUTPORT= A OUT OUT";
    let text = "
        '5' -> COUNT G(gen)
        G OUT -> IN S(inner)
        S OUT -> IN D(drop)";
    let plan = plan(text, &[("inner", inner), ("pair", pair)]);
    let scopes: Vec<_> = plan.processes.iter().map(|process| process.scope).collect();
    assert_eq!(scopes, [None, Some(0), Some(0), Some(0), None]);
    assert_eq!(
        (plan.scopes[0].address.as_str(), plan.scopes[0].parent),
        ("S", None)
    );
    assert_eq!(plan.processes[1].component, "subnet/in-ss");
    let expected = [
        "G.OUT => S/Entry.IN",
        "S/Exit.OUT => D.IN",
        "S/Entry.OUT => S/P/A.IN",
        "S/P/A.OUT => S/Exit.IN",
    ];
    assert_eq!(links(&plan), expected);
}

#[test]
fn automatic_ports_of_a_subnet_are_those_of_every_inner_process() {
    let two = "
        '5' -> COUNT A(gen)
        A OUT -> IN B(drop)";
    let text = "
        S(two)
        T(two)
        S * -> * X(two)
        X * -> * T";
    let plan = plan(text, &[("two", two)]);
    let expected = [
        "S/A.*+S/B.* => X/A.*",
        "S/A.*+S/B.* => X/B.*",
        "X/A.*+X/B.* => T/A.*",
        "X/A.*+X/B.* => T/B.*",
    ];
    assert_eq!(links(&plan)[..4], expected);
}

#[test]
fn a_broken_arrow_leaves_its_other_end_loose() {
    let text = "
        '5' -> COUNT G(gen)
        G OUT -> INN S(pair)";
    let pair = "
        A(pass)
        A OUT -> IN B(pass)
        INPORT= A IN IN
        OUTPORT= B OUT OUT";
    let expanded = expanded(text, &[("pair", pair)]);
    assert_eq!(expanded.loose.len(), 2);
    let expected = [
        "P0203 INN: `S` has no in-port `INN`",
        "P0301 S(pair): required port `OUT` of `S` not connected",
    ];
    assert_eq!(problems(text, &[("pair", pair)]), expected);
}

#[test]
fn an_exported_port_is_the_inner_port() {
    let text = "
        A(pass)
        INPORT= A in LINES
        OUTPORT= A OUT DONE";
    let plan = plan(text, &[]);
    assert_eq!(
        (&*plan.inports[0].public, &*plan.inports[0].end.port),
        ("LINES", "IN")
    );
    assert_eq!(
        (&*plan.outports[0].public, &*plan.outports[0].end.port),
        ("DONE", "OUT")
    );
}

#[test]
fn metadata_and_trace_marks_are_passed_on() {
    let mut graph = crate::samples::graph(0, "A(lone)");
    graph.processes[0].trace = true;
    graph.processes[0]
        .metadata
        .push((String::from("host"), "office".into()));
    let plan = crate::expand(&graph, &crate::samples::catalogue(), &mut crate::NoSubnets).plan;
    assert!(plan.processes[0].trace);
    assert_eq!(plan.processes[0].metadata, graph.processes[0].metadata);
}

#[test]
fn nesting_without_end_is_stopped() {
    struct Deeper(u32);
    impl crate::Resolve for Deeper {
        fn subnet(
            &mut self,
            name: &str,
            _from: crate::FileId,
        ) -> Option<std::sync::Arc<crate::Graph>> {
            self.0 += 1;
            Some(std::sync::Arc::new(crate::samples::graph(
                self.0,
                &format!("A({name}x)"),
            )))
        }
    }
    let graph = crate::samples::graph(0, "A(x)");
    let found = crate::examine(&graph, &crate::samples::catalogue(), &mut Deeper(0)).diagnostics;
    assert_eq!(
        found.iter().map(|found| found.code).collect::<Vec<_>>(),
        ["P0213"]
    );
}

#[test]
fn a_subnet_used_twice_shows_its_mistakes_once() {
    let bad = "
        A(paas)
        A OUT -> IN B(drop)
        INPORT= A IN IN";
    let text = "
        '5' -> COUNT G(gen)
        '5' -> COUNT H(gen)
        G OUT -> IN S(bad)
        H OUT -> IN T(bad)";
    let found = checked(text, &[("bad", bad)]).diagnostics;
    assert_eq!(
        found.iter().map(|found| found.code).collect::<Vec<_>>(),
        ["P0201"]
    );
}
