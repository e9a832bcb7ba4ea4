//! Units for systemd: a service for each part, and a target for all of them.

use std::fmt::Write;

use super::{Deployment, GRACE, MEMORY_MEGABYTES, PORT, Paths, Service, Written};

pub(super) fn files(deployment: &Deployment) -> Vec<Written> {
    let services = deployment.services.iter().enumerate();
    let mut files: Vec<Written> = services
        .map(|(at, one)| (unit(deployment, one), service(deployment, one, at)))
        .collect();
    files.push((format!("{}.target", deployment.name), target(deployment)));
    files
}

fn unit(deployment: &Deployment, service: &Service) -> String {
    match service.name == deployment.name {
        true => format!("{}.service", deployment.name),
        false => format!("{}-{}.service", deployment.name, service.name),
    }
}

fn target(deployment: &Deployment) -> String {
    let services = deployment.services.iter();
    let wants: Vec<String> = services.map(|one| unit(deployment, one)).collect();
    format!(
        "[Unit]\nDescription=All parts of {}\nWants={}\n\n[Install]\nWantedBy=multi-user.target\n",
        deployment.name,
        wants.join(" ")
    )
}

fn service(deployment: &Deployment, service: &Service, at: usize) -> String {
    let folder = std::path::absolute(&deployment.folder);
    let folder = folder.unwrap_or_else(|_| deployment.folder.clone());
    let folder = folder.display().to_string();
    let state = format!("paperflow/{}/{}", deployment.name, service.name);
    let paths = Paths {
        graph: &folder,
        data: &format!("/var/lib/{state}"),
        copy: None,
        // Each part of a machine has an address of its own.
        health: format!(
            "127.0.0.1:{}",
            PORT + u16::try_from(at).unwrap_or(u16::MAX - PORT)
        ),
    };
    let words = deployment.arguments(service, &paths);
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let mut text = String::new();
    let part = service.part.as_ref();
    let what = part.map_or_else(String::new, |part| format!(", part {part}"));
    let _ = write!(
        text,
        "\
[Unit]
Description={}{what}
PartOf={}.target
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/usr/bin/env paperflow {}
# Where its stores are: {}.
EnvironmentFile=-/etc/paperflow/{}.env
StateDirectory={state}
DynamicUser=yes
ProtectHome=read-only
NoNewPrivileges=yes
Restart=on-failure
RestartSec=1
KillSignal=SIGTERM
TimeoutStopSec={GRACE}
MemoryMax={MEMORY_MEGABYTES}M
CPUQuota=100%
TasksMax=512

[Install]
WantedBy={}.target
",
        deployment.name,
        deployment.name,
        words.join(" "),
        match deployment.variables.is_empty() {
            true => String::from("nothing is needed"),
            false => deployment
                .variables
                .iter()
                .cloned()
                .collect::<Vec<_>>()
                .join(", "),
        },
        deployment.name,
        deployment.name,
    );
    text
}

/// A word of a command line, as systemd reads it.
fn quoted(word: &str) -> String {
    let word = word.replace('%', "%%").replace('$', "$$");
    let is_plain = |letter: char| !letter.is_whitespace() && !"\"'\\".contains(letter);
    match word.chars().all(is_plain) {
        true => word,
        false => format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}
