//! Filters with places for values: the part of Go's templates that filters are written in.

use ldap3::parse_filter;

use super::escape;

/// Longest template, in bytes.
const BYTES_MAX: usize = 8 * 1024;
/// How deeply its parentheses may be nested.
const DEPTH_MAX: usize = 32;
/// Stands for a value while a template is checked. Its sign is one that is no part of an attribute's name.
const SAMPLE: &str = "a=b";

/// A filter with places for values.
#[derive(Debug)]
pub(super) struct Template(Vec<Piece>);

/// What a place may be named, and what stands in it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) name: &'static str,
    /// Whether it stands for the name of an attribute, of the mount's own configuration; else for a value of anybody's.
    pub(super) is_attribute: bool,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Place(&'static Place),
}

impl Template {
    /// Reads a template with these places. What is around them has to be a filter, and they have to be where they belong.
    pub(super) fn parse(text: &str, places: &'static [Place]) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("it is longer than {BYTES_MAX} bytes"));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, after) = after.split_once("}}").ok_or("a {{ is never closed by }}")?;
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Place(place(inside, places)?));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let template = Self(pieces);
        template.filter(|place| if place.is_attribute { "uid" } else { SAMPLE })?;
        Ok(template)
    }

    /// The filter with these values. Those of anybody's are escaped; the names of attributes are names already.
    pub(super) fn filter<'a>(
        &self,
        value_of: impl Fn(&Place) -> &'a str,
    ) -> Result<String, String> {
        let mut filter = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filter.push_str(text),
                Piece::Place(place) if place.is_attribute => filter.push_str(value_of(place)),
                Piece::Place(place) => filter.push_str(&escape::for_filter(value_of(place))),
            }
        }
        if depth(&filter) > DEPTH_MAX {
            return Err(format!(
                "its parentheses are nested deeper than {DEPTH_MAX}"
            ));
        }
        match parse_filter(&filter) {
            Ok(_) => Ok(filter),
            Err(_) => Err(
                "it is not a filter as RFC 4515 has them, with values where values are".to_owned(),
            ),
        }
    }

    /// Whether a place of that name is in it.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|piece| matches!(piece, Piece::Place(place) if place.name == name))
    }
}

/// The place that is named between `{{` and `}}`.
fn place(inside: &str, places: &'static [Place]) -> Result<&'static Place, String> {
    let name = inside.trim().strip_prefix('.');
    let found = places.iter().find(|place| name == Some(place.name));
    found.ok_or_else(|| {
        let known: Vec<String> = places
            .iter()
            .map(|place| format!("{{{{.{}}}}}", place.name))
            .collect();
        format!(
            "{{{{{inside}}}}} is not understood; places are {}",
            known.join(" and ")
        )
    })
}

fn depth(filter: &str) -> usize {
    let mut now: usize = 0;
    let mut most = 0;
    for byte in filter.bytes() {
        match byte {
            b'(' => now += 1,
            b')' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACES: &[Place] = &[
        Place {
            name: "UserAttr",
            is_attribute: true,
        },
        Place {
            name: "Username",
            is_attribute: false,
        },
    ];

    #[test]
    fn places_are_filled() {
        let text = "(&(objectClass=*)({{.UserAttr}}={{ .Username }}))";
        let template = Template::parse(text, PLACES).unwrap();
        let filter = template.filter(|place| {
            if place.is_attribute {
                "employee-id"
            } else {
                "a*"
            }
        });
        assert_eq!(filter.unwrap(), "(&(objectClass=*)(employee-id=a\\2a))");
        assert!(template.names("UserAttr") && !template.names("Nobody"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let deep = format!("{}(a=b){}", "(!".repeat(40), ")".repeat(40));
        for text in [
            "{{",
            "(uid={{.Username)",
            "(uid={{.Nobody}})",
            "(uid={{.Username | printf}})",
            "(((",
            "(uid=a))",
            "",
            "({{.Username}}=a)",
            "(uid={{range .}}x{{end}})",
            "(uid={{Username}})",
            &deep,
            &"x".repeat(9000),
        ] {
            assert!(Template::parse(text, PLACES).is_err(), "{text}");
        }
    }

    proptest! {
        /// Nothing that is put in changes the shape of a filter.
        #[test]
        fn values_change_no_shape(value in ".*") {
            let template = Template::parse("(&(objectClass=person)(uid={{.Username}}))", PLACES).unwrap();
            let filter = template.filter(|_| &value).unwrap();
            prop_assert_eq!(filter.matches('(').count(), 3);
            prop_assert_eq!(filter.matches(')').count(), 3);
            prop_assert_eq!(filter.matches('*').count(), 0);
        }

        #[test]
        fn no_text_is_too_odd(text in ".{0,60}") {
            let _ = Template::parse(&text, PLACES);
        }
    }
}
