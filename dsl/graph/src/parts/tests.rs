//! Dividing graphs.

use crate::guarantee::Hop;
use crate::plan::Plan;
use crate::samples::plan;

use super::*;

/// The parts of a graph whose arcs with `via` are shared.
fn divided(plan: &Plan) -> (Vec<String>, Vec<String>) {
    let division = divide(plan, |connector| connector.store.is_some());
    let joints = division.joints.iter().map(|hop| shown(plan, *hop));
    (told(plan, &division), joints.collect())
}

/// `NAME: process process`.
fn told(plan: &Plan, division: &Division) -> Vec<String> {
    let tell = |part: &Part| {
        let processes = part.processes.iter();
        let addresses: Vec<_> = processes
            .map(|at| plan.processes[*at].address.as_str())
            .collect();
        format!("{}: {}", part.name, addresses.join(" "))
    };
    division.parts.iter().map(tell).collect()
}

const ROW: &str = "
    '5' -> COUNT A(gen:host=a)
    A OUT ->(kind=queue,via=s) IN B(pass)
    B OUT -> IN C(pass:host=c)
    C OUT ->(kind=queue,via=s) IN D(drop)";

#[test]
fn what_is_declared_nowhere_belongs_to_what_it_is_joined_with() {
    let (parts, joints) = divided(&plan(ROW, &[]));
    assert_eq!(parts, ["a: A", "c: B C", "D: D"]);
    assert_eq!(joints, [""; 0]);
}

#[test]
fn a_graph_without_a_declared_part_has_none() {
    let plan = plan("'5' -> COUNT A(gen)\nA OUT -> IN B(drop)", &[]);
    assert_eq!(divide(&plan, |_| true), Division::default());
}

#[test]
fn arcs_that_both_parts_cannot_reach_are_joints() {
    let text = "
        '5' -> COUNT A(gen:host=a)
        A OUT -> IN B(pass:host=b)
        B OUT ->(kind=queue) IN C(drop:host=c)";
    let plan = plan(text, &[]);
    let (parts, joints) = divided(&plan);
    assert_eq!(parts, ["a: A", "b: B", "c: C"]);
    assert_eq!(joints, ["A.OUT -> B.IN", "B.OUT -> C.IN"]);
    let found = joined(&plan, &divide(&plan, |_| false));
    assert!(found[0].message.contains("in memory"), "{found:?}");
    assert!(found[1].message.contains("one program"), "{found:?}");
}

#[test]
fn the_host_of_a_subnet_is_that_of_all_in_it_that_say_no_other() {
    let inner = "
        A(pass)
        B(pass:host=there)
        A OUT ->(kind=queue,via=s) IN B
        INPORT= A IN IN
        OUTPORT= B OUT OUT";
    let text = "
        '5' -> COUNT G(gen:host=x)
        G OUT ->(kind=queue,via=s) IN S(inner:host=here)
        S OUT ->(kind=queue,via=s) IN D(drop:host=x)";
    let (parts, _) = divided(&plan(text, &[("inner", inner)]));
    assert_eq!(parts, ["x: G D", "here: S/A", "there: S/B"]);
}

#[test]
fn a_part_has_its_processes_and_what_leaves_it() {
    let whole = plan(ROW, &[]);
    let division = divide(&whole, |connector| connector.store.is_some());
    let part = share(whole.clone(), &division, 1);
    let addresses: Vec<_> = part.processes.iter().map(|one| &*one.address).collect();
    assert_eq!(addresses, ["B", "C"]);
    assert_eq!(part.links.len(), 2);
    assert_eq!((part.links[0].to.process, part.links[0].from.len()), (0, 0));
    assert_eq!(part.links[1].from[0].end.process, 0);
    let shared = part.share.unwrap();
    assert_eq!(shared.whole.processes, whole.processes);
    assert_eq!(shared.departures.len(), 1);
    assert_eq!(shared.departures[0].from[0].end.process, 1);
    assert_eq!(shared.departures[0].connector.name, ".D.IN");
    let first = share(whole, &division, 0);
    assert_eq!((first.initials.len(), first.links.len()), (1, 0));
}

