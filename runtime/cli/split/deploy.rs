//! What is needed to run the parts of a graph elsewhere: files for Compose, Kubernetes or systemd.

mod compose;
mod kubernetes;
mod systemd;
mod yaml;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use paperflow_graph::parts::{Division, divide, is_shared, joined, share};
use paperflow_graph::{Diagnostic, Plan};

use crate::cli::exit::{Exit, Failure};
use crate::cli::{files, out};
use crate::load::Loaded;

/// Where parts can be told to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Place {
    /// A Compose file, a service for each part.
    Compose,
    /// Manifests, a workload for each part.
    Kubernetes,
    /// Units, a service for each part.
    Systemd,
}

/// How long a part may drain when it is told to stop, in seconds.
const DRAIN: u32 = 30;
/// How much longer it is waited for.
const GRACE: u32 = DRAIN + 10;
/// Where a part in a container answers how it is.
const PORT: u16 = 8080;
/// What a part may use of a machine.
const MEMORY_MEGABYTES: u32 = 512;
const PROCESSORS: &str = "1.0";

/// A graph that is to run elsewhere.
struct Deployment {
    /// Its name, as hosts are named: small letters, digits and `-`.
    name: String,
    image: String,
    /// Its folder, and the names of its files there.
    folder: PathBuf,
    graph: String,
    wiring: Option<String>,
    /// The files that it is read from, with their texts, by their way from the folder.
    files: Vec<(String, String)>,
    /// Variables of the environment that its stores need.
    variables: BTreeSet<String>,
    services: Vec<Service>,
}

/// A part of it, or the whole.
struct Service {
    /// As hosts are named.
    name: String,
    part: Option<String>,
    /// It keeps something of its own.
    keeps: bool,
    /// Exported ports.
    inports: Vec<String>,
    outports: Vec<String>,
}

/// A file that is to be written, by its name.
type Written = (String, String);

/// Writes the files for a place.
pub(super) fn execute(
    place: Place,
    image: &str,
    output: &Path,
    (graph, wiring): (&Path, Option<&Path>),
    loaded: &Loaded,
) -> Result<Exit, Failure> {
    let deployment = Deployment::of(image, (graph, wiring), loaded)?;
    let written = match place {
        Place::Compose => vec![compose::file(&deployment)],
        Place::Kubernetes => vec![kubernetes::file(&deployment)],
        Place::Systemd => systemd::files(&deployment),
    };
    if files::is_standard(output) {
        let texts = written.iter().map(|(name, text)| match written.len() {
            1 => text.clone(),
            _ => format!("# {name}\n{text}\n"),
        });
        out::print(&texts.collect::<String>())?;
        return Ok(Exit::Fine);
    }
    std::fs::create_dir_all(output)
        .map_err(|error| Failure::unwritable(output.display(), &error))?;
    for (name, text) in written {
        files::replace(&output.join(name), &text)?;
    }
    Ok(Exit::Fine)
}

impl Deployment {
    fn of(
        image: &str,
        (graph, wiring): (&Path, Option<&Path>),
        loaded: &Loaded,
    ) -> Result<Self, Failure> {
        let folder = graph.parent().unwrap_or_else(|| Path::new(""));
        let within = |path: &Path| {
            let rest = path.strip_prefix(folder).ok();
            let rest = rest.filter(|rest| !rest.starts_with(".."));
            rest.map(|rest| rest.to_string_lossy().replace('\\', "/"))
        };
        let mut texts = Vec::new();
        for source in loaded.sources.files() {
            let name = within(&source.path).ok_or_else(|| outside(&source.path))?;
            texts.push((name, source.text.to_string()));
        }
        let named = |path: &Path| within(path).ok_or_else(|| outside(path));
        let plan = &loaded.plan;
        let division = divide(plan, |connector| is_shared(&loaded.wiring, connector));
        let first = joined(plan, &division).into_iter().next();
        if let Some(Diagnostic { message, help, .. }) = first {
            return Err(Failure::misuse(message, help));
        }
        Ok(Self {
            name: host_name(&plan.id),
            image: image.to_owned(),
            folder: folder.to_path_buf(),
            graph: named(graph)?,
            wiring: wiring.map(named).transpose()?,
            files: texts,
            variables: variables(loaded),
            services: services(plan, &division),
        })
    }

    /// The arguments of `run` for one of its services: with the graph in a folder, its data in another,
    /// and where it answers how it is.
    fn arguments(&self, service: &Service, at: &Paths<'_>) -> Vec<String> {
        let mut words = vec![String::from("run"), format!("{}/{}", at.graph, self.graph)];
        let mut say = |flag: &str, value: String| words.extend([String::from(flag), value]);
        if let Some(wiring) = &self.wiring {
            say("--wiring", format!("{}/{wiring}", at.graph));
        }
        if let Some(part) = &service.part {
            say("--part", part.clone());
            if let Some(copy) = at.copy {
                say("--copy", copy.to_owned());
            }
        }
        say("--data", at.data.to_owned());
        say("--health", at.health.clone());
        say("--drain", format!("{DRAIN}s"));
        words
    }
}

/// Where things are for a service.
struct Paths<'a> {
    graph: &'a str,
    data: &'a str,
    copy: Option<&'a str>,
    health: String,
}

fn outside(path: &Path) -> Failure {
    Failure::misuse(
        format!("`{}` is not in the folder of the graph", path.display()),
        Some(String::from(
            "put it beside the graph: that folder is what is deployed",
        )),
    )
}

fn services(plan: &Plan, division: &Division) -> Vec<Service> {
    let ports = |exports: &[paperflow_graph::plan::Export]| {
        exports.iter().map(|port| port.public.clone()).collect()
    };
    let service = |plan: &Plan, part: Option<&str>| Service {
        name: host_name(part.unwrap_or(&plan.id)),
        part: part.map(str::to_owned),
        keeps: !plan.tables.is_empty()
            || plan.links.iter().any(|link| {
                let store = |one: &paperflow_graph::plan::Connector| one.store.is_none();
                link.connector.as_deref().is_some_and(store)
            }),
        inports: ports(&plan.inports),
        outports: ports(&plan.outports),
    };
    if division.parts.is_empty() {
        return vec![service(plan, None)];
    }
    let parts = division.parts.iter().enumerate();
    parts
        .map(|(at, part)| service(&share(plan.clone(), division, at), Some(&part.name)))
        .collect()
}

/// Variables in the URLs of stores.
fn variables(loaded: &Loaded) -> BTreeSet<String> {
    let stores = loaded.wiring.stores.iter();
    let texts = stores.filter_map(|store| store.url.as_ref().or(store.dir.as_ref()));
    let mut found = BTreeSet::new();
    for text in texts {
        let rest = text.text.split("${").skip(1);
        found.extend(rest.filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())));
    }
    found
}

/// A name as hosts have them.
fn host_name(name: &str) -> String {
    let letter = |letter: char| match letter.to_ascii_lowercase() {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '-',
    };
    let name: String = name.chars().map(letter).take(40).collect();
    let name = name.trim_matches('-');
    match name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => name.to_owned(),
        false => format!("part-{name}"),
    }
}
