//! The examples of this package as programs to start.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with the programs of this profile: `target/debug`.
pub(crate) fn built() -> &'static Path {
    let command = Path::new(env!("CARGO_BIN_EXE_paperflow"));
    command.parent().expect("the command lies in a folder")
}

/// An example; `cargo test` builds them all, `cargo test --test NAME` none.
pub(crate) fn example(name: &str) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let program = built().join("examples").join(file);
    if !program.exists() {
        let target = built().parent().expect("a profile lies in a folder");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--offline", "--example", name])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("CARGO_TARGET_DIR", target)
            .status();
        assert!(built.expect("cargo can be started").success());
    }
    program
}
