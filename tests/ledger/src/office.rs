//! The command that is killed: built here, with failpoints and the components of the ledger.

use std::io;
use std::path::PathBuf;
use std::process::Command;

/// Builds it, as this program was built, perhaps with brokers, and tells where it is.
pub(crate) fn build(has_brokers: bool, has_kafka: bool) -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "-p", "paperflow-ledger"]);
    // Kafka's client takes long to build, so it is there when it is asked for.
    let features = match (has_brokers, has_kafka) {
        (_, true) => "failpoints,brokers,kafka",
        (true, false) => "failpoints,brokers",
        (false, false) => "failpoints",
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
