//! `health`: asks a network that runs how it is.

use super::exit::{Exit, Failure};
use super::{out, run};

/// Asks a network that runs with `--health ADDRESS` whether it lives, or is ready.
///
/// It says what is not ready, and ends with 1 when something is not.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  paperflow health 127.0.0.1:8080 --ready")]
pub(super) struct Args {
    /// Where it can be asked, as it was told with `--health`.
    #[arg(value_name = "HOST:PORT")]
    address: String,
    /// Ask whether it is ready, and not only whether it lives.
    #[arg(long)]
    ready: bool,
}

pub(super) fn execute(args: &Args) -> Result<Exit, Failure> {
    let path = if args.ready { "/ready" } else { "/live" };
    match run::health::ask(&args.address, path) {
        Ok((is_well, text)) => {
            out::print(&text)?;
            Ok(if is_well { Exit::Fine } else { Exit::Failed })
        }
        Err(error) => {
            let address = &args.address;
            out::tell(&format!("nobody answers at {address}: {error}\n"));
            Ok(Exit::Failed)
        }
    }
}
