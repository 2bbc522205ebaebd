//! The table: medians over the rounds, side by side, with ratios.

use std::fmt::Write as _;

use crate::load::Measured;
use crate::options::{Options, Side};
use crate::round::Round;

/// Collects rounds and prints them as Markdown.
pub struct Report {
    labels: Vec<String>,
    rounds: [Vec<Round>; 2],
    heading: String,
}

impl Report {
    /// An empty report for this run.
    pub fn new(options: &Options) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let heading = format!(
            "{} cores, {} connections, medians of {} interleaved round(s); {} reads, {} writes, {} credentials, {} logins, {} of transit, {} tokens, {} renewals each",
            cores,
            options.connections,
            options.rounds,
            options.reads,
            options.writes,
            options.credentials,
            options.logins,
            options.transit,
            options.tokens,
            options.renewals
        );
        Self {
            labels: options.sides().into_iter().map(|side| side.label).collect(),
            rounds: [Vec::new(), Vec::new()],
            heading,
        }
    }

    /// Keeps what one round found.
    pub fn add(&mut self, side: &Side, round: Round) {
        if let Some(rounds) = self.rounds.get_mut(side.column) {
            rounds.push(round);
        }
    }

    /// The whole report.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n\n", self.heading);
        self.loads(&mut text);
        self.numbers(&mut text);
        text
    }

    fn loads(&self, text: &mut String) {
        text.push_str("| load | server | requests/s | p50 ms | p99 ms | server CPU µs/request | failed |\n|---|---|--:|--:|--:|--:|--:|\n");
        for (place, name) in self.load_names().into_iter().enumerate() {
            let sides: Vec<Measured> = (0..self.labels.len())
                .map(|column| self.median_load(column, place))
                .collect();
            for (label, one) in self.labels.iter().zip(&sides) {
                line(
                    text,
                    format_args!(
                        "| {name} | {label} | {:.0} | {:.2} | {:.2} | {:.0} | {} |",
                        one.per_second, one.p50_ms, one.p99_ms, one.cpu_us, one.failed
                    ),
                );
            }
            if let [a, b] = sides.as_slice() {
                line(
                    text,
                    format_args!(
                        "| {name} | **A is** | **{}** | {} | {} | **{}** | |",
                        times(a.per_second, b.per_second),
                        times(b.p50_ms, a.p50_ms),
                        times(b.p99_ms, a.p99_ms),
                        times(b.cpu_us, a.cpu_us)
                    ),
                );
            }
        }
    }

    fn numbers(&self, text: &mut String) {
        write_header(text, &self.labels);
        let memory = self.rounds[0]
            .first()
            .map(|round| round.memory_mib.len())
            .unwrap_or_default();
        for place in 0..memory {
            self.number(text, |round| {
                round
                    .memory_mib
                    .get(place)
                    .map(|(name, mib)| (format!("resident memory MiB, {name}"), *mib))
            });
        }
        let starts = self.rounds[0]
            .first()
            .map(|round| round.starts.len())
            .unwrap_or_default();
        for place in 0..starts {
            self.number(text, |round| {
                round.starts.get(place).map(|(name, times)| {
                    (format!("start to unsealed ms, {name}"), times.unsealed_ms)
                })
            });
            self.number(text, |round| {
                round.starts.get(place).map(|(name, times)| {
                    (
                        format!("start to first authenticated answer ms, {name}"),
                        times.serving_ms,
                    )
                })
            });
        }
    }

    fn number(&self, text: &mut String, pick: impl Fn(&Round) -> Option<(String, f64)>) {
        let mut cells = Vec::new();
        let mut name = String::new();
        for rounds in self.rounds.iter().take(self.labels.len()) {
            let found: Vec<(String, f64)> = rounds.iter().filter_map(&pick).collect();
            name = found.first().map(|(name, _)| name.clone()).unwrap_or(name);
            cells.push(median(found.into_iter().map(|(_, value)| value).collect()));
        }
        let shown: Vec<String> = cells.iter().map(|value| format!("{value:.1}")).collect();
        let ratio = if let [a, b] = cells.as_slice() {
            format!(" {} |", times(*b, *a))
        } else {
            String::new()
        };
        line(
            text,
            format_args!("| {name} | {} |{ratio}", shown.join(" | ")),
        );
    }

    fn load_names(&self) -> Vec<&'static str> {
        self.rounds[0]
            .first()
            .map(|round| round.loads.iter().map(|(name, _)| *name).collect())
            .unwrap_or_default()
    }

    fn median_load(&self, column: usize, place: usize) -> Measured {
        let all: Vec<Measured> = self
            .rounds
            .get(column)
            .into_iter()
            .flatten()
            .filter_map(|round| round.loads.get(place))
            .map(|(_, one)| *one)
            .collect();
        let of = |pick: fn(&Measured) -> f64| median(all.iter().map(pick).collect());
        Measured {
            per_second: of(|one| one.per_second),
            p50_ms: of(|one| one.p50_ms),
            p99_ms: of(|one| one.p99_ms),
            cpu_us: of(|one| one.cpu_us),
            failed: all.iter().map(|one| one.failed).sum(),
        }
    }
}

fn write_header(text: &mut String, labels: &[String]) {
    let ratio = if labels.len() == 2 {
        (" A is |", "--:|")
    } else {
        ("", "")
    };
    line(
        text,
        format_args!("\n| what | {} |{}", labels.join(" | "), ratio.0),
    );
    line(
        text,
        format_args!("|---|{}{}", "--:|".repeat(labels.len()), ratio.1),
    );
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{arguments}");
}

/// `large / small` as "12.3 ×"; a dash where the measurement was too short to tell.
fn times(large: f64, small: f64) -> String {
    if small <= 0.0 || large <= 0.0 {
        "–".to_owned()
    } else {
        format!("{:.1} ×", large / small)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (Some(upper), 0) => values
            .get(middle.wrapping_sub(1))
            .map_or(*upper, |lower| (lower + upper) / 2.0),
        (Some(middle), _) => *middle,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::{median, times};

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn ratios_of_nothing_are_not_infinite() {
        assert_eq!(times(10.0, 4.0), "2.5 ×");
        assert_eq!(times(10.0, 0.0), "–");
    }
}
