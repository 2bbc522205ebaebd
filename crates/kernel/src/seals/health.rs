//! Whether a keeper answers.

use coffer_wire::Timestamp;

/// How a keeper is doing, by what it last answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When it was last asked; none before the first time.
    pub asked: Option<Timestamp>,
    /// Since when it does not answer as it should; none while it does.
    pub failing_since: Option<Timestamp>,
    /// Why it does not, in words for operators.
    pub why: String,
}

/// What changed with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing that is worth a line in the log.
    None,
    /// It fails from now on, or for another reason.
    Fails,
    /// It answers again.
    Recovered,
}

impl Health {
    /// Whether it answers; one that was never asked is not known to fail.
    pub fn is_healthy(&self) -> bool {
        self.failing_since.is_none()
    }

    pub(super) fn note(&mut self, outcome: Result<(), &str>, now: Timestamp) -> Change {
        self.asked = Some(now);
        match outcome {
            Ok(()) => {
                self.why.clear();
                match self.failing_since.take() {
                    None => Change::None,
                    Some(_) => Change::Recovered,
                }
            }
            Err(why) => {
                let other = self.failing_since.is_none() || self.why != why;
                self.failing_since.get_or_insert(now);
                why.clone_into(&mut self.why);
                match other {
                    true => Change::Fails,
                    false => Change::None,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_told() {
        let (mut health, at) = (Health::default(), Timestamp::from_secs);
        assert_eq!(health.note(Ok(()), at(1)), Change::None);
        assert_eq!(health.note(Err("away"), at(2)), Change::Fails);
        assert_eq!(health.note(Err("away"), at(3)), Change::None);
        assert_eq!(health.note(Err("refused"), at(4)), Change::Fails);
        assert_eq!(health.failing_since, Some(at(2)));
        assert!(!health.is_healthy());
        assert_eq!(health.note(Ok(()), at(5)), Change::Recovered);
        assert!(health.is_healthy() && health.why.is_empty());
    }
}
