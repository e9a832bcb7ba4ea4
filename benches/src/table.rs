//! What is printed: lines of cells, for eyes or for a page.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

/// Says what the table that follows is about; a page needs it.
pub fn title(is_markdown: bool, name: &str, about: &str) {
    if is_markdown {
        println!("### {name}\n\n{about}\n");
    }
}

/// Prints lines as they come.
#[derive(Clone, Copy)]
pub struct Table<const N: usize> {
    is_markdown: bool,
    widths: [usize; N],
    /// Cells, from the left, that hold words.
    words: usize,
}

impl<const N: usize> Table<N> {
    /// Prints the heads of the columns. The first `words` columns hold words, the others figures.
    #[must_use]
    pub fn begin(is_markdown: bool, head: [&str; N], widths: [usize; N], words: usize) -> Self {
        let table = Self {
            is_markdown,
            widths,
            words,
        };
        table.line(head.map(String::from));
        if is_markdown {
            let columns = (0..N).map(|at| if at < words { "---|" } else { "---:|" });
            println!("|{}", columns.collect::<String>());
        }
        table
    }

    /// Prints a line.
    pub fn line(&self, cells: [String; N]) {
        if self.is_markdown {
            return println!("| {} |", cells.join(" | "));
        }
        let line = cells.iter().zip(self.widths).enumerate();
        let line = line.map(|(at, (cell, width))| {
            if at < self.words {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        println!("{}", line.collect::<Vec<_>>().join("  ").trim_end());
    }

    /// A gap between lines that do not belong together; a page needs none.
    pub fn gap(&self) {
        if !self.is_markdown {
            println!();
        }
    }

    /// A gap behind the table.
    pub fn end(&self) {
        println!();
    }
}
