//! Canonical layout: two spaces a level, one item a line, `=` aligned in runs of one-line attributes, a blank line
//! around everything else. Comments stay with what they stand before or behind.

use crate::lexer::{Kind, Token};
use crate::parser::{self, Entry, Expr, Node, Tree};
use crate::{Error, is_json, measured};

/// Spaces of indentation a level.
const INDENT_SPACES: usize = 2;

/// Lays out an HCL document canonically, keeping its comments. Formatting twice changes nothing more.
///
/// # Errors
/// As [`crate::parse`], and for a document in JSON, which has no such layout.
pub fn format(text: &str) -> Result<String, Error> {
    let text = measured(text)?;
    if is_json(text) {
        let advice = "format JSON with a JSON tool, or rewrite the document as HCL";
        return Err(Error::new(
            crate::Position::START,
            "the document is JSON",
            "HCL",
            advice,
        ));
    }
    let tree = parser::parse(text)?;
    let mut printer = Printer::default();
    printer.tree(&tree);
    Ok(printer.out)
}

/// Something to print with the comments that belong to it.
struct Piece<'t, 'a, T> {
    lead: Vec<Token<'a>>,
    /// `None` for comments that stand alone.
    written: Option<&'t T>,
    trail: Option<Token<'a>>,
}

/// What the attribution of comments must know of a node or value: its first and last line.
trait Lines {
    fn lines(&self) -> (u32, u32);
}

impl Lines for Node<'_> {
    fn lines(&self) -> (u32, u32) {
        let end = self.value.end_line();
        (self.keys.first().map_or(end, |key| key.position.line), end)
    }
}

impl Lines for Expr<'_> {
    fn lines(&self) -> (u32, u32) {
        (self.first_line(), self.end_line())
    }
}

/// Gives every comment to what it belongs to: behind something on its line, directly before something, or alone.
fn pieces<'t, 'a, T: Lines>(entries: &'t [Entry<'a, T>]) -> Vec<Piece<'t, 'a, T>> {
    let mut pieces: Vec<Piece<'t, 'a, T>> = Vec::new();
    let mut waiting: Vec<Token<'a>> = Vec::new();
    let alone = |lead: Vec<Token<'a>>| Piece {
        lead,
        written: None,
        trail: None,
    };
    for (index, entry) in entries.iter().enumerate() {
        match entry {
            Entry::Comment(comment) => {
                let line = comment.position.line;
                let ends_line = entries
                    .get(index + 1)
                    .is_none_or(|next| first_line(next) > comment.end_line);
                let one_line = comment.end_line == line;
                match pieces.last_mut() {
                    Some(Piece {
                        written: Some(written),
                        trail: trail @ None,
                        ..
                    }) if waiting.is_empty()
                        && ends_line
                        && one_line
                        && written.lines().1 == line =>
                    {
                        *trail = Some(*comment);
                    }
                    _ => {
                        if waiting.last().is_some_and(|last| last.end_line + 1 < line) {
                            pieces.push(alone(std::mem::take(&mut waiting)));
                        }
                        waiting.push(*comment);
                    }
                }
            }
            Entry::Written(written) => {
                if waiting
                    .last()
                    .is_some_and(|last| last.end_line + 1 < written.lines().0)
                {
                    pieces.push(alone(std::mem::take(&mut waiting)));
                }
                pieces.push(Piece {
                    lead: std::mem::take(&mut waiting),
                    written: Some(written),
                    trail: None,
                });
            }
        }
    }
    if !waiting.is_empty() {
        pieces.push(alone(waiting));
    }
    pieces
}

fn first_line<T: Lines>(entry: &Entry<'_, T>) -> u32 {
    match entry {
        Entry::Comment(comment) => comment.position.line,
        Entry::Written(written) => written.lines().0,
    }
}

#[derive(Default)]
struct Printer {
    out: String,
    depth: usize,
}

impl Printer {
    fn tree(&mut self, tree: &Tree<'_>) {
        let pieces = pieces(&tree.entries);
        let mut rest = pieces.as_slice();
        let mut first = true;
        while !rest.is_empty() {
            if !std::mem::take(&mut first) {
                self.out.push('\n');
            }
            let (run, after) = rest.split_at(run_length(rest));
            self.run(run);
            rest = after;
        }
    }

