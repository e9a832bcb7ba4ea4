//! Brokers behind TLS and a password: a small network runs over each, and what is wrong is said.
#![cfg(feature = "broker")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "tls")]
mod brokers;
#[allow(dead_code, reason = "a part of it is used here")]
mod command;

use std::path::Path;

use command::Folder;

/// A broker, and how it is reached by an encrypted connection.
struct Broker {
    name: &'static str,
    scheme: &'static str,
    /// Who it knows.
    user: &'static str,
    /// What the URL says beside.
    setting: &'static str,
    /// The kind of the arc.
    kind: &'static str,
    is_built_in: bool,
    /// The feature that encrypts.
    feature: &'static str,
    encrypts: bool,
}

const REDIS: Broker = Broker {
    name: "redis",
    scheme: "rediss",
    user: "",
    setting: "",
    kind: "queue",
    is_built_in: cfg!(feature = "redis"),
    feature: "tls",
    encrypts: cfg!(feature = "tls"),
};

const BROKERS: [Broker; 6] = [
    REDIS,
    Broker {
        name: "mqtt",
        scheme: "mqtts",
        user: "me",
        kind: "pubsub",
        is_built_in: cfg!(feature = "mqtt"),
        ..REDIS
    },
    Broker {
        name: "nats",
        scheme: "tls+nats",
        user: "me",
        is_built_in: cfg!(feature = "nats"),
        // Its client always can.
        encrypts: true,
        ..REDIS
    },
    Broker {
        name: "amqp",
        scheme: "amqps",
        user: "me",
        is_built_in: cfg!(feature = "amqp"),
        ..REDIS
    },
    KAFKA,
    Broker {
        setting: "&tls=yes&sasl=SCRAM-SHA-256",
        ..KAFKA
    },
];

const KAFKA: Broker = Broker {
    name: "kafka",
    scheme: "kafka",
    user: "me",
    setting: "&tls=yes",
    kind: "stream",
    is_built_in: cfg!(feature = "kafka"),
    feature: "kafka-tls",
    encrypts: cfg!(feature = "kafka-tls"),
};

impl Broker {
    fn url(&self, password: &str, port: u16, ca: &Path) -> String {
        let Self {
            scheme,
            user,
            setting,
            ..
        } = self;
        let ca = ca.display();
        format!("{scheme}://{user}:{password}@localhost:{port}?ca={ca}{setting}")
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

#[test]
fn a_build_that_cannot_encrypt_says_which_feature_does() {
    let unable = |broker: &&Broker| broker.is_built_in && !broker.encrypts;
    for broker in BROKERS.iter().filter(unable) {
        let name = broker.name;
        let folder = Folder::new(&format!("plain-{name}"));
        network(
            &folder,
            broker.kind,
            &broker.url("secret", 1, Path::new("ca.pem")),
        );
        let (_, errors) = run(&folder);
        let feature = format!("feature `{}`", broker.feature);
        assert!(errors.contains(&feature), "{name}: {errors}");
        assert!(!errors.contains("secret"), "{name}: {errors}");
    }
}

#[cfg(feature = "tls")]
mod served {
    use std::net::{TcpListener, TcpStream};
    use std::process::{Child, Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{BROKERS, Broker, Folder, brokers, network, run};

    const PASSWORD: &str = "s3cret";

    /// A server of this test alone, until it is dropped.
    enum Server {
        Own {
            _process: Own,
        },
        /// One that takes more than a command.
        Private {
            _broker: brokers::Private,
        },
    }

    struct Own(Child);

    impl Drop for Own {
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

    fn free_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    }

    fn start(broker: &str, folder: &Folder) -> (Server, u16) {
        let port = free_port();
        if let "amqp" | "kafka" = broker {
            folder.write("password", PASSWORD);
            let here = folder.path(".").canonicalize().unwrap();
            let private = brokers::Private::encrypted(broker, port, &here);
            let server = Server::Private {
                _broker: private.unwrap(),
            };
            return (server, port);
        }
        let mut command = serving(broker, folder, port);
        command.current_dir(folder.path(".")).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let server = Server::Own {
            _process: Own(command.spawn().unwrap()),
        };
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

    fn with_tls(name: &str) {
        // So its programs are there.
        if brokers::url(name).is_none() {
            return;
        }
        let folder = Folder::new(&format!("tls-{name}"));
        certificates(&folder);
        let (_server, port) = start(name, &folder);
        for broker in BROKERS.iter().filter(|broker| broker.name == name) {
            is_encrypted(broker, &folder, port);
        }
    }

    fn is_encrypted(broker: &Broker, folder: &Folder, port: u16) {
        let at = |password: &str, ca: &str| {
            let url = broker.url(password, port, &folder.path(ca));
            network(folder, broker.kind, &url);
            run(folder)
        };
        let name = broker.name;
        let (shown, errors) = at(PASSWORD, "ca.pem");
        assert_eq!(shown, "TO BE\nOR NOT\n", "{name}: {errors}");
        let (_, errors) = at(PASSWORD, "other.pem");
        assert!(
            errors.contains("certificate"),
            "{name}, another authority: {errors}"
        );
        let (_, errors) = at("wr0ng", "ca.pem");
        let says = ["refuses us", "password", "uthoriz"];
        assert!(
            says.iter().any(|says| errors.contains(says)),
            "{name}, a wrong password: {errors}"
        );
        assert!(!errors.contains("wr0ng"), "{name}: {errors}");
        let (_, errors) = at(PASSWORD, "names");
        assert!(
            errors.contains("certificate"),
            "{name}, no certificate: {errors}"
        );
    }

    #[test]
    fn a_network_runs_over_brokers_behind_tls_and_a_password() {
        let able = |broker: &&Broker| broker.is_built_in && broker.encrypts;
        let mut names: Vec<_> = BROKERS.iter().filter(able).map(|one| one.name).collect();
        names.dedup();
        thread::scope(|scope| {
            for name in names {
                scope.spawn(move || with_tls(name));
            }
        });
    }
}
