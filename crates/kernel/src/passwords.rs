//! Password policies: what generated passwords look like.
//!
//! A policy is an HCL document with a `length` and one or several `rule "charset"` blocks. A password draws
//! from all charsets together and holds at least `min-chars` of each.

use coffer_crypto::{Error, Random, Secret};
use coffer_hcl::{Block, Body};

/// Shortest password a policy may ask for, in characters.
pub const MIN_LENGTH_CHARS: usize = 4;
/// Longest password a policy may ask for, in characters.
pub const MAX_LENGTH_CHARS: usize = 100;
/// Most rules of one policy.
const MAX_RULES: usize = 64;
/// Most different characters of one charset.
const MAX_CHARSET_CHARS: usize = 1024;

/// What passwords of one kind look like. A value of this type can always be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    length: usize,
    rules: Vec<Rule>,
    /// Every character of any rule, each once.
    all: Vec<char>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    charset: Vec<char>,
    min_chars: usize,
}

impl PasswordPolicy {
    /// Reads a policy. The error says everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut body = coffer_hcl::parse(text).map_err(|error| error.to_string())?;
        let length = body.take_i64("length").map_err(|e| e.to_string())?;
        let blocks = body.take_blocks("rule", 1).map_err(|e| e.to_string())?;
        refuse_unknown(&body, "length and rule \"charset\"")?;
        if blocks.len() > MAX_RULES {
            return Err(format!(
                "the policy has {} rules; at most {MAX_RULES} are allowed",
                blocks.len()
            ));
        }
        let rules = blocks
            .into_iter()
            .map(Rule::read)
            .collect::<Result<Vec<_>, _>>()?;
        Self::checked(length.unwrap_or(0), rules)
    }

    /// Twenty characters with at least one lower-case letter, upper-case letter, digit and hyphen: what is
    /// used where no policy is named.
    pub fn default_policy() -> Self {
        let rules = ['a'..='z', 'A'..='Z', '0'..='9', '-'..='-'].map(|range| Rule {
            charset: range.collect(),
            min_chars: 1,
        });
        Self::of(20, rules.into())
    }

    /// Draws a password.
    ///
    /// What each rule demands is drawn from its charset, the rest from all charsets, and the whole is
    /// shuffled. Unlike drawing and trying again, this ends after a known time also for tight policies.
    pub fn generate(&self, random: &Random) -> Result<Secret<String>, Error> {
        let mut drawn = Secret::new(Vec::with_capacity(self.length));
        let demands = self
            .rules
            .iter()
            .map(|rule| (&rule.charset, rule.min_chars));
        let demanded: usize = self.rules.iter().map(|rule| rule.min_chars).sum();
        let rest = (&self.all, self.length.saturating_sub(demanded));
        for (charset, count) in demands.chain([rest]) {
            let draw = || random.choose(charset).copied();
            drawn
                .expose_mut()
                .extend(std::iter::repeat_with(draw).take(count).flatten());
        }
        random.shuffle(drawn.expose_mut());
        // Four bytes a character at most: the text never grows, so no copy of it stays behind.
        let mut password = Secret::new(String::with_capacity(self.length * 4));
        password.expose_mut().extend(drawn.expose().iter());
        Ok(password)
    }

    fn checked(length: i64, rules: Vec<Rule>) -> Result<Self, String> {
        let mut faults = Vec::new();
        if length <= 0 {
            faults.push("length must be > 0".to_owned());
        }
        if rules.is_empty() {
            faults.push("no charset specified".to_owned());
        }
        if !faults.is_empty() {
            return Err(format!("invalid password policy: {}", faults.join("; ")));
        }
        let length = usize::try_from(length)
            .ok()
            .filter(|length| (MIN_LENGTH_CHARS..=MAX_LENGTH_CHARS).contains(length))
            .ok_or_else(|| {
                format!(
                    "passwords must be between {MIN_LENGTH_CHARS} and {MAX_LENGTH_CHARS} characters"
                )
            })?;
        let demanded = rules
            .iter()
            .fold(0_usize, |sum, rule| sum.saturating_add(rule.min_chars));
        if demanded > length {
            return Err(format!(
                "invalid password policy: specified rules require at least {demanded} characters but {length} is specified"
            ));
        }
        Ok(Self::of(length, rules))
    }

    fn of(length: usize, rules: Vec<Rule>) -> Self {
        let mut all: Vec<char> = rules.iter().flat_map(|rule| rule.charset.clone()).collect();
        all.sort_unstable();
        all.dedup();
        Self { length, rules, all }
    }
}

