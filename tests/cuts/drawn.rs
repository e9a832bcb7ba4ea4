//! Graphs that are drawn by chance from standard components. What they show follows from what they read, not
//! from when it comes: all that comes in any order is sorted in the end.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::chance::Chance;
use super::graphs::Graph;

/// Components that send one packet for each, of the same kind, with their parameters.
const TEXTS: [(&str, &str); 9] = [
    ("text/upper", ""),
    ("text/lower", ""),
    ("text/trim", ""),
    ("text/strip", ""),
    ("text/affix", "'<' -> PRE"),
    ("text/replace", "'e' -> FIND, 'EE' -> REPL"),
    ("flow/pass", ""),
    ("flow/copy", ""),
    ("flow/priority", "'1' -> VALUE"),
];
const NUMBERS: [(&str, &str); 5] = [
    ("number/add", "'7' -> VALUE"),
    ("number/multiply", "'3' -> VALUE"),
    ("number/remainder", "'11' -> VALUE"),
    ("flow/pass", ""),
    ("flow/copy", ""),
];

const WORDS: [&str; 12] = [
    "order", "pizza", "Soup", "courier", "menu", "Kitchen", "late", "paid", "door", "salt", "tip",
    "rain",
];

/// How many graphs are drawn at most until one comes to no deadlock; few do.
const TRIES: usize = 10;

/// Draws a graph into a folder, and runs it there in one piece. One in which processes wait for each other is
/// none, and another one is drawn in its place.
pub(crate) fn draw(folder: &Path, name: &str, mut chance: Chance) -> Graph {
    let folder = folder.join(name);
    fs::create_dir_all(&folder).unwrap();
    let (lines, file) = (folder.join("lines.txt"), folder.join("drawn.fbp"));
    for _ in 0..TRIES {
        fs::write(&lines, text(&mut chance)).unwrap();
        let mut sheet = Sheet::new(&mut chance);
        sheet.draw(&lines);
        let drawn = sheet.text();
        fs::write(&file, &drawn).unwrap();
        let [pool, threads] = ["auto", "threads"].map(|scheduler| shown(&file, scheduler));
        assert!(pool == threads, "{}: {pool:?}\n{threads:?}", file.display());
        if let Some(shown) = pool {
            return Graph::new(name, file, drawn, &shown);
        }
    }
    panic!("{}: {TRIES} deadlocks in a row", file.display());
}

/// Some lines of some words, of which some are the same.
fn text(chance: &mut Chance) -> String {
    let lines = (0..50 + chance.below(250)).map(|_| {
        let words = (0..=chance.below(5)).map(|_| WORDS[chance.below(WORDS.len())]);
        format!("{}\n", words.collect::<Vec<_>>().join(" "))
    });
    lines.collect()
}

/// What a graph shows that runs in one piece; nothing when it comes to a deadlock.
fn shown(file: &Path, scheduler: &str) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paperflow"));
    command
        .arg("run")
        .arg(file)
        .args(["--scheduler", scheduler]);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    if told.contains("error[P0602]") {
        return None;
    }
    assert!(output.status.success(), "{}: {told}", file.display());
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A graph half drawn.
struct Sheet<'a> {
    chance: &'a mut Chance,
    main: Vec<String>,
    subnets: Vec<String>,
    processes: usize,
    /// The out-ports that lead nowhere yet.
    open: Vec<Stream>,
}

/// What comes out of a port.
struct Stream {
    port: String,
    has_numbers: bool,
    has_groups: bool,
}

impl Stream {
    /// One with the same from another port.
    fn goes_on(&self, port: String) -> Self {
        Self { port, ..*self }
    }
}

impl<'a> Sheet<'a> {
    fn new(chance: &'a mut Chance) -> Self {
        Self {
            chance,
            main: Vec::new(),
            subnets: Vec::new(),
            processes: 0,
            open: Vec::new(),
        }
    }

    fn text(self) -> String {
        let main = self.main.join("\n");
        format!("Main:\n{main};\n\n{}", self.subnets.join("\n\n"))
    }

    fn draw(&mut self, lines: &Path) {
        for _ in 0..=self.chance.below(2) {
            self.source(lines);
        }
        for _ in 0..2 + self.chance.below(7) {
            let at = self.chance.below(self.open.len());
            let stream = self.open.swap_remove(at);
            self.step(stream);
        }
        let last = self.all_in_one();
        let sort = self.behind(&last, "flow/sort", "");
        self.behind(&sort, "console/write", "");
    }

