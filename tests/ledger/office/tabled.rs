//! Runs a graph some of whose tables are kept by its store.

use std::path::Path;
use std::process::ExitCode;

use paperflow::graph::plan::Table;
use paperflow::{
    Catalogue, Loaded, Network, Options, Verdict, data_folder, describe, load, open_stores,
};

/// Names the tables: `Handle.handled,Count.seen`.
pub(crate) const VARIABLE: &str = "LEDGER_TABLES";

pub(crate) fn run(catalogue: &Catalogue, tables: &str) -> ExitCode {
    #[cfg(feature = "failpoints")]
    arm();
    let path = std::env::args().nth(2).unwrap_or_default();
    let loaded = match load(Path::new(&path), &describe(catalogue)) {
        Ok(loaded) => loaded,
        Err(error) => return failed(&error.to_string()),
    };
    if loaded.has_errors() {
        return failed(&loaded.report());
    }
    let Loaded {
        mut plan, sources, ..
    } = loaded;
    for (process, name) in tables.split(',').filter_map(|table| table.split_once('.')) {
        for (at, known) in plan.processes.iter().enumerate() {
            if known.address.split('[').next() == Some(process) {
                plan.tables.push(Table {
                    process: at,
                    name: name.to_owned(),
                    ..Table::default()
                });
            }
        }
    }
    let stores = match open_stores(&plan, &data_folder(Path::new(&path))) {
        Ok(stores) => stores,
        Err(fault) => return failed(&fault.to_string()),
    };
    let mut network = Network::new(plan, catalogue, &sources, Options::default());
    network.keep(stores);
    match network.start() {
        Ok(started) => match started.running.wait().verdict {
            Verdict::Finished => ExitCode::SUCCESS,
            verdict => failed(&format!("{verdict:?}")),
        },
        Err(error) => failed(&error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "a program for tests")]
fn failed(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

#[cfg(feature = "failpoints")]
fn arm() {
    use paperflow::paperflow_core::failpoint::{Action, arm};
    let named = std::env::var("PAPERFLOW_FAILPOINT").unwrap_or_default();
    for failpoint in named.split(',').filter_map(|text| text.parse().ok()) {
        arm(failpoint, |action| match action {
            Action::Kill => std::process::abort(),
            Action::Stop => {
                let command = format!("kill -s STOP {}", std::process::id());
                drop(
                    std::process::Command::new("sh")
                        .args(["-c", &command])
                        .status(),
                );
            }
            Action::Fail => {}
        });
    }
}
