//! How the graph side sees a catalogue, and initial packets set from outside.

use paperflow_core::{Catalogue, Spec, spec};
use paperflow_graph::plan::{self, Plan};
use serde_json::Value as Json;

use crate::build::BuildError;
use crate::wiring::same;

/// How the graph crate sees a core catalogue.
#[must_use]
pub fn describe(catalogue: &Catalogue) -> paperflow_graph::Catalogue {
    let components = catalogue
        .specs()
        .map(|spec| (spec.name.clone(), description(spec)))
        .collect();
    let aliases = catalogue
        .aliases()
        .map(|(alias, name)| (alias.to_owned(), name.to_owned()))
        .collect();
    paperflow_graph::Catalogue {
        components,
        aliases,
    }
}

fn description(spec: &Spec) -> paperflow_graph::Component {
    let port = |port: &spec::PortSpec| paperflow_graph::Port {
        name: port.name.clone(),
        about: port.about.clone(),
        kinds: paperflow_graph::Kinds(port.kinds.clone()),
        array: port.array,
        size: port.size,
        required: !port.optional,
        at_end: port.at_end,
        ..paperflow_graph::Port::default()
    };
    let param = |param: &spec::ParamSpec| paperflow_graph::Port {
        name: param.name.clone(),
        about: param.about.clone(),
        required: !param.optional && param.default.is_none(),
        param: true,
        parses: Some(param.parses.clone()),
        default: param.default.clone(),
        keeps: param.keeps,
        ..paperflow_graph::Port::default()
    };
    paperflow_graph::Component {
        name: spec.name.clone(),
        about: spec.about.clone(),
        inputs: spec
            .inputs
            .iter()
            .map(port)
            .chain(spec.params.iter().map(param))
            .collect(),
        outputs: spec.outputs.iter().map(port).collect(),
        must_run: spec.must_run,
        repeats: spec.repeats,
        renews: spec.renews,
        forgets: spec.forgets,
        plain: spec.plain,
        one_by_one: spec.is_one_by_one(),
        tables: spec.tables.iter().map(|table| table.name.clone()).collect(),
        reads: match spec.reads {
            spec::Reads::Freely => paperflow_graph::Reads::Freely,
            spec::Reads::InStep => paperflow_graph::Reads::InStep,
            spec::Reads::ToEnd => paperflow_graph::Reads::ToEnd,
        },
        sends: match spec.sends {
            spec::Sends::Freely => paperflow_graph::Sends::Freely,
            spec::Sends::InStep => paperflow_graph::Sends::InStep,
            spec::Sends::ToEnd => paperflow_graph::Sends::ToEnd,
            spec::Sends::ByChoice => paperflow_graph::Sends::ByChoice,
        },
    }
}

/// An initial packet's value in place of whatever the plan has at `ADDRESS.PORT` or `ADDRESS.PORT[i]`.
///
/// # Errors
/// The plan has no such process, or its component has no such port.
pub fn set_initial(
    plan: &mut Plan,
    catalogue: &paperflow_graph::Catalogue,
    address: &str,
    port: &str,
    value: Json,
) -> Result<(), BuildError> {
    let unknown = || BuildError::UnknownPort {
        address: address.to_owned(),
        port: port.to_owned(),
    };
    let process = plan.process(address).ok_or_else(unknown)?;
    let (name, index) = match port.strip_suffix(']').and_then(|port| port.split_once('[')) {
        Some((name, index)) => (name, Some(index.parse().map_err(|_| unknown())?)),
        None => (port, None),
    };
    let component = catalogue.find(&plan.processes[process].component);
    let declared = component
        .and_then(|component| component.input(name))
        .ok_or_else(unknown)?;
    let index = index.or_else(|| declared.array.then_some(0));
    let to = plan::End {
        process,
        port: declared.name.clone(),
        index,
        ..plan::End::default()
    };
    plan.initials.retain(|initial| !same(&initial.to, &to));
    plan.initials.push(plan::Initial {
        to,
        value,
        ..plan::Initial::default()
    });
    Ok(())
}