    /// Prints pieces between which no blank line goes.
    fn run(&mut self, run: &[Piece<'_, '_, Node<'_>>]) {
        let nodes = || run.iter().filter_map(|piece| piece.written);
        let aligned = run.len() > 1;
        let key_width = if aligned {
            nodes().map(name_width).max().unwrap_or(0)
        } else {
            0
        };
        let value_width = if aligned {
            nodes()
                .map(|node| literal_width(&node.value))
                .max()
                .unwrap_or(0)
        } else {
            0
        };
        for piece in run {
            self.comments(&piece.lead);
            let Some(node) = piece.written else { continue };
            self.indent();
            for (index, key) in node.keys.iter().enumerate() {
                self.pad(usize::from(index > 0));
                self.out.push_str(key.text);
            }
            if node.assigned {
                self.pad(key_width.saturating_sub(name_width(node)));
                self.out.push_str(" =");
            }
            self.out.push(' ');
            self.value(&node.value);
            if let Some(trail) = &piece.trail {
                self.pad(value_width.saturating_sub(literal_width(&node.value)) + 1);
                self.out.push_str(trail.text);
            }
            self.out.push('\n');
        }
    }

    fn value(&mut self, value: &Expr<'_>) {
        match value {
            Expr::Literal(token) => self.out.push_str(token.text),
            Expr::List { entries, .. } if is_one_line(value) => {
                self.out.push('[');
                for (index, entry) in entries.iter().enumerate() {
                    self.out.push_str(if index > 0 { ", " } else { "" });
                    if let Entry::Written(Expr::Literal(token)) = entry {
                        self.out.push_str(token.text);
                    }
                }
                self.out.push(']');
            }
            Expr::List { entries, .. } => self.list(&pieces(entries)),
            Expr::Object { tree, .. } if tree.entries.is_empty() => self.out.push_str("{}"),
            Expr::Object { tree, .. } => {
                self.out.push_str("{\n");
                self.depth += 1;
                self.tree(tree);
                self.depth -= 1;
                self.indent();
                self.out.push('}');
            }
        }
    }

    /// A list with one element a line.
    fn list(&mut self, pieces: &[Piece<'_, '_, Expr<'_>>]) {
        self.out.push_str("[\n");
        self.depth += 1;
        let commented = pieces
            .iter()
            .filter(|piece| piece.trail.is_some())
            .filter_map(|piece| piece.written);
        let width = commented.map(literal_width).max().unwrap_or(0);
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 && !piece.lead.is_empty() {
                self.out.push('\n');
            }
            self.comments(&piece.lead);
            let Some(value) = piece.written else { continue };
            self.indent();
            self.value(value);
            if matches!(value, Expr::Literal(token) if token.kind == Kind::Heredoc) {
                // The marker must stay alone on its line.
                self.out.push('\n');
                self.indent();
            }
            self.out.push(',');
            if let Some(trail) = &piece.trail {
                self.pad(width.saturating_sub(literal_width(value)) + 1);
                self.out.push_str(trail.text);
            }
            self.out.push('\n');
        }
        self.depth -= 1;
        self.indent();
        self.out.push(']');
    }

    fn comments(&mut self, comments: &[Token<'_>]) {
        for comment in comments {
            self.indent();
            self.out.push_str(comment.text.trim_end());
            self.out.push('\n');
        }
    }

    fn indent(&mut self) {
        self.pad(self.depth * INDENT_SPACES);
    }

    fn pad(&mut self, spaces: usize) {
        self.out.extend(std::iter::repeat_n(' ', spaces));
    }
}

/// How many of the first pieces stand together: attributes of one line on lines that follow each other.
fn run_length(pieces: &[Piece<'_, '_, Node<'_>>]) -> usize {
    let joins = |pair: &[Piece<'_, '_, Node<'_>>]| match pair {
        [
            Piece {
                written: Some(one), ..
            },
            Piece {
                written: Some(two),
                lead,
                ..
            },
        ] => {
            lead.is_empty()
                && is_aligned(one)
                && is_aligned(two)
                && one.lines().1 + 1 == two.lines().0
        }
        _ => false,
    };
    1 + pieces.windows(2).take_while(|pair| joins(pair)).count()
}

fn is_aligned(node: &Node<'_>) -> bool {
    node.assigned && is_one_line(&node.value)
}

/// Whether a value is printed on one line: literals, lists of literals that stood on one line, and what is empty.
fn is_one_line(value: &Expr<'_>) -> bool {
    match value {
        Expr::Literal(token) => token.position.line == token.end_line,
        Expr::List {
            entries,
            first_line,
            ..
        } => entries.iter().all(|entry| match entry {
            Entry::Written(Expr::Literal(token)) => {
                token.position.line == *first_line && token.end_line == *first_line
            }
            _ => false,
        }),
        Expr::Object { tree, .. } => tree.entries.is_empty(),
    }
}

fn name_width(node: &Node<'_>) -> usize {
    node.keys
        .iter()
        .map(|key| key.text.chars().count() + 1)
        .sum::<usize>()
        .saturating_sub(1)
}

/// Characters of a value that is printed on one line; 0 for one that is not, which needs no aligning.
fn literal_width(value: &Expr<'_>) -> usize {
    match value {
        _ if !is_one_line(value) => 0,
        Expr::Literal(token) => token.text.chars().count(),
        Expr::List { entries, .. } => {
            let width = |entry: &Entry<'_, Expr<'_>>| match entry {
                Entry::Written(element) => literal_width(element) + 2,
                Entry::Comment(_) => 0,
            };
            entries.iter().map(width).sum::<usize>().max(2)
        }
        Expr::Object { .. } => 2,
    }
}
