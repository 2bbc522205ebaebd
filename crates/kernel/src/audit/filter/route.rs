//! Which lines a device gets.

use std::borrow::Cow;

use crate::filter::{Expression, Held, Slashed, parse};

/// The fields that filters can ask about.
const FIELDS: [&str; 5] = [
    "mount_point",
    "mount_type",
    "namespace",
    "operation",
    "path",
];

/// Which lines a device gets.
#[derive(Clone, Debug, Default)]
pub(in crate::audit) enum Route {
    /// All.
    #[default]
    All,
    /// Those for which this holds.
    Filter(Filter),
    /// Those that no other device has recorded.
    Fallback,
}

/// An expression over a request.
#[derive(Clone, Debug)]
pub(in crate::audit) struct Filter(Expression<Field>);

/// What filters can ask about a request.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::audit) struct Subject<'a> {
    pub mount_point: &'a str,
    pub mount_type: &'a str,
    /// With a trailing slash; empty for the root namespace.
    pub namespace: &'a str,
    pub operation: &'a str,
    pub path: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    MountPoint,
    MountType,
    Namespace,
    Operation,
    Path,
}

impl Filter {
    /// Reads a filter; the error says at which column what is wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        let expression = parse(text, field).map_err(|wrong| format!("filter, {wrong}"))?;
        Ok(Self(expression.with_slashes(&|field| match field {
            Field::Namespace => Some(Slashed::Namespace),
            Field::MountPoint => Some(Slashed::Mount),
            Field::MountType | Field::Operation | Field::Path => None,
        })))
    }

    /// Whether a request is chosen.
    pub fn takes(&self, subject: &Subject<'_>) -> bool {
        self.0.holds(&|field| {
            Held::Text(Cow::Borrowed(match field {
                Field::MountPoint => subject.mount_point,
                Field::MountType => subject.mount_type,
                Field::Namespace => subject.namespace,
                Field::Operation => subject.operation,
                Field::Path => subject.path,
            }))
        })
    }
}

