//! Tables, as people read them.

use std::fmt::Write;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::out::Paint;

/// A head and rows under it.
pub(super) fn rows(head: &[&str], body: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let head = head.iter().map(|title| String::from(*title)).collect();
    std::iter::once(head).chain(body).collect()
}

/// Rows as lines whose columns stand under each other: the first so many from the left, the others, which
/// are numbers, from the right.
pub(super) fn aligned(rows: &[Vec<String>], left: usize, paint: Paint) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].width())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                let blank = " ".repeat(width - cell.width());
                if column < left {
                    format!("{cell}{blank}")
                } else {
                    format!("{blank}{cell}")
                }
            });
        let line = cells.collect::<Vec<_>>().join("  ");
        let line = line.trim_end();
        let _ = writeln!(
            text,
            "{}",
            if at == 0 {
                paint.strong(line)
            } else {
                String::from(line)
            }
        );
    }
    text
}

/// A duration in three digits or so.
pub(super) fn short(time: Duration) -> String {
    match time.as_nanos() {
        0 => String::from("0"),
        1..1_000 => format!("{}ns", time.as_nanos()),
        1_000..1_000_000 => format!("{:.1}us", time.as_secs_f64() * 1e6),
        1_000_000..1_000_000_000 => format!("{:.1}ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.2}s", time.as_secs_f64()),
    }
}