    fn pick<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.chance.below(some.len())]
    }

    /// A process with its parameters, such as `'1' -> VALUE`.
    fn process(&mut self, component: &str, params: &str) -> String {
        self.processes += 1;
        let (_, short) = component.split_once('/').unwrap_or(("", component));
        let name: String = short.split('-').map(capital).collect();
        let name = format!("{name}{}", self.processes);
        self.main.push(format!("{name}({component})"));
        let params = params.split(", ").filter(|param| !param.is_empty());
        self.main
            .extend(params.map(|param| format!("{param} {name}")));
        name
    }

    fn arc(&mut self, from: &Stream, port: &str) {
        let capacity = self.pick(&["", "", "(1)", "(3)", "(20)"]);
        self.main.push(format!("{} ->{capacity} {port}", from.port));
    }

    /// A process behind a stream: what comes out of it.
    fn behind(&mut self, stream: &Stream, component: &str, params: &str) -> Stream {
        let name = self.process(component, params);
        self.arc(stream, &format!("IN {name}"));
        stream.goes_on(format!("{name} OUT"))
    }

    fn source(&mut self, lines: &Path) {
        let count = self.pick(&[40, 150, 400]);
        let has_numbers = self.chance.below(2) == 0;
        let name = match has_numbers {
            true => {
                let name = self.process("flow/generate", &format!("'{count}' -> COUNT"));
                let text = Stream {
                    port: format!("{name} OUT"),
                    has_numbers: false,
                    has_groups: false,
                };
                self.behind(&text, "text/length", "").port
            }
            false => {
                let params = format!("'{}' -> SOURCE", lines.display());
                self.process("file/lines", &params) + " OUT"
            }
        };
        self.open.push(Stream {
            port: name,
            has_numbers,
            has_groups: false,
        });
    }

    fn plain(&mut self, stream: &Stream) -> Stream {
        let (component, params) = match stream.has_numbers {
            true => self.pick(&NUMBERS),
            false => self.pick(&TEXTS),
        };
        self.behind(stream, component, params)
    }

    /// Leads a stream on.
    fn step(&mut self, stream: Stream) {
        let next = match self.chance.below(15) {
            0..=2 => self.plain(&stream),
            3 => self.counted(&stream),
            4 => return self.replicate(&stream),
            5 => self.balance(&stream),
            6 => return self.fork(&stream, "flow/duplicate", "", &["OUT", "DUPLICATE"]),
            7 => return self.choose(&stream),
            8 | 9 => return self.merge(stream),
            10 | 11 => self.group(&stream),
            12 if !stream.has_groups => self.behind(&stream, "flow/distinct", ""),
            13 => self.subnet(&stream),
            _ => self.behind(&stream, "flow/sort", ""),
        };
        self.open.push(next);
    }

    /// More or fewer packets, or of the other kind.
    fn counted(&mut self, stream: &Stream) -> Stream {
        let (component, has_numbers) = match (stream.has_numbers, self.chance.below(2)) {
            (true, _) => ("number/format", false),
            (false, 0) => ("text/length", true),
            (false, _) => ("text/words", false),
        };
        let next = self.behind(stream, component, "");
        Stream {
            has_numbers,
            ..next
        }
    }

    fn fork(&mut self, stream: &Stream, component: &str, params: &str, ports: &[&str]) {
        let name = self.process(component, params);
        self.arc(stream, &format!("IN {name}"));
        let ports = ports.iter().map(|port| format!("{name} {port}"));
        self.open.extend(ports.map(|port| stream.goes_on(port)));
    }

    fn replicate(&mut self, stream: &Stream) {
        let ports = ["OUT[0]", "OUT[1]", "OUT[2]"];
        let count = 2 + self.chance.below(2);
        self.fork(stream, "flow/replicate", "", &ports[..count]);
    }

    /// Some share the work; what they give is brought together at once, since each waits for the others.
    fn balance(&mut self, stream: &Stream) -> Stream {
        let name = self.process("flow/balance", "");
        self.arc(stream, &format!("IN {name}"));
        let shares =
            (0..2 + self.chance.below(2)).map(|at| stream.goes_on(format!("{name} OUT[{at}]")));
        let worked: Vec<_> = shares
            .map(|share| self.behind(&share, "flow/copy", ""))
            .collect();
        self.merged(&worked)
    }

    fn choose(&mut self, stream: &Stream) {
        if stream.has_groups {
            let next = self.plain(stream);
            return self.open.push(next);
        }
        match stream.has_numbers {
            true => self.fork(
                stream,
                "number/compare",
                "'9' -> VALUE",
                &["LESS", "EQUAL", "MORE"],
            ),
            false => self.fork(stream, "text/contains", "'a' -> TEST", &["ACC", "REJ"]),
        }
    }

    fn merge(&mut self, stream: Stream) {
        let alike = |other: &Stream| {
            (other.has_numbers, other.has_groups) == (stream.has_numbers, stream.has_groups)
        };
        let next = match self.open.iter().position(alike) {
            Some(at) => {
                let other = self.open.swap_remove(at);
                self.merged(&[stream, other])
            }
            None => self.plain(&stream),
        };
        self.open.push(next);
    }

    fn merged(&mut self, streams: &[Stream]) -> Stream {
        let component = match streams[0].has_groups {
            true => "flow/merge-groups",
            false => "flow/merge",
        };
        let name = self.process(component, "");
        for (at, stream) in streams.iter().enumerate() {
            self.arc(stream, &format!("IN[{at}] {name}"));
        }
        streams[0].goes_on(format!("{name} OUT"))
    }

    fn group(&mut self, stream: &Stream) -> Stream {
        let has_groups = !stream.has_groups;
        let next = match has_groups {
            true => {
                let size = format!("'{}' -> SIZE", 1 + self.chance.below(9));
                let groups = self.behind(stream, "group/every", &size);
                let component = self.pick(&["group/reverse", "flow/pass", "flow/sort"]);
                self.behind(&groups, component, "")
            }
            false => self.behind(stream, "group/ungroup", ""),
        };
        Stream { has_groups, ..next }
    }

    /// A subnet of two processes.
    fn subnet(&mut self, stream: &Stream) -> Stream {
        let number = self.subnets.len() + 1;
        let inside = "IN => IN One(flow/copy) OUT -> IN Two(flow/pass)\nTwo OUT => OUT;";
        self.subnets.push(format!("Sub{number}:\n{inside}"));
        self.behind(stream, &format!("Sub{number}"), "")
    }

    /// Brings together all that leads nowhere yet, as texts outside of groups.
    fn all_in_one(&mut self) -> Stream {
        let mut flat = Vec::new();
        for mut stream in std::mem::take(&mut self.open) {
            if stream.has_groups {
                stream = self.group(&stream);
            }
            if stream.has_numbers {
                stream = self.counted(&stream);
            }
            flat.push(stream);
        }
        match flat.len() {
            1 => flat.remove(0),
            _ => self.merged(&flat),
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
