/// Edits (insertions, deletions, substitutions) up to which two keys count as one misspelt.
const MAX_DISTANCE_EDITS: usize = 3;

/// Shortest word that is looked for inside known ones, in characters.
const MIN_PART_CHARS: usize = 4;

/// Longest word that is compared, in characters.
const MAX_WORD_CHARS: usize = 64;

/// The known word most like `word`, if any is near enough to suggest ("did you mean …").
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let word: Vec<char> = lower.chars().take(MAX_WORD_CHARS + 1).collect();
    if word.len() > MAX_WORD_CHARS {
        return None;
    }
    let allowed = MAX_DISTANCE_EDITS.min(word.len().div_ceil(3));
    // Somebody who writes `cert_file` means `tls_cert_file`, however many letters are missing.
    let is_part = |candidate: &str| word.len() >= MIN_PART_CHARS && candidate.contains(&lower);
    known
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= allowed || is_part(candidate))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, one row at a time.
fn distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (i, from) in b.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row
            .iter_mut()
            .zip(std::iter::once(None).chain(a.iter().map(Some)))
        {
            let above = *cell;
            *cell = match to {
                None => left,
                Some(to) => (diagonal + usize::from(from != *to))
                    .min(above + 1)
                    .min(left + 1),
            };
            diagonal = above;
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        let chars = |word: &str| word.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("kitten"), "sitting"), 3);
        assert_eq!(distance(&chars(""), "abc"), 3);
        assert_eq!(distance(&chars("abc"), ""), 3);
        assert_eq!(distance(&chars("same"), "same"), 0);
    }

    #[test]
    fn suggests_the_nearest_and_nothing_far() {
        let known = ["listener", "storage", "seal", "ui"];
        assert_eq!(nearest("lisetner", known), Some("listener"));
        assert_eq!(nearest("Storages", known), Some("storage"));
        assert_eq!(
            nearest("cert_file", ["tls_min_version", "tls_cert_file"]),
            Some("tls_cert_file")
        );
        assert_eq!(nearest("completely_else", known), None);
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
