//! Parts of graphs: how a graph is cut, and what is said when it cannot be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "a part of it is used here")]
mod command;

use command::{Folder, recorded};

const ROW: &str = "\
'in.txt' -> SOURCE Read(file/lines) OUT -> IN Split(text/words) OUT -> IN Case(text/upper) OUT -> IN Show(console/write)
";
const HOSTS: &str = "\
'in.txt' -> SOURCE Read(file/lines:host=shop) OUT -> IN Split(text/words)
Split OUT -> IN Show(console/write:host=office)
";
const TASKS: &str = "\
'in.txt' -> SOURCE Read(file/lines) OUT ->(queue) IN Case(text/upper) OUT -> IN Show(console/write)
";
const DISTINCT: &str = "\
'in.txt' -> SOURCE Read(file/lines) OUT -> IN Split(text/words) OUT -> IN Once(flow/distinct) OUT -> IN Count(flow/count)
Count COUNT -> IN Show(console/write)
";
const FORK: &str = "\
'in.txt' -> SOURCE Read(file/lines) OUT -> IN Copy(flow/replicate)
Copy OUT[0] -> IN[0] Join(flow/merge) OUT -> IN Show(console/write)
Copy OUT[1] -> IN Case(text/upper) OUT -> IN[1] Join
";

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("in.txt", "to be\nor not\n");
    folder.write("row.fbp", ROW);
    folder.write("hosts.fbp", HOSTS);
    folder.write("fork.fbp", FORK);
    folder.write("distinct.fbp", DISTINCT);
    folder.write("tasks.fbp", TASKS);
    folder
}

#[test]
fn split_writes_the_wiring_of_parts() {
    let folder = folder("split");
    folder.write(
        "own.toml",
        "[arc.\"Split.OUT -> Case.IN\"]\nkind = \"queue\"\nretries = 5\n",
    );
    recorded!(
        "split",
        folder.shows(&[
            "split row.fbp --at Split.OUT->Case.IN --via redis",
            "split row.fbp --at Split.OUT->Case.IN --via redis://here --wiring own.toml",
            "split hosts.fbp --via nats -o hosts.toml",
            "check hosts.fbp --wiring hosts.toml",
            "graph hosts.fbp --wiring hosts.toml --to dot",
            "explain hosts.fbp --wiring hosts.toml",
            "split hosts.fbp --wiring hosts.toml",
            "split hosts.fbp --via redis --json",
            "split distinct.fbp --at Split.OUT->Once.IN --via redis -o distinct.toml",
            "check distinct.fbp --wiring distinct.toml",
            "explain distinct.fbp --wiring distinct.toml",
        ])
    );
}

#[test]
fn split_tells_what_still_joins_a_graph() {
    let folder = folder("undivided");
    recorded!(
        "undivided",
        folder.shows(&[
            "split fork.fbp --at Copy.OUT[0]->Join.IN[0] --via redis",
            "split fork.fbp --at Copy.OUT[0]->Join.IN --at Case.OUT->Join.IN[1] --via redis --json",
            "split row.fbp --at Split.OTU->Case.IN --via redis",
            "split row.fbp --at Split.OUT->Case.IN",
            "split row.fbp --at Split.OUT->Case.IN --via paper",
            "split tasks.fbp --at Read.OUT->Case.IN --via kafka",
            "split row.fbp",
        ])
    );
}

#[test]
fn run_part_tells_what_keeps_a_part_from_running() {
    let folder = folder("part");
    recorded!(
        "part",
        folder.shows(&[
            "run row.fbp --part shop",
            "run hosts.fbp --part shpo",
            "run hosts.fbp --part elsewhere",
            "run hosts.fbp --part shop",
            "run hosts.fbp --copy 2",
        ])
    );
}

/// An arc that is proposed is between the house and somebody else.
#[test]
fn p07_cuts_of_the_order_flow_fall_on_fax_and_customer_edges() {
    let root = env!("CARGO_MANIFEST_DIR");
    let folder = folder("proposals");
    let line = format!("split {root}/graphs/order-flow/order-flow.fbp --json");
    let output = folder.run(&line);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let proposals = found["proposals"].as_array().unwrap();
    let arcs: Vec<&str> = proposals
        .iter()
        .map(|one| one["arc"].as_str().unwrap())
        .collect();
    let at = |ends: &[&str]| {
        arcs.iter()
            .filter(|arc| ends.iter().all(|end| arc.contains(end)))
            .count()
    };
    assert_eq!(at(&["FaxLine"]), 2, "the fax: {arcs:#?}");
    assert_eq!(at(&["OrderUI"]), 7, "the customer: {arcs:#?}");
    assert_eq!(
        at(&["OnboardUI", "Onboarding/"]),
        1,
        "a restaurant calls: {arcs:#?}"
    );
    assert_eq!(
        at(&["PlaceOrder", "FrontOfHouse"]),
        2,
        "the restaurant's door: {arcs:#?}"
    );
    assert_eq!(at(&["BookCourier"]), 4, "the courier: {arcs:#?}");
    assert_eq!(arcs.len(), 16, "and nowhere else: {arcs:#?}");
    let parts = found["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 5);
}
