//! What holds for every component that comes with Paperflow, however new.

use std::collections::BTreeSet;
use std::sync::Arc;

use paperflow::rig::{Rig, try_crashes, try_twice};
use paperflow::{Catalogue, Component, Packet, Scheduler, Spec, Verdict};
use paperflow_core::{Example, Sample};

/// Schedulers and capacities that every example is run with.
const DRIVERS: [(Scheduler, usize); 6] = [
    (Scheduler::Threads, 1),
    (Scheduler::Threads, 2),
    (Scheduler::Threads, 1000),
    (Scheduler::Pool(1), 1),
    (Scheduler::Pool(2), 2),
    (Scheduler::Pool(2), 1000),
];

/// Components that cannot show themselves in an example: what they send is not in their ports.
const WITHOUT_EXAMPLE: [(&str, &str); 8] = [
    ("console/lines", "sends what a person types"),
    ("file/csv", "sends what is in a file"),
    ("file/json-lines", "sends what is in a file"),
    ("file/lines", "sends what is in a file"),
    ("file/list", "sends what is in a folder"),
    ("file/read", "sends what is in a file"),
    ("file/walk", "sends what is in a folder"),
    ("file/watch", "sends what is in a folder"),
];

/// Whether a list of components, each with a reason, has this one.
fn is_among(list: &[(&str, &str)], spec: &Spec) -> bool {
    list.iter().any(|(name, _)| *name == spec.name)
}

