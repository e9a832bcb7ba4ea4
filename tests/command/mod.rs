//! Runs the command in a folder of its own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) const PAPERFLOW: &str = env!("CARGO_BIN_EXE_paperflow");

/// An empty folder for one test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("cli")
            .join(name);
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The command with these blank-separated arguments.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(PAPERFLOW);
        command.args(line.split_whitespace()).current_dir(&self.0);
        command.env_remove("PAPERFLOW_LOG").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    pub(crate) fn run_in(&self, folder: &str, line: &str) -> Output {
        self.command(line)
            .current_dir(self.path(folder))
            .output()
            .unwrap()
    }

    pub(crate) fn run_with(&self, line: &str, input: &str) -> Output {
        let mut command = self.command(line);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    /// Command lines with what they print and how they end.
    pub(crate) fn shows(&self, lines: &[&str]) -> String {
        let one = |line: &&str| format!("$ paperflow {line}\n{}", shown(&self.run(line)));
        lines.iter().map(one).collect::<Vec<_>>().join("\n")
    }
}

/// Standard output, standard error, exit status.
pub(crate) fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let errors = text(&output.stderr);
    let rule = if errors.is_empty() {
        ""
    } else {
        "-- standard error --\n"
    };
    let status = output
        .status
        .code()
        .map_or_else(|| output.status.to_string(), |code| code.to_string());
    format!("{}{rule}{errors}[{status}]\n", text(&output.stdout))
}

/// What was shown is as it was recorded in `tests/cli`.
#[allow(unused_macros, reason = "not every test program records what is shown")]
macro_rules! recorded {
    ($name:literal, $shown:expr) => {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("cli");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($name, $shown));
    };
}
#[allow(
    unused_imports,
    reason = "not every test program records what is shown"
)]
pub(crate) use recorded;
