//! Drawings as text.

use crate::plan::Plan;
use crate::samples::plan;

use super::{to_dot, to_mermaid};

fn sample() -> Plan {
    let inner = "
        A(pass)
        P(deep)
        A OUT -> IN P
        INPORT= A IN IN
        OUTPORT= P OUT OUT";
    let deep = "
        B(pass)
        INPORT= B IN IN
        OUTPORT= B OUT OUT";
    let text = "
        'say-\"hi\"<&>' -> COUNT G(gen)
        G OUT ->(capacity=5,full=drop-new) IN S(inner)
        S OUT -> IN[1] M(merge)
        OUTPORT= M OUT Done";
    let catalogue = crate::samples::catalogue();
    let mut files = crate::samples::Subnets::new(&[("inner", inner), ("deep", deep)]);
    let mut plan = crate::expand(&crate::samples::graph(0, text), &catalogue, &mut files).plan;
    plan.name = String::from("sample");
    plan
}

#[test]
fn dot_has_clusters_ports_notes_and_capacities() {
    let expected = r#"digraph "sample" {
  rankdir=LR;
  node [shape=box, style=rounded];
  "G" [label="G\ngen"];
  "M" [label="M\nmerge"];
  subgraph "cluster S" {
    label="S\ninner";
    "S/A" [label="A\npass"];
    subgraph "cluster S/P" {
      label="P\ndeep";
      "S/P/B" [label="B\npass"];
    }
  }
  "initial 0" [shape=note, style="", label="'say-\"hi\"<&>'"];
  "initial 0" -> "G" [style=dashed, label="COUNT"];
  "out Done" [shape=ellipse, style="", label="Done"];
  "M" -> "out Done" [label="OUT"];
  "G" -> "S/A" [label="OUT -> IN (5, drop-new)"];
  "S/P/B" -> "M" [label="OUT -> IN[1]"];
  "S/A" -> "S/P/B" [label="OUT -> IN"];
}
"#;
    assert_eq!(to_dot(&sample()), expected);
}

#[test]
fn mermaid_has_clusters_ports_notes_and_capacities() {
    let expected = r#"flowchart LR
  p0("G<br/>gen")
  p3("M<br/>merge")
  subgraph s0["S<br/>inner"]
    p1("A<br/>pass")
    subgraph s1["P<br/>deep"]
      p2("B<br/>pass")
    end
  end
  i0>"'say-#34;hi#34;#60;#38;#62;'"] -.->|"COUNT"| p0
  p3 -->|"OUT"| out0(["Done"])
  p0 -->|"OUT -#62; IN (5, drop-new)"| p1
  p2 -->|"OUT -#62; IN[1]"| p3
  p1 -->|"OUT -#62; IN"| p2
"#;
    assert_eq!(to_mermaid(&sample()), expected);
}

#[test]
fn arcs_that_a_store_keeps_show_their_kind_and_what_they_guarantee() {
    let text = "'5' -> COUNT A(gen)\nA OUT ->(kind=queue,capacity=9) IN B(pass)\n\
                B OUT ->(kind=pubsub) IN D(drop)";
    let mut drawn = plan(text, &[]);
    let dot = to_dot(&drawn);
    assert!(dot.contains("OUT -> IN (queue, 9, at-least-once)"), "{dot}");
    assert!(dot.contains("OUT -> IN (pubsub, at-most-once)"), "{dot}");
    drawn.tables.push(crate::plan::Table {
        process: 1,
        ..crate::plan::Table::default()
    });
    let chart = to_mermaid(&drawn);
    assert!(chart.contains("(queue, 9, once-only)"), "{chart}");
}

#[test]
fn names_of_subnets_that_begin_alike_are_kept_apart() {
    let inner = "A(lone)\nB(lone)\nA OUT -> IN B";
    let drawn = to_mermaid(&plan("S(inner)\nST(inner)", &[("inner", inner)]));
    assert_eq!(drawn.matches("p0(\"A").count(), 1);
    assert!(
        drawn.contains("s1[\"ST<br/>inner\"]\n    p2(\"A<br/>lone\")"),
        "{drawn}"
    );
}

#[test]
fn long_initial_packets_are_cut() {
    let value = serde_json::Value::from("one line\nand another");
    assert_eq!(super::note(&value), "'one line...'");
    let value = serde_json::Value::from("x".repeat(31));
    assert_eq!(super::note(&value), format!("'{}...'", "x".repeat(30)));
    assert_eq!(super::note(&serde_json::json!([1])), "'[1]'");
}