/// Fails with all that is wrong, component by component.
#[track_caller]
fn hold(rule: &str, check: impl Fn(&Spec) -> Vec<String>) {
    let catalogue = paperflow::standard();
    let wrong: Vec<_> = catalogue
        .specs()
        .flat_map(|spec| {
            let name = spec.name.clone();
            check(spec)
                .into_iter()
                .map(move |what| format!("{name}: {what}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{rule}:\n  {}\n", wrong.join("\n  "));
}

#[test]
fn every_component_is_documented() {
    hold("missing documentation", |spec| {
        let Spec {
            about,
            doc,
            inputs,
            outputs,
            params,
            tables,
            ..
        } = spec;
        let itself = [("its first sentence", about), ("its documentation", doc)];
        let ports = inputs
            .iter()
            .chain(outputs)
            .map(|port| (port.name.as_str(), &port.about));
        let params = params
            .iter()
            .map(|param| (param.name.as_str(), &param.about));
        let tables = tables
            .iter()
            .map(|table| (table.name.as_str(), &table.about));
        let all = itself.into_iter().chain(ports).chain(params).chain(tables);
        let missing = all.filter(|(_, text)| text.trim().is_empty());
        missing
            .map(|(what, _)| format!("{what} says nothing"))
            .collect()
    });
}

#[test]
fn documentation_is_made_of_sentences() {
    hold("documentation that is no sentence", |spec| {
        let ports = spec
            .inputs
            .iter()
            .chain(&spec.outputs)
            .map(|port| &port.about);
        let params = spec.params.iter().map(|param| &param.about);
        let texts = [&spec.about].into_iter().chain(ports).chain(params);
        let ends = |text: &str| text.trim_end().ends_with(['.', ':', '`', '!', '?', ')']);
        texts.filter(|text| !ends(text)).cloned().collect()
    });
}

#[test]
fn names_are_area_and_name() {
    let is_word = |word: &str| {
        let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(inside)
    };
    hold("names that are not `area/name`", |spec| {
        let words: Vec<_> = spec.name.split('/').collect();
        let fits = words.len() == 2 && words.into_iter().all(is_word);
        if fits {
            Vec::new()
        } else {
            vec![String::from("its name")]
        }
    });
}

#[test]
fn ports_are_in_capitals() {
    let is_capital = |name: &str| {
        let inside = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(inside)
    };
    hold("ports that are not in capitals", |spec| {
        let ports = spec
            .inputs
            .iter()
            .chain(&spec.outputs)
            .map(|port| &port.name);
        let names = ports.chain(spec.params.iter().map(|param| &param.name));
        names.filter(|name| !is_capital(name)).cloned().collect()
    });
}

#[test]
fn no_name_means_two_ports() {
    hold("names used twice", |spec| {
        let inputs = spec.inputs.iter().map(|port| &port.name);
        let into: Vec<_> = inputs
            .chain(spec.params.iter().map(|param| &param.name))
            .collect();
        let out: Vec<_> = spec.outputs.iter().map(|port| &port.name).collect();
        let sides = [into, out].into_iter();
        let doubled =
            sides.filter(|names| names.iter().collect::<BTreeSet<_>>().len() < names.len());
        doubled.map(|names| format!("{names:?}")).collect()
    });
}

#[test]
fn aliases_stand_for_components() {
    let catalogue = paperflow::standard();
    let names: BTreeSet<_> = catalogue.specs().map(|spec| spec.name.as_str()).collect();
    for (alias, name) in catalogue.aliases() {
        assert!(
            names.contains(name),
            "{alias} stands for {name}, which is not there"
        );
        assert!(
            !names.contains(alias),
            "{alias} is a component and an alias"
        );
    }
}

#[test]
fn every_component_shows_itself_in_an_example() {
    hold("components without an example", |spec| {
        if spec.examples.is_empty() && !is_among(&WITHOUT_EXAMPLE, spec) {
            return vec![String::from(
                "no example, and no reason in the list of this test",
            )];
        }
        Vec::new()
    });
    let catalogue = paperflow::standard();
    for (name, reason) in WITHOUT_EXAMPLE {
        let component = catalogue
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not there"));
        let examples = &component.spec().examples;
        assert!(
            examples.is_empty(),
            "{name} has an example although it {reason}"
        );
    }
}

#[test]
fn every_example_says_what_comes_out() {
    hold("examples that expect nothing of any port", |spec| {
        let silent = spec
            .examples
            .iter()
            .filter(|example| example.expects.is_empty());
        let has_outputs = spec.outputs.len() > 1;
        silent
            .filter(|_| has_outputs)
            .map(|example| format!("{example:?}"))
            .collect()
    });
}

#[test]
fn every_example_comes_true_under_every_driver() {
    let catalogue: Catalogue = paperflow::standard();
    for component in catalogue.iter() {
        for example in &component.spec().examples {
            for (scheduler, capacity) in DRIVERS {
                run(component, example, scheduler, capacity);
            }
        }
    }
}

#[test]
fn every_component_that_says_it_is_idempotent_is() {
    hold("differences when packets come twice", |spec| {
        let examples = spec.examples.iter().filter(|_| spec.idempotent);
        let catalogue = paperflow::standard();
        let component = catalogue.get(&spec.name).expect("it is there");
        let found = examples.flat_map(|example| try_twice(component, example));
        found.map(|mismatch| mismatch.to_string()).collect()
    });
}

/// Components of which one that begins again gives something else, and that forget nothing.
const OTHER_AFTER_A_CRASH: [(&str, &str); 2] = [
    (
        "flow/shed",
        "what has no room is dropped, and that depends on time",
    ),
    (
        "lookup/ask",
        "an answer belongs to a question that was asked before the crash",
    ),
];

#[test]
fn every_component_gives_the_same_when_it_is_cut_off_or_says_that_it_forgets() {
    hold("differences after a crash", |spec| {
        if spec.forgets || is_among(&OTHER_AFTER_A_CRASH, spec) {
            return Vec::new();
        }
        after_crashes(spec)
    });
}

/// Components that forget and have no example that shows it.
const HARD_TO_SHOW: [(&str, &str); 5] = [
    ("process/exec", "its child answers each line at once"),
    (
        "flow/dedupe",
        "what it gives then comes twice, and is nothing new",
    ),
    (
        "reactive/breaker",
        "whether it is open depends on what comes first",
    ),
    ("reactive/bulkhead", "its limit is not reached"),
    (
        "subnet/in-ss",
        "the subnet begins anew for each group, and it with it",
    ),
];

#[test]
fn every_component_that_says_that_it_forgets_does() {
    hold("components that forget nothing", |spec| {
        if !spec.forgets || is_among(&HARD_TO_SHOW, spec) {
            return Vec::new();
        }
        match after_crashes(spec).is_empty() {
            true => vec![String::from("it gives the same when it is cut off")],
            false => Vec::new(),
        }
    });
}

fn after_crashes(spec: &Spec) -> Vec<String> {
    let catalogue = paperflow::standard();
    let component = catalogue.get(&spec.name).expect("it is there");
    let examples = spec.examples.iter();
    let found = examples.flat_map(|example| try_crashes(component, example));
    found.map(|mismatch| mismatch.to_string()).collect()
}

/// All ports in one run: what an array port sends may depend on which elements there are.
fn run(component: &Arc<dyn Component>, example: &Example, scheduler: Scheduler, capacity: usize) {
    let mut rig = Rig::of_shared(Arc::clone(component));
    for (param, value) in &example.params {
        rig = rig.set(param, value.as_str());
    }
    for (port, samples) in &example.feeds {
        rig = rig.feed(port, packets(samples));
    }
    let ports: Vec<_> = example
        .expects
        .iter()
        .map(|(port, _)| port.as_str())
        .collect();
    let ran = rig.run(&ports, scheduler, capacity);
    let name = &component.spec().name;
    let way = format!("{name} with {scheduler:?} at capacity {capacity}: {example:?}");
    assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
    for (port, samples) in &example.expects {
        assert_eq!(ran.output(port), packets(samples), "{port} of {way}");
    }
    assert!(ran.outcome.is_success(), "{way}: {:?}", ran.outcome);
    let totals = ran.outcome.statistics.totals;
    assert!(totals.is_conserved(), "{way}: {totals:?}");
}

fn packets(samples: &[Sample]) -> Vec<Packet> {
    let packet = |sample: &Sample| match sample {
        Sample::Open => Packet::open(),
        Sample::Close => Packet::close(),
        Sample::Data(value) => Packet::json(value.clone()),
    };
    samples.iter().map(packet).collect()
}
