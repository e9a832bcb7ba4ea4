//! `new`: a folder to start from.

mod templates;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use super::out;

/// Makes a folder to start from: a component of one's own, or a graph.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  paperflow new component shout && cd shout && cargo run -- run graphs/shout.fbp
  paperflow new graph greeting && cd greeting && paperflow run greeting.fbp")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A Rust program with a component of its own, its test, and a graph that uses it.
    #[command(after_long_help = "\
Example:
  paperflow new component shout && cd shout && cargo run -- run graphs/shout.fbp")]
    Component {
        /// Name of the component and of its folder: small letters, digits, `-`.
        name: String,
        /// The source tree of Paperflow to build with.
        #[arg(long, value_name = "PATH", default_value = env!("CARGO_MANIFEST_DIR"))]
        paperflow: PathBuf,
    },
    /// A graph with its input, made of components that come with Paperflow.
    #[command(after_long_help = "\
Example:
  paperflow new graph greeting && cd greeting && paperflow run greeting.fbp")]
    Graph {
        /// Name of the graph and of its folder: small letters, digits, `-`.
        name: String,
    },
}

/// A file's path in the new folder, and its text.
type File = (String, String);

pub(super) fn execute(args: &Args) -> Result<Exit, Failure> {
    match &args.what {
        What::Component { name, paperflow } => {
            let name = component_name(name)?;
            make(name, &templates::component(name, &source_tree(paperflow)?))?;
            told(
                name,
                "cargo test",
                &format!("cargo run -- run graphs/{name}.fbp"),
            )
        }
        What::Graph { name } => {
            let name = plain_name(name)?;
            make(name, &templates::graph(name))?;
            let own = out::own_name();
            told(
                name,
                &format!("{own} check {name}.fbp"),
                &format!("{own} run {name}.fbp"),
            )
        }
    }
}

fn told(name: &str, first: &str, second: &str) -> Result<Exit, Failure> {
    out::print(&format!(
        "Made the folder {name}. Go on with:\n\n  cd {name}\n  {first}\n  {second}\n"
    ))?;
    Ok(Exit::Fine)
}

fn plain_name(name: &str) -> Result<&str, Failure> {
    let is_letter =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if name.starts_with(|letter: char| letter.is_ascii_lowercase()) && name.chars().all(is_letter) {
        return Ok(name);
    }
    let help = "a name has small letters, digits and `-`, and begins with a letter";
    Err(Failure::misuse(
        format!("`{name}` cannot be a name here"),
        Some(String::from(help)),
    ))
}

fn component_name(name: &str) -> Result<&str, Failure> {
    let name = plain_name(name)?;
    if templates::TAKEN.contains(&name) {
        let help = String::from("Rust needs this word itself; take another");
        return Err(Failure::misuse(
            format!("`{name}` cannot be the name of a component"),
            Some(help),
        ));
    }
    Ok(name)
}

/// The source tree as an absolute path, if it is one.
fn source_tree(path: &Path) -> Result<PathBuf, Failure> {
    if path.join("Cargo.toml").is_file() && path.join("runtime/lib.rs").is_file() {
        return path
            .canonicalize()
            .map_err(|error| Failure::unreadable(path.display(), &error));
    }
    let help = String::from("`--paperflow PATH` says where the source tree of Paperflow is");
    Err(Failure::misuse(
        format!("{} has no source tree of Paperflow", path.display()),
        Some(help),
    ))
}

/// Makes the folder, which must not be there yet, and its files.
fn make(folder: &str, files: &[File]) -> Result<(), Failure> {
    let root = Path::new(folder);
    fs::create_dir(root).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let help = String::from("nothing is overwritten; take another name");
            Failure::misuse(format!("{folder} exists already"), Some(help))
        }
        _ => Failure::unwritable(folder, &error),
    })?;
    for (path, text) in files {
        let path = root.join(path);
        let made = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text));
        made.map_err(|error| Failure::unwritable(path.display(), &error))?;
    }
    Ok(())
}