fn field(name: &str) -> Result<Field, String> {
    Ok(match name.trim_start_matches('/') {
        "mount_point" => Field::MountPoint,
        "mount_type" => Field::MountType,
        "namespace" => Field::Namespace,
        "operation" => Field::Operation,
        "path" => Field::Path,
        _ => {
            return Err(format!(
                "{name:?} can not be asked about; {} can",
                FIELDS.join(", ")
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KV: Subject<'_> = Subject {
        mount_point: "secret/",
        mount_type: "kv",
        namespace: "",
        operation: "read",
        path: "secret/data/app/one",
    };

    fn takes(text: &str) -> bool {
        Filter::read(text).unwrap().takes(&KV)
    }

    #[test]
    fn conditions_mean_what_they_say() {
        for text in [
            "mount_type == kv",
            "mount_type == \"kv\"",
            "mount_type == `kv`",
            "mount_type != transit",
            "mount_point == \"secret/\"",
            "mount_point == secret",
            "app in path",
            "\"/app/\" in path",
            "other not in path",
            "path contains \"data/app\"",
            "path not contains zzz",
            "path matches \"^secret/data/.*\"",
            "path matches `\\bapp/\\w+$`",
            "path not matches \"^sys/\"",
            "namespace is empty",
            "namespace == root",
            "namespace == \"\"",
            "path is not empty",
            "\"/operation\" == read",
            "operation==read",
            "mount_type == \"\\u006bv\"",
        ] {
            assert!(takes(text), "{text}");
            assert!(!takes(&format!("not {text}")), "{text}");
            assert!(!takes(&format!("not ({text})")), "{text}");
            assert!(takes(&format!("not not({text})")), "{text}");
        }
        let inner = Subject {
            namespace: "team/one/",
            ..KV
        };
        assert!(Filter::read("namespace == team/one").unwrap().takes(&inner));
        assert!(!Filter::read("namespace == team").unwrap().takes(&inner));
        assert!(Filter::read("team/ in namespace").unwrap().takes(&inner));
    }

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        let (yes, no) = ("operation == read", "operation == list");
        for (text, expected) in [
            (format!("{yes} or {no} and {no}"), true),
            (format!("({yes} or {no}) and {no}"), false),
            (format!("not {no} and {yes}"), true),
            (format!("not {yes} or {yes}"), true),
            (format!("not ({yes} or {no})"), false),
            (format!("{no} or {no} or {yes}"), true),
            (format!("{yes}\n\tand {yes} and {no}"), false),
        ] {
            assert_eq!(takes(&text), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_are_named_with_their_column() {
        for (text, column, word) in [
            ("", 1, "field"),
            ("mount_tpye == kv", 1, "mount_type"),
            ("mount_type = kv", 12, "=="),
            ("mount_type kv", 12, "operator"),
            ("mount_type ==", 14, "value"),
            ("mount_type == kv path == x", 18, "join"),
            ("(mount_type == kv", 18, "not closed"),
            ("mount_type == kv)", 17, "nothing more"),
            ("mount_type == \"kv", 15, "does not end"),
            ("mount_type == \"\\q\"", 16, "escape"),
            ("path matches \"(\"", 14, "pattern"),
            ("path matches \"(a{1000}){1000}\"", 14, "pattern"),
            ("kv in mount", 7, "mount_type"),
            ("path is full", 9, "empty"),
            ("path not like x", 10, "behind not"),
            ("ä == [", 6, "no meaning"),
            ("operation == read and", 22, "field"),
        ] {
            let text_of_error = Filter::read(text).unwrap_err();
            let place = format!("filter, column {column}: ");
            assert!(text_of_error.starts_with(&place), "{text}: {text_of_error}");
            assert!(text_of_error.contains(word), "{text}: {text_of_error}");
        }
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let deep = format!("{}path == x{}", "(".repeat(33), ")".repeat(33));
        assert!(Filter::read(&deep).unwrap_err().contains("deep"));
        assert!(
            Filter::read(&"not ".repeat(900))
                .unwrap_err()
                .contains("deep")
        );
        let many = vec!["path == x"; 129].join(" or ");
        assert!(Filter::read(&many).unwrap_err().contains("conditions"));
        assert!(
            Filter::read(&"x".repeat(5_000))
                .unwrap_err()
                .contains("longer")
        );
        assert!(Filter::read(&vec!["path == x"; 128].join(" or ")).is_ok());
        let ones: String = (0..31)
            .map(|_| "(")
            .chain(["path == x"])
            .chain((0..31).map(|_| ")"))
            .collect();
        assert!(Filter::read(&ones).is_ok());
    }

    fn expressions() -> impl Strategy<Value = (String, bool)> {
        let leaf = (prop_oneof!["read", "list"], any::<bool>()).prop_map(|(value, equal)| {
            let operator = if equal { "==" } else { "!=" };
            (
                format!("operation {operator} {value}"),
                (value == "read") == equal,
            )
        });
        leaf.prop_recursive(4, 32, 3, |inner| {
            prop_oneof![
                inner
                    .clone()
                    .prop_map(|(text, holds)| (format!("not ({text})"), !holds)),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| (format!("({}) and ({})", a.0, b.0), a.1 && b.1)),
                (inner.clone(), inner)
                    .prop_map(|(a, b)| (format!("({}) or ({})", a.0, b.0), a.1 || b.1)),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_expression_means_what_it_is_made_of((text, holds) in expressions()) {
            prop_assert_eq!(takes(&text), holds, "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = Filter::read(&text);
        }

        #[test]
        fn any_words_are_read_or_refused(words in proptest::collection::vec(
            prop_oneof!["path", "not", "and", "or", "in", "is", "empty", "==", "!=", "\\(", "\\)", "matches", "\"x\"", "contains"], 0..20))
        {
            let _ = Filter::read(&words.join(" "));
        }
    }
}
