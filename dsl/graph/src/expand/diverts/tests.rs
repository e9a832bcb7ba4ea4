//! Links that divert: which link takes what they refuse.

use crate::plan::Full;
use crate::samples::{links, plan, problems};

const SPILL: &str = "'5' -> COUNT A(gen)\n\
    A OUT ->(capacity=2,full=divert,divert=Spill.IN) IN B(drop)\n";

#[test]
fn what_a_link_refuses_goes_to_a_link_made_for_it() {
    let plan = plan(&format!("{SPILL}Spill(drop)"), &[]);
    assert_eq!(links(&plan), ["A.OUT => B.IN (2)", "~A.OUT => Spill.IN"]);
    assert_eq!(plan.links[0].divert, Some(1));
    assert_eq!(plan.links[0].full, Full::DropNew);
    assert_eq!(
        (plan.links[1].divert, plan.links[1].full),
        (None, Full::Wait)
    );
}

#[test]
fn what_a_link_refuses_joins_the_writers_of_another_link() {
    let text = format!("{SPILL}'5' -> COUNT C(gen)\nC OUT ->(capacity=9) IN Spill(drop)");
    let plan = plan(&text, &[]);
    assert_eq!(
        links(&plan),
        ["A.OUT => B.IN (2)", "C.OUT+~A.OUT => Spill.IN (9)"]
    );
    assert_eq!(plan.links[0].divert, Some(1));
}

#[test]
fn a_chain_of_diverts_hands_each_packet_on_once() {
    let text = "'5' -> COUNT A(gen)\n'5' -> COUNT C(gen)\n\
                A OUT ->(full=divert,divert=D.IN) IN B(drop)\n\
                C OUT ->(full=divert,divert=E.IN) IN D(drop)\nE(drop)";
    let expected = ["A.OUT => B.IN", "C.OUT+~A.OUT => D.IN", "~C.OUT => E.IN"];
    assert_eq!(links(&plan(text, &[])), expected);
}

#[test]
fn a_target_may_be_an_element_and_lie_inside_a_subnet() {
    let inner = "M(merge) OUT -> IN P(drop)\nINPORT= M IN[0] IN";
    let text = "'5' -> COUNT A(gen)\n'5' -> COUNT C(gen)\nC OUT -> IN S(inner)\n\
                A OUT ->(full=divert,divert=S/M.IN[1]) IN B(drop)";
    let expected = [
        "C.OUT => S/M.IN[0]",
        "A.OUT => B.IN",
        "S/M.OUT => S/P.IN",
        "~A.OUT => S/M.IN[1]",
    ];
    assert_eq!(links(&plan(text, &[("inner", inner)])), expected);
}

#[test]
fn a_target_may_be_the_public_port_of_a_subnet() {
    let inner = "P(drop)\nINPORT= P IN IN";
    let text = "'5' -> COUNT A(gen)\nA OUT ->(full=divert,divert=S.in) IN B(drop)\nS(inner)";
    let expected = ["A.OUT => B.IN", "~A.OUT => S/P.IN"];
    assert_eq!(links(&plan(text, &[("inner", inner)])), expected);
}

#[test]
fn inside_a_subnet_names_are_those_of_the_subnet() {
    let inner = "P(pass) OUT ->(full=divert,divert=Spill.IN) IN Q(drop)\nSpill(drop)\n\
                 INPORT= P IN IN";
    let text = "'5' -> COUNT A(gen)\nA OUT -> IN S(inner)\nSpill(lone)";
    let plan = crate::samples::checked(text, &[("inner", inner)]).plan;
    assert_eq!(links(&plan)[2], "~S/P.OUT => S/Spill.IN");
}

#[test]
fn an_arrow_of_a_border_means_names_of_its_own_graph() {
    let inner = "'IN' -> NAME Entry(SubIn)\nSpill(drop)\n\
                 Entry OUT ->(full=divert,divert=Spill.IN) IN P(drop)";
    let text = "'5' -> COUNT A(gen)\nA OUT -> IN S(inner)";
    let expected = ["A.OUT => S/P.IN", "~A.OUT => S/Spill.IN"];
    assert_eq!(links(&plan(text, &[("inner", inner)])), expected);
}

