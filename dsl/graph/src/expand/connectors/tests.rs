//! Names of connectors, who shares one, and what is asked of it.

use std::sync::Arc;
use std::time::Duration;

use crate::plan::{Connector, ConnectorKind, OnError, Plan};
use crate::samples::{Subnets, catalogue, graph, links, problems};
use crate::{Surroundings, expand_in};

fn named_after(stem: &str) -> Surroundings<'_> {
    Surroundings {
        stem: Some(stem),
        wiring: None,
    }
}

fn plan(text: &str, files: &[(&'static str, &str)]) -> Plan {
    assert_eq!(problems(text, files), [""; 0]);
    let mut subnets = Subnets::new(files);
    expand_in(
        named_after("g"),
        Arc::new(graph(0, text)),
        &catalogue(),
        &mut subnets,
    )
    .plan
}

fn connectors(plan: &Plan) -> Vec<&Connector> {
    let all = plan.links.iter();
    all.filter_map(|link| link.connector.as_deref()).collect()
}

/// `kind name group` of each connector.
fn named(text: &str, files: &[(&'static str, &str)]) -> Vec<String> {
    let plan = plan(text, files);
    let shown = |found: &&Connector| format!("{} {} {}", found.kind, found.name, found.group);
    connectors(&plan).iter().map(shown).collect()
}

#[test]
fn a_queue_has_the_name_of_its_in_port_and_the_others_that_of_their_out_port() {
    let inner =
        "M(merge)\nP(pass)\nM OUT ->(kind=pubsub) IN P\nINPORT= M IN IN\nOUTPORT= P OUT OUT";
    let text = "'5' -> COUNT A(gen)\nA OUT ->(kind=queue) IN[2] S(inner)\n\
                S OUT ->(kind=stream) IN C(copy)\nC OUT ->(kind=stream) IN D(drop)";
    let expected = [
        "queue g.S/M.IN[2] g.S/M.IN[2]",
        "stream g.S/P.OUT g.C.IN",
        "stream g.C.OUT[0] g.D.IN",
        "pubsub g.S/M.OUT g.S/P.IN",
    ];
    assert_eq!(named(text, &[("inner", inner)]), expected);
}

#[test]
fn the_graph_in_names_is_the_one_it_gives_itself() {
    let mut drawn = graph(0, "'5' -> COUNT A(gen)\nA OUT ->(kind=queue) IN D(drop)");
    let mut id = |value: Option<&str>| {
        drawn.properties = value
            .into_iter()
            .map(|value| crate::Property {
                key: "app-id".into(),
                value: value.into(),
                span: crate::Span::default(),
            })
            .collect();
        expand_in(
            named_after("stem"),
            Arc::new(drawn.clone()),
            &catalogue(),
            &mut crate::NoSubnets,
        )
        .plan
    };
    assert_eq!(id(None).id, "stem");
    let plan = id(Some("shop"));
    assert_eq!(
        (&*plan.id, &*connectors(&plan)[0].name),
        ("shop", "shop.D.IN")
    );
}

#[test]
fn arrows_of_one_kind_and_store_share_a_link_and_others_make_further_ones() {
    let text = "'5' -> COUNT A(gen)\n'5' -> COUNT B(gen)\n'5' -> COUNT C(gen)\n'5' -> COUNT E(gen)\n\
                A OUT ->(kind=queue) IN D(drop)\nE OUT -> IN D\n\
                B OUT ->(kind=queue,capacity=9) IN D\nC OUT ->(kind=queue,via=x) IN D";
    let shared = plan(text, &[]);
    let expected = ["A.OUT+B.OUT => D.IN (9)", "E.OUT => D.IN", "C.OUT => D.IN"];
    assert_eq!(links(&shared), expected);
    let stores: Vec<_> = connectors(&shared)
        .iter()
        .map(|found| &found.store)
        .collect();
    assert_eq!(stores, [&None, &Some(String::from("x"))]);
}

#[test]
fn readers_of_one_stream_have_links_and_groups_of_their_own() {
    let text = "'5' -> COUNT A(gen)\nA OUT ->(kind=stream,group=one) IN B(drop)\n\
                A OUT ->(kind=stream,name=facts,key=id) IN C(drop)";
    let plan = plan(text, &[]);
    assert_eq!(links(&plan), ["A.OUT => B.IN", "A.OUT => C.IN"]);
    let shown: Vec<_> = connectors(&plan)
        .iter()
        .map(|found| (&*found.name, &*found.group, found.key.as_deref()))
        .collect();
    let expected = [
        ("facts", "one", Some("id")),
        ("facts", "g.C.IN", Some("id")),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_memory_link_that_diverts_finds_its_target_among_connectors() {
    let text = "'5' -> COUNT A(gen)\n'5' -> COUNT B(gen)\nA OUT ->(kind=queue) IN D(drop)\n\
                B OUT ->(full=divert,divert=D.IN) IN E(drop)";
    let plan = plan(text, &[]);
    let expected = ["A.OUT => D.IN", "B.OUT => E.IN", "~B.OUT => D.IN"];
    assert_eq!(links(&plan), expected);
    assert_eq!(plan.links[1].divert, Some(2));
}

#[test]
fn everything_that_is_written_is_asked() {
    let text = "'5' -> COUNT A(gen)\nA OUT ->(kind=queue,via=s,name=n,capacity=7,bytes=64KiB,retries=3,delay=5s,backoff=exponential,lease=1m,dead-letter=d,invalid=i) IN P(pass)\n\
                P OUT ->(kind=stream,key=k,partitions=4,group=g,on-error=copy,copy-to=c,retain=7d,delay=1s) IN Q(pass)\n\
                Q OUT ->(kind=pubsub,retained=yes) IN D(drop)";
    let plan = plan(text, &[]);
    let [queue, stream, pubsub] = connectors(&plan)[..] else {
        panic!("three connectors");
    };
    let expected = Connector {
        kind: ConnectorKind::Queue,
        store: Some("s".into()),
        name: "n".into(),
        group: "g.P.IN".into(),
        capacity: Some(7),
        bytes: Some(65_536),
        retries: Some(3),
        delay: Some(Duration::from_secs(5)),
        backoff: Some(2.0),
        lease: Some(Duration::from_secs(60)),
        dead_letter: Some("d".into()),
        invalid: Some("i".into()),
        span: queue.span,
        ..Connector::default()
    };
    assert_eq!(*queue, expected);
    assert_eq!(
        (stream.key.as_deref(), stream.partitions, &*stream.group),
        (Some("k"), Some(4), "g")
    );
    assert_eq!(stream.on_error, Some(OnError::Copy("c".into())));
    assert_eq!(stream.retain.age, Some(Duration::from_secs(7 * 86_400)));
    assert!(pubsub.retained && !stream.retained);
}
