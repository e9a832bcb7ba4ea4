//! Programs around the runtime: one that embeds it, one that is a command of its own.

#[path = "own/example.rs"]
mod example;

#[path = "../runtime/examples/embed.rs"]
#[allow(dead_code, reason = "only its components are used here")]
mod embed;
#[path = "../runtime/examples/own_command.rs"]
#[allow(dead_code, reason = "only its component is used here")]
mod own_command;

use std::process::{Command, Output};
use std::sync::Arc;

use paperflow::rig::Rig;
use paperflow::{Catalogue, Component};

fn example(name: &str) -> Command {
    let mut command = Command::new(example::example(name));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn run(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program can be started");
    let complaint = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?} gave {status}: {complaint}");
    String::from_utf8(stdout).expect("it prints text")
}

#[test]
fn a_program_feeds_a_network_takes_from_it_and_stops_it() {
    let printed = run(&mut example("embed"));
    let expected = "\
ann pays 5 for soup
bob pays 7 for pie
cid: no cake today
1000 more orders are priced
ended well: true
every packet accounted for: true
";
    assert_eq!(printed, expected);
}

#[test]
fn an_own_command_knows_its_own_components() {
    let described = run(example("own_command").args(["describe", "own/shout"]));
    assert!(described.starts_with("own/shout\n"), "{described}");
    assert!(described.contains("LOUD -> \"TO BE!\""), "{described}");
    let listed = run(example("own_command").arg("list"));
    assert!(
        listed.contains("own/shout") && listed.contains("text/words"),
        "{listed}"
    );
}

#[test]
fn an_own_command_runs_graphs_with_its_own_components() {
    let folder = std::env::temp_dir().join(format!("paperflow-own-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let graph = folder.join("shout.fbp");
    let text = "'to be' -> SOURCE Start(flow/kick) OUT -> LINE Say(own/shout) LOUD -> IN Show(console/write)\n";
    std::fs::write(&graph, text).expect("a file can be written");
    let printed = run(example("own_command").arg("run").arg(&graph));
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
    assert_eq!(printed, "TO BE!\n");
}

#[test]
fn own_components_do_what_their_examples_show() {
    let catalogue = Catalogue::new()
        .with(embed::read_order)
        .with(embed::price)
        .with(own_command::shout);
    let components: Vec<&Arc<dyn Component>> = catalogue.iter().collect();
    assert_eq!(components.len(), 3);
    for component in components {
        assert!(!component.spec().examples.is_empty());
        for example in &component.spec().examples {
            Rig::check_example(component, example);
        }
    }
}