#[test]
fn every_way_to_divert_to_nowhere_is_reported() {
    let rows: &[(&str, &[&str])] = &[
        (
            "full=divert",
            &["P0315 `full=divert` does not say where to"],
        ),
        ("divert=S.IN", &["P0315 `divert` without `full=divert`"]),
        (
            "full=wait,divert=S.IN",
            &["P0315 `divert` without `full=divert`"],
        ),
        ("full=divert,divert=S", &["P0215 cannot divert to `S`"]),
        (
            "full=divert,divert=T.IN",
            &["P0215 cannot divert to `T.IN`"],
        ),
        ("full=divert,divert=S.*", &["P0215 cannot divert to `S.*`"]),
        (
            "full=divert,divert=S.IN[x]",
            &["P0215 cannot divert to `S.IN[x]`"],
        ),
        (
            "full=divert,divert=S.IM",
            &["P0203 `S` has no in-port `IM`"],
        ),
        (
            "full=divert,divert=S.IN[1]",
            &["P0305 `IN` of `S` is not an array port"],
        ),
        (
            "full=divert,divert=B.IN",
            &["P0316 the link into `B.IN` diverts to itself"],
        ),
    ];
    for (attributes, expected) in rows {
        let text = format!("'1' -> COUNT A(gen)\nA OUT ->({attributes}) IN B(drop)\nS(lone)");
        let found = crate::samples::checked(&text, &[]).diagnostics;
        let found = found.iter().filter(|found| found.code != "P0309");
        let shown: Vec<_> = found
            .map(|found| format!("{} {}", found.code, found.message))
            .collect();
        assert_eq!(shown, *expected, "{attributes}");
    }
}

#[test]
fn a_near_process_is_suggested_and_counts_as_reached() {
    let text = "'1' -> COUNT A(gen)\nA OUT ->(full=divert,divert=Splil.IN) IN B(drop)\nSpill(drop)";
    let found = crate::samples::checked(text, &[]).diagnostics;
    let shown: Vec<_> = found
        .iter()
        .map(|found| (found.code, found.help.as_deref()))
        .collect();
    assert_eq!(shown, [("P0215", Some("did you mean `Spill`?"))]);
}

#[test]
fn a_ring_is_reported_once_with_all_its_places() {
    let text = "'1' -> COUNT A(gen)\n'1' -> COUNT C(gen)\n\
                A OUT ->(full=divert,divert=D.IN) IN B(drop)\n\
                C OUT ->(full=divert,divert=B.IN) IN D(drop)";
    let expected = [
        "P0316 ->(full=divert,divert=D.IN): links divert in a ring: \
                     B.IN -> D.IN -> B.IN",
    ];
    assert_eq!(problems(text, &[]), expected);
}

#[test]
fn kinds_must_meet_and_arrows_agree_where_links_divert() {
    let text = "'1' -> COUNT A(gen)\nA OUT -> IN N(count)\n\
                N COUNT ->(full=divert,divert=W.LINE) IN B(drop)\nW(words) WORD -> IN E(drop)";
    let expected =
        ["P0401 ->(full=divert,divert=W.LINE): `N.COUNT` sends int, but `W.LINE` takes text"];
    assert_eq!(problems(text, &[]), expected);
    let text = "'1' -> COUNT A(gen)\n'1' -> COUNT C(gen)\nS(drop)\nT(drop)\n\
                A OUT ->(full=divert,divert=S.IN) IN B(drop)\nC OUT ->(divert=T.IN) IN B";
    let found = problems(text, &[]);
    assert!(
        found
            .iter()
            .any(|found| found.contains("two ways to divert")),
        "{found:?}"
    );
}

#[test]
fn an_initial_packet_keeps_its_port_to_itself() {
    let text =
        "'1' -> COUNT A(gen)\nA OUT ->(full=divert,divert=S.IN) IN B(drop)\n'x' -> IN S(drop)";
    let found = problems(text, &[]);
    assert!(
        found.iter().any(|found| found.starts_with("P0303")),
        "{found:?}"
    );
}
