//! The difference between two texts, line by line.

/// Most lines of each text that are compared; of longer ones it is only said that they differ.
const MAX_LINES: usize = 2_000;

/// Lines that only the old text has (`-`), only the new one (`+`), and one unchanged line around them.
pub(super) fn difference(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    if old.len() > MAX_LINES || new.len() > MAX_LINES {
        return vec![format!("~ {} lines become {}", old.len(), new.len())];
    }
    let kept = kept(&old, &new);
    let mut steps: Vec<(char, &str)> = Vec::new();
    let (mut at_old, mut at_new) = (0, 0);
    for (in_old, in_new) in kept.into_iter().chain([(old.len(), new.len())]) {
        steps.extend(range(&old, at_old, in_old).iter().map(|line| ('-', *line)));
        steps.extend(range(&new, at_new, in_new).iter().map(|line| ('+', *line)));
        steps.extend(old.get(in_old).map(|line| (' ', *line)));
        (at_old, at_new) = (in_old + 1, in_new + 1);
    }
    let changed = |at: Option<usize>| {
        at.and_then(|at| steps.get(at))
            .is_some_and(|(mark, _)| *mark != ' ')
    };
    let near = |at: usize| changed(Some(at)) || changed(at.checked_sub(1)) || changed(Some(at + 1));
    let shown = steps.iter().enumerate().filter(|(at, _)| near(*at));
    shown
        .map(|(_, (mark, line))| format!("{mark} {line}"))
        .collect()
}

fn range<'a, 'b>(lines: &'b [&'a str], from: usize, to: usize) -> &'b [&'a str] {
    lines.get(from..to).unwrap_or_default()
}

/// The places of a longest common sequence of lines.
fn kept(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    // How long the longest one of the rests from (old, new) on is.
    let width = new.len() + 1;
    let mut lengths = vec![0_u16; (old.len() + 1) * width];
    let length =
        |lengths: &[u16], a: usize, b: usize| lengths.get(a * width + b).copied().unwrap_or(0);
    for (a, old_line) in old.iter().enumerate().rev() {
        for (b, new_line) in new.iter().enumerate().rev() {
            let best = match old_line == new_line {
                true => length(&lengths, a + 1, b + 1) + 1,
                false => length(&lengths, a + 1, b).max(length(&lengths, a, b + 1)),
            };
            if let Some(place) = lengths.get_mut(a * width + b) {
                *place = best;
            }
        }
    }
    let (mut a, mut b, mut found) = (0, 0, Vec::new());
    while let (Some(old_line), Some(new_line)) = (old.get(a), new.get(b)) {
        if old_line == new_line {
            found.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if length(&lengths, a + 1, b) >= length(&lengths, a, b + 1) {
            a += 1;
        } else {
            b += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_are_shown_with_their_neighbours() {
        let shown = difference("a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne\nf");
        assert_eq!(shown, ["  b", "- c", "+ X", "  d", "  e", "+ f"]);
        assert_eq!(difference("", "a"), ["+ a"]);
        assert_eq!(difference("a", ""), ["- a"]);
        assert!(difference("a\nb", "a\nb").is_empty());
        assert_eq!(difference(&"x\n".repeat(3000), "y").len(), 1);
    }
}
