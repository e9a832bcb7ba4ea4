//! What processes keep.

use std::sync::Arc;

use paperflow_core::Packet;
use paperflow_core::connector::{Desk, Handled, Row, Work};
use paperflow_core::message::{Id, Message};

use super::{Case, text};
use crate::compliance::Bench;

pub(super) const CASES: &[Case] = &[
    (
        "s5: rows, what was handled and what followed are kept together",
        together,
    ),
    (
        "what was sent of its own accord is owed until it is paid",
        owed,
    ),
    ("what has arrived is not sent again", arrived),
    ("desks do not see each other", apart),
];

fn desk(bench: &dyn Bench, process: &str) -> Arc<dyn Desk> {
    bench.store().desk(process).unwrap()
}

fn row(table: &str, key: &str, row: Option<&str>) -> Row {
    Row {
        table: table.to_owned(),
        key: key.to_owned(),
        row: row.map(str::to_owned),
    }
}

fn handled(name: &str, sent: Vec<(usize, Message)>) -> Handled {
    Handled {
        id: Id::of(name),
        sent,
        own: false,
    }
}

fn together(bench: &mut dyn Bench) {
    let own = desk(bench, "g/P");
    let bytes = Packet::bytes(vec![0, 255]).with_header("a", "b");
    let bytes = Message::of(Id::of("bytes"), &bytes).unwrap();
    let work = Work {
        handled: vec![
            handled("one", vec![(2, text("x")), (0, bytes)]),
            handled("two", Vec::new()),
        ],
        rows: vec![
            row("t", "1", Some("{\"n\":1}")),
            row("t", "1", Some("{\"n\":2}")),
            row("t", "2", Some("0")),
            row("u", "1", Some("\"u\"")),
            row("t", "2", None),
        ],
    };
    own.commit(&work).unwrap();
    drop(own);
    for _ in 0..2 {
        let own = desk(bench, "g/P");
        for handled in &work.handled {
            let found = own.handled(handled.id).unwrap();
            assert_eq!(found.as_ref(), Some(&handled.sent));
        }
        assert_eq!(own.handled(Id::of("three")).unwrap(), None);
        let rows = own.rows("t").unwrap();
        assert_eq!(rows, [("1".to_owned(), "{\"n\":2}".to_owned())]);
        assert_eq!(own.rows("u").unwrap().len(), 1);
        bench.crash();
    }
}

fn owed(bench: &mut dyn Bench) {
    let own = desk(bench, "g/P");
    let tick = |name: &str| Handled {
        own: true,
        ..handled(name, vec![(0, text(name))])
    };
    let work = Work {
        handled: vec![tick("b"), tick("a")],
        rows: Vec::new(),
    };
    own.commit(&work).unwrap();
    assert_eq!(own.handled(Id::of("a")).unwrap(), None);
    bench.crash();
    let own = desk(bench, "g/P");
    assert_eq!(own.owed().unwrap(), work.handled, "oldest first");
    own.paid(Id::of("b"));
    assert_eq!(own.owed().unwrap(), work.handled[1..]);
}

fn arrived(bench: &mut dyn Bench) {
    let own = desk(bench, "g/P");
    let work = Work {
        handled: vec![
            handled("a", vec![(0, text("x"))]),
            handled("b", Vec::new()),
            handled("c", vec![(1, text("y"))]),
        ],
        rows: Vec::new(),
    };
    own.commit(&work).unwrap();
    bench.crash();
    let (own, other) = (desk(bench, "g/P"), desk(bench, "g/Q"));
    let mut on_its_way = own.on_its_way().unwrap();
    on_its_way.sort_by_key(|one| one.sent[0].0);
    assert_eq!(
        on_its_way,
        [work.handled[0].clone(), work.handled[2].clone()]
    );
    own.arrived(Id::of("a"));
    other.arrived(Id::of("c"));
    assert_eq!(own.on_its_way().unwrap(), work.handled[2..]);
    assert_eq!(own.handled(Id::of("a")).unwrap(), Some(Vec::new()));
    assert_eq!(other.on_its_way().unwrap(), []);
}

fn apart(bench: &mut dyn Bench) {
    let (one, two) = (desk(bench, "g/P"), desk(bench, "g/P[1]"));
    let work = Work {
        handled: vec![handled("x", Vec::new())],
        rows: vec![row("t", "1", Some("1"))],
    };
    one.commit(&work).unwrap();
    assert_eq!(two.handled(Id::of("x")).unwrap(), None);
    assert_eq!(two.rows("t").unwrap(), []);
    assert_eq!(two.owed().unwrap(), []);
}
