//! The command that is killed: built here, with failpoints and the components of the ledger.

use std::io;
use std::path::PathBuf;
use std::process::Command;

/// Builds it, as this program was built, perhaps with brokers, and tells where it is.
pub(crate) fn build(has_brokers: bool) -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "-p", "paperflow-ledger"]);
    let features = match has_brokers {
        true => "failpoints,brokers",
        false => "failpoints",
    };
    cargo.args(["--features", features, "--bin", "office"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let status = cargo.status()?;
    if !status.success() {
        return Err(io::Error::other(
            "the command with failpoints cannot be built",
        ));
    }
    Ok(own.with_file_name("office"))
}
