//! Brokers behind TLS and a password: a small network runs over each, and what is wrong is said.
#![cfg(any(feature = "redis", feature = "mqtt", feature = "nats"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "tls")]
mod brokers;
#[allow(dead_code, reason = "a part of it is used here")]
mod command;

use command::Folder;

/// The name in the wiring, what the URL begins with, and the kind of the arc.
const BROKERS: [(&str, &str, &str); 3] = [
    ("redis", "rediss", "queue"),
    ("mqtt", "mqtts", "pubsub"),
    ("nats", "tls+nats", "queue"),
];

fn is_built_in(broker: &str) -> bool {
    match broker {
        "redis" => cfg!(feature = "redis"),
        "mqtt" => cfg!(feature = "mqtt"),
        _ => cfg!(feature = "nats"),
    }
}

/// A graph with one arc over a broker at this URL.
fn network(folder: &Folder, kind: &str, url: &str) {
    folder.write("in.txt", "to be\nor not\n");
    let graph = format!(
        "'in.txt' -> SOURCE Read(file/lines) OUT ->({kind}, name=words) IN Case(text/upper)\n\
         Case OUT -> IN Show(console/write)\n"
    );
    folder.write("g.fbp", &graph);
    let wiring = format!(
        "[store.broker]\nurl = \"{url}\"\n[arc.\"Read.OUT -> Case.IN\"]\nvia = \"broker\"\n"
    );
    folder.write("at.toml", &wiring);
}

/// What is printed, and what is complained of.
fn run(folder: &Folder) -> (String, String) {
    let output = folder.run("run g.fbp --wiring at.toml --patience 1s");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_build_that_cannot_encrypt_says_which_feature_does() {
    for (broker, scheme, kind) in BROKERS.iter().filter(|(broker, ..)| is_built_in(broker)) {
        let folder = Folder::new(&format!("plain-{broker}"));
        network(&folder, kind, &format!("{scheme}://me:secret@localhost:1"));
        let (_, errors) = run(&folder);
        assert!(errors.contains("feature `tls`"), "{broker}: {errors}");
        assert!(!errors.contains("secret"), "{broker}: {errors}");
    }
}

#[cfg(feature = "tls")]
mod served {
    use std::net::{TcpListener, TcpStream};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{BROKERS, Folder, brokers, is_built_in, network, run};

    const PASSWORD: &str = "s3cret";

    /// A server of this test alone, until it is dropped.
    struct Server(Child);

    impl Drop for Server {
        fn drop(&mut self) {
            // One that has ended by itself is gone all the same.
            let _ended = self.0.kill();
            let _status = self.0.wait();
        }
    }

    fn does(folder: &Folder, program: &str, line: &str) {
        let mut command = Command::new(program);
        command
            .args(line.split_whitespace())
            .current_dir(folder.path("."));
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {line}: {errors}");
    }

    /// Two authorities, of which the first has signed the server's certificate.
    fn certificates(folder: &Folder) {
        for name in ["ca", "other"] {
            let line = format!(
                "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem"
            );
            does(folder, "openssl", &line);
        }
        does(
            folder,
            "openssl",
            "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        );
        folder.write("names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
        does(
            folder,
            "openssl",
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
        );
    }

    /// The command that serves on a port, with the files that it reads.
    fn serving(broker: &str, folder: &Folder, port: u16) -> Command {
        let mut command;
        match broker {
            "redis" => {
                command = Command::new("redis-server");
                let line = format!(
                    "--port 0 --tls-port {port} --bind 127.0.0.1 --tls-cert-file server.pem \
                     --tls-key-file server.key --tls-ca-cert-file ca.pem --tls-auth-clients no \
                     --requirepass {PASSWORD} --save"
                );
                command.args(line.split_whitespace()).arg("");
            }
            "mqtt" => {
                does(
                    folder,
                    "mosquitto_passwd",
                    &format!("-c -b users me {PASSWORD}"),
                );
                let own = Command::new("id").arg("-un").output().unwrap();
                let own = String::from_utf8(own.stdout).unwrap();
                let file = format!(
                    "listener {port} 127.0.0.1\nuser {own}\ncertfile server.pem\nkeyfile server.key\n\
                     allow_anonymous false\npassword_file users\n"
                );
                folder.write("mosquitto.conf", &file);
                command = Command::new("mosquitto");
                command.args(["-c", "mosquitto.conf"]);
            }
            _ => {
                command = Command::new("nats-server");
                let line = format!(
                    "-a 127.0.0.1 -p {port} -js -sd data --tls --tlscert server.pem --tlskey server.key \
                     --user me --pass {PASSWORD}"
                );
                command.args(line.split_whitespace());
            }
        }
        command
    }

    fn start(broker: &str, folder: &Folder) -> (Server, u16) {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut command = serving(broker, folder, port);
        command.current_dir(folder.path(".")).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let server = Server(command.spawn().unwrap());
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{broker} does not listen"
            );
            thread::yield_now();
        }
        (server, port)
    }

    fn with_tls(broker: &str, scheme: &str, kind: &str) {
        // So its programs are there.
        if brokers::url(broker).is_none() {
            return;
        }
        let folder = Folder::new(&format!("tls-{broker}"));
        certificates(&folder);
        let (_server, port) = start(broker, &folder);
        let user = if broker == "redis" { "" } else { "me" };
        let at = |password: &str, ca: &str| {
            let ca = folder.path(ca);
            let ca = Path::new(&ca).display();
            network(
                &folder,
                kind,
                &format!("{scheme}://{user}:{password}@localhost:{port}?ca={ca}"),
            );
            run(&folder)
        };
        let (shown, errors) = at(PASSWORD, "ca.pem");
        assert_eq!(shown, "TO BE\nOR NOT\n", "{broker}: {errors}");
        let (_, errors) = at(PASSWORD, "other.pem");
        assert!(
            errors.contains("certificate"),
            "{broker}, another authority: {errors}"
        );
        let (_, errors) = at("wr0ng", "ca.pem");
        let says = ["refuses us", "password", "uthoriz"];
        assert!(
            says.iter().any(|says| errors.contains(says)),
            "{broker}, a wrong password: {errors}"
        );
        assert!(!errors.contains("wr0ng"), "{broker}: {errors}");
        let (_, errors) = at(PASSWORD, "names");
        assert!(
            errors.contains("certificate"),
            "{broker}, no certificate: {errors}"
        );
    }

    #[test]
    fn a_network_runs_over_brokers_behind_tls_and_a_password() {
        thread::scope(|scope| {
            for (broker, scheme, kind) in BROKERS.iter().filter(|(broker, ..)| is_built_in(broker))
            {
                scope.spawn(move || with_tls(broker, scheme, kind));
            }
        });
    }
}
