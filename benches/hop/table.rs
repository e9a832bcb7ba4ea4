//! What is printed: a line for each runner of each row.

use crate::measure::Measured;
use crate::rows::Row;
use crate::runner::Runner;

/// Prints lines as they come.
pub(crate) struct Table {
    is_markdown: bool,
    is_begun: bool,
}

const HEAD: [&str; 12] = [
    "row",
    "cap",
    "runner",
    "workers",
    "packets",
    "wall min",
    "wall p10",
    "wall p50",
    "cpu p10",
    "cpu p50",
    "switches/1000",
    "faster",
];
const WIDTHS: [usize; 12] = [14, 4, 12, 7, 8, 8, 8, 8, 8, 8, 13, 6];

impl Table {
    pub(crate) const fn new(is_markdown: bool) -> Self {
        Self {
            is_markdown,
            is_begun: false,
        }
    }

    pub(crate) fn print(&mut self, row: &Row, capacity: usize, measured: &[Measured]) {
        if !self.is_begun {
            self.is_begun = true;
            self.line(&HEAD.map(String::from));
            if self.is_markdown {
                println!("|---|---|---|{}", "---:|".repeat(HEAD.len() - 3));
            }
        }
        let peer = measured
            .iter()
            .find(|measured| measured.runner == Runner::PEER);
        for measured in measured {
            self.line(&cells(row, capacity, measured, peer));
        }
        if !self.is_markdown {
            println!();
        }
    }

    fn line(&self, cells: &[String; 12]) {
        let line = cells.iter().zip(WIDTHS).enumerate();
        let line = line.map(|(at, (cell, width))| match (self.is_markdown, at) {
            (true, _) => cell.clone(),
            (false, 0 | 2) => format!("{cell:<width$}"),
            (false, _) => format!("{cell:>width$}"),
        });
        let line: Vec<_> = line.collect();
        if self.is_markdown {
            println!("| {} |", line.join(" | "));
        } else {
            println!("{}", line.join("  "));
        }
    }
}

fn cells(row: &Row, capacity: usize, measured: &Measured, peer: Option<&Measured>) -> [String; 12] {
    let (wall, cpu) = (measured.wall(), measured.cpu());
    let faster = peer.map_or_else(String::new, |peer| {
        format!("{:.2}", peer.wall().percentile(10) / wall.percentile(10))
    });
    [
        row.name.clone(),
        capacity.to_string(),
        measured.runner.to_string(),
        measured.runner.workers(row).to_string(),
        measured.packets.to_string(),
        format!("{:.1}", wall.percentile(0)),
        format!("{:.1}", wall.percentile(10)),
        format!("{:.1}", wall.percentile(50)),
        format!("{:.1}", cpu.percentile(10)),
        format!("{:.1}", cpu.percentile(50)),
        format!("{:.2}", measured.switches().percentile(50) * 1000.0),
        faster,
    ]
}
