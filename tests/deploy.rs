//! Files that `split --to` writes are read by those they are written for, and a network that runs can be
//! asked how it is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "a part of it is used here")]
mod command;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use command::Folder;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a tool printed. Without the tool there is nothing to see; that is said aloud, and fails in CI.
#[expect(clippy::print_stderr, reason = "what is left out is said aloud")]
fn checked(tool: &str, command: &mut Command) -> Option<String> {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{tool}: {error}");
            eprintln!("skipped, {tool} is missing: {error}");
            return None;
        }
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool}: {errors}");
    assert_eq!(
        errors
            .lines()
            .filter(|line| !line.starts_with("go: "))
            .count(),
        0,
        "{errors}"
    );
    Some(text)
}

/// Lets the official readers of both kinds of file read them, who refuse what they do not know.
fn read(files: &[&Path]) -> Option<Vec<String>> {
    let mut go = Command::new("go");
    go.args(["run", "."]).args(files);
    go.current_dir(Path::new(ROOT).join("tests/deploy"));
    let text = checked(
        "go",
        go.env("BROKER_URL", "redis://here")
            .env("GOFLAGS", "-mod=readonly"),
    )?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    Some(lines)
}

fn deployed(folder: &Folder, graph: &str, to: &str) {
    let output = folder.run(&format!("split {graph} --to {to} -o out"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

#[test]
fn files_for_containers_are_read_by_their_own_tools() {
    let folder = Folder::new("containers");
    let graph = format!("{ROOT}/graphs/order-flow/order-flow.fbp");
    let wired = format!("{graph} --wiring {ROOT}/graphs/order-flow/parts.toml");
    deployed(&folder, &wired, "compose");
    deployed(&folder, &wired, "kubernetes");
    let files = [
        folder.path("out/compose.yaml"),
        folder.path("out/kubernetes.yaml"),
    ];
    let Some(found) = read(&[&files[0], &files[1]]) else {
        return;
    };
    let expected = [
        "ConfigMap",
        "Deployment",
        "Service",
        "Service",
        "StatefulSet",
        "StatefulSet",
        "service courier",
        "service office",
        "service restaurant",
    ];
    assert_eq!(found, expected);
}

#[test]
fn units_are_verified_by_systemd() {
    let folder = Folder::new("units");
    let graph = format!("{ROOT}/graphs/order-flow/order-flow.fbp");
    let wired = format!("{graph} --wiring {ROOT}/graphs/order-flow/parts.toml");
    deployed(&folder, &wired, "systemd");
    let units = [
        "order-flow-office.service",
        "order-flow-courier.service",
        "order-flow.target",
    ];
    let mut verify = Command::new("systemd-analyze");
    verify.arg("verify");
    verify.args(units.map(|unit| folder.path(&format!("out/{unit}"))));
    let Some(told) = checked("systemd-analyze", &mut verify) else {
        return;
    };
    assert_eq!(told, "");
}

/// Its ports are all that others see of it.
#[test]
fn p01_one_graph_is_one_service_with_its_ports() {
    let folder = Folder::new("service");
    let graph = format!("{ROOT}/graphs/order-flow/onboard-restaurant.fbp");
    deployed(&folder, &graph, "compose");
    let text = folder.read("out/compose.yaml");
    assert_eq!(text.matches("image:").count(), 1, "{text}");
    assert!(text.contains("  onboard-restaurant:\n"), "{text}");
    assert!(text.contains("paperflow.in: \"IN,FAX_IN\"\n"), "{text}");
    let outports = "paperflow.out: \"FAX_OUT,OUT,NOT_QUALIFIED,TIMED_OUT,UNMATCHED\"\n";
    assert!(text.contains(outports), "{text}");
    let Some(found) = read(&[&folder.path("out/compose.yaml")]) else {
        return;
    };
    assert_eq!(found, ["service onboard-restaurant"]);
}

#[test]
fn a_network_says_whether_it_lives_and_is_ready() {
    let folder = Folder::new("health");
    folder.write(
        "echo.fbp",
        "INPORT=Pass.IN:LINES\nPass(flow/pass) OUT -> IN Show(console/write)\n",
    );
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    let taken = folder.run(&format!("run echo.fbp --in LINES=- --health {address}"));
    assert_eq!(taken.status.code(), Some(2), "somebody else is there");
    drop(free);
    let mut command = folder.command(&format!("run echo.fbp --in LINES=- --health {address}"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = child.stdin.take().unwrap();
    lines.write_all(b"hello\n").unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(shown.next().unwrap().unwrap(), "hello");
    for (asked, answer) in [("", "alive\n"), (" --ready", "ready\n")] {
        let output = folder.run(&format!("health {address}{asked}"));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), answer);
        assert!(output.status.success());
    }
    drop(lines);
    assert!(child.wait().unwrap().success());
    let output = folder.run(&format!("health {address}"));
    assert_eq!(output.status.code(), Some(1), "nobody is there");
}