impl Rule {
    fn read(block: Block) -> Result<Self, String> {
        let Block {
            labels,
            mut body,
            position,
        } = block;
        let kind = labels.first().map_or("", |label| label.as_ref());
        if kind != "charset" {
            return Err(format!(
                "{position}: unknown rule {kind:?}; the only kind of rule is \"charset\""
            ));
        }
        let text = body.take_str("charset").map_err(|e| e.to_string())?;
        let min_chars = match body.take_i64("min-chars").map_err(|e| e.to_string())? {
            Some(count) => usize::try_from(count)
                .map_err(|_| format!("{position}: min-chars must not be negative"))?,
            None => 0,
        };
        refuse_unknown(&body, "charset and min-chars")?;
        let mut charset: Vec<char> = text.unwrap_or_default().chars().collect();
        charset.sort_unstable();
        charset.dedup();
        match charset.as_slice() {
            [] => Err(format!("{position}: the rule has an empty charset")),
            set if set.len() > MAX_CHARSET_CHARS => Err(format!(
                "{position}: the charset has more than {MAX_CHARSET_CHARS} different characters"
            )),
            set if set.iter().any(|c| c.is_control()) => Err(format!(
                "{position}: the charset holds a control character; use printable characters only"
            )),
            _ => Ok(Self { charset, min_chars }),
        }
    }
}

fn refuse_unknown(body: &Body, known: &str) -> Result<(), String> {
    match body.items.first() {
        Some(item) => Err(format!(
            "{}: unknown key {:?}; known are {known}",
            item.position, item.key
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, set: &str) -> usize {
        text.chars().filter(|c| set.contains(*c)).count()
    }

    #[test]
    fn the_default_has_every_kind() {
        let (random, policy) = (Random::system(), PasswordPolicy::default_policy());
        for _ in 0..500 {
            let password = policy.generate(&random).unwrap();
            let text = password.expose();
            assert_eq!(text.len(), 20);
            assert!(text.contains(|c: char| c.is_ascii_lowercase()));
            assert!(text.contains(|c: char| c.is_ascii_uppercase()));
            assert!(text.contains(|c: char| c.is_ascii_digit()));
            assert!(text.contains('-'));
            assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        }
    }

    #[test]
    fn rules_are_met_also_where_they_leave_no_choice() {
        let text = "length = 12\nrule \"charset\" { charset = \"abcdefgh\" }\n\
                    rule \"charset\" { charset = \"0123456789\" min-chars = 2 }";
        let policy = PasswordPolicy::parse(text).unwrap();
        let tight = PasswordPolicy::parse(
            "length = 6 rule \"charset\" { charset = \"aé\" min-chars = 3 } \
             rule \"charset\" { charset = \"12\" min-chars = 3 }",
        )
        .unwrap();
        for _ in 0..200 {
            let password = policy.generate(&Random::system()).unwrap();
            assert_eq!(password.expose().chars().count(), 12);
            assert!(count(password.expose(), "0123456789") >= 2);
            let password = tight.generate(&Random::system()).unwrap();
            assert_eq!(count(password.expose(), "aé"), 3);
            assert_eq!(count(password.expose(), "12"), 3);
        }
    }

    #[test]
    fn every_place_takes_every_character() {
        let policy = PasswordPolicy::parse(
            "length = 4 rule \"charset\" { charset = \"ab\" min-chars = 1 } \
             rule \"charset\" { charset = \"cd\" min-chars = 1 }",
        )
        .unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..2000 {
            let password = policy.generate(&Random::system()).unwrap();
            seen.extend(password.expose().chars().enumerate());
        }
        assert_eq!(seen.len(), 16);
    }

    #[test]
    fn what_can_not_be_met_or_read_is_refused_with_a_reason() {
        for (text, reason) in [
            (
                "length = 2 rule \"charset\" { charset = \"ab\" }",
                "between 4 and 100",
            ),
            (
                "length = 101 rule \"charset\" { charset = \"ab\" }",
                "between 4 and 100",
            ),
            ("length = 20", "no charset specified"),
            (
                "rule \"charset\" { charset = \"ab\" }",
                "length must be > 0",
            ),
            (
                "length = 8 rule \"charset\" { charset = \"ab\" min-chars = 9 }",
                "at least 9 characters but 8",
            ),
            (
                "length = 8 rule \"charset\" { charset = \"\" }",
                "empty charset",
            ),
            (
                "length = 8 rule \"charset\" { charset = \"a\\n\" }",
                "control character",
            ),
            (
                "length = 8 rule \"charset\" { charset = \"ab\" min-chars = -1 }",
                "negative",
            ),
            (
                "length = 8 rule \"words\" { charset = \"ab\" }",
                "unknown rule",
            ),
            (
                "length = 8 rule \"charset\" { charset = \"ab\" max-chars = 1 }",
                "unknown key",
            ),
            ("length = ", "expected"),
        ] {
            let error = PasswordPolicy::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
