//! The reference's layout: columns four blanks apart, a dashed line under the heading, `n/a` for what is empty.

const GAP: &str = "    ";

/// A table of a heading and rows.
pub(crate) fn columns<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let mut lines: Vec<Vec<String>> = vec![
        heading.iter().map(|word| (*word).to_owned()).collect(),
        heading
            .iter()
            .map(|word| "-".repeat(word.chars().count()))
            .collect(),
    ];
    lines.extend(rows.iter().map(|row| row.to_vec()));
    aligned(lines)
}

/// The two-column table of most answers.
pub(crate) fn key_values(rows: &[[String; 2]]) -> String {
    columns(["Key", "Value"], rows)
}

fn aligned(lines: Vec<Vec<String>>) -> String {
    let lines: Vec<Vec<String>> = lines
        .into_iter()
        .map(|line| {
            line.into_iter()
                .map(|cell| {
                    if cell.is_empty() {
                        "n/a".to_owned()
                    } else {
                        cell
                    }
                })
                .collect()
        })
        .collect();
    let count = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let written: Vec<String> = lines
        .iter()
        .map(|line| {
            let cells: Vec<String> = line
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            cells.join(GAP).trim_end().to_owned()
        })
        .collect();
    written.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [
            ["a".to_owned(), String::new()],
            ["longer".to_owned(), "two words".to_owned()],
        ];
        assert_eq!(
            key_values(&rows),
            "Key       Value\n---       -----\na         n/a\nlonger    two words"
        );
    }
}