fn arcs(plan: &Plan, names: &[&str]) -> Vec<Hop> {
    find(plan, names).unwrap()
}

const DIAMOND: &str = "
    '5' -> COUNT A(gen)
    A OUT -> IN B(pass)
    B OUT -> IN C(merge)
    '5' -> COUNT E(gen)
    E OUT -> IN[1] C
    C OUT -> IN D(drop)";

#[test]
fn a_graph_is_cut_at_arcs() {
    let plan = plan(DIAMOND, &[]);
    let cut = cut(&plan, &arcs(&plan, &["B.OUT -> C.IN", "C.out->D.IN"])).unwrap();
    assert_eq!(told(&plan, &cut.division), ["A: A B", "C: C E", "D: D"]);
    let shown: Vec<_> = cut.arcs.iter().map(|hop| shown(&plan, *hop)).collect();
    assert_eq!(shown, ["B.OUT -> C.IN", "C.OUT -> D.IN"]);
}

#[test]
fn arcs_that_do_not_part_the_graph_tell_what_still_joins_it() {
    let text = "
        '5' -> COUNT A(gen)
        A OUT ->(kind=stream) IN B(pass)
        A OUT ->(kind=stream) IN C(pass)
        B OUT -> IN D(merge)
        C OUT -> IN[1] D
        D OUT -> IN E(drop)";
    let plan = plan(text, &[]);
    let undivided = cut(&plan, &arcs(&plan, &["A.OUT -> B.IN"])).unwrap_err();
    assert_eq!(undivided.len(), 1);
    let joining = undivided[0].joining.iter();
    let joining: Vec<_> = joining.map(|hop| shown(&plan, *hop)).collect();
    assert_eq!(joining, ["A.OUT -> C.IN"]);
    let both = arcs(&plan, &["A.OUT -> B.IN", "A.OUT -> C.IN"]);
    assert_eq!(
        told(&plan, &cut(&plan, &both).unwrap().division),
        ["A: A", "B: B C D E"]
    );
}

#[test]
fn arcs_may_be_named_by_the_ports_of_subnets_and_misspelt_ones_are_told() {
    let inner = "A(pass)\nINPORT= A IN WORK\nOUTPORT= A OUT DONE";
    let text = "
        '5' -> COUNT G(gen)
        G OUT -> WORK S(inner)
        S DONE -> IN D(drop)";
    let plan = plan(text, &[("inner", inner)]);
    assert_eq!(
        arcs(&plan, &["S.DONE -> D.IN"]),
        arcs(&plan, &["S/A.OUT -> D.IN"])
    );
    let (name, near) = find(&plan, &["G.OUT -> S/A.INN"]).unwrap_err();
    assert_eq!(
        (name, near.as_deref()),
        ("G.OUT -> S/A.INN", Some("G.OUT -> S/A.IN"))
    );
}

#[test]
fn p07_cuts_are_proposed_where_packets_change_hands() {
    let text = "
        '5' -> COUNT A(gen:org=us)
        A OUT -> IN B(pass:org=us)
        B OUT -> IN C(pass:org=them)
        C OUT ->(kind=queue) IN D(drop:org=them)";
    let plan = plan(text, &[]);
    let (cut, places) = propose(&plan);
    let places = places
        .iter()
        .map(|(hop, why)| format!("{} {why}", shown(&plan, *hop)));
    let expected = [
        "B.OUT -> C.IN from us to them",
        "C.OUT -> D.IN kept by a store already",
    ];
    assert_eq!(places.collect::<Vec<_>>(), expected);
    assert_eq!(told(&plan, &cut.division), ["A: A B", "C: C", "D: D"]);
}
