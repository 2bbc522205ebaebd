//! Members of the protocol and fields of our paths: the same things by other names.
//!
//! A member `KeyId` is the field `key_id`. Times are seconds since the epoch there and RFC 3339 here. Everything else is the
//! same on both sides; what a client chose the names of (an encryption context) is left as it is.

use coffer_wire::Timestamp;
use serde_json::{Map, Value};

/// Encryption contexts: fields whose insides have names of the client's own.
pub(super) const CONTEXTS: [&str; 3] = [
    "encryption_context",
    "source_encryption_context",
    "destination_encryption_context",
];
/// Fields that are times.
const TIMES: [&str; 9] = [
    "creation_date",
    "deletion_date",
    "last_updated_date",
    "last_usage_date",
    "next_rotation_date",
    "on_demand_rotation_start_date",
    "parameters_valid_to",
    "rotation_date",
    "valid_to",
];
/// Members whose names are not spelt as their fields say.
const IRREGULAR: [(&str, &str); 1] = [("AWSAccountId", "aws_account_id")];

/// The fields of members. A member that is null says nothing, and one that does not begin with a capital is none.
pub(super) fn fields(members: Map<String, Value>) -> Map<String, Value> {
    let known = members.into_iter().filter(|(name, value)| {
        name.starts_with(|first: char| first.is_ascii_uppercase()) && !value.is_null()
    });
    known
        .map(|(name, value)| {
            let field = field(&name);
            let value = inside(&field, value, fields, moment);
            (field, value)
        })
        .collect()
}

/// The members of fields.
pub(super) fn members(fields: Map<String, Value>) -> Map<String, Value> {
    let told = fields.into_iter().filter(|(_, value)| !value.is_null());
    told.map(|(field, value)| {
        let value = inside(&field, value, members, seconds);
        (member(&field), value)
    })
    .collect()
}

/// A value with the names inside it changed.
fn inside(
    field: &str,
    value: Value,
    names: fn(Map<String, Value>) -> Map<String, Value>,
    time: fn(Value) -> Value,
) -> Value {
    match value {
        value if CONTEXTS.contains(&field) => value,
        value if TIMES.contains(&field) => time(value),
        Value::Object(map) => Value::Object(names(map)),
        Value::Array(all) => all
            .into_iter()
            .map(|one| match one {
                Value::Object(map) => Value::Object(names(map)),
                other => other,
            })
            .collect(),
        other => other,
    }
}

/// `key_id` for `KeyId`.
pub(super) fn field(member: &str) -> String {
    if let Some((_, field)) = IRREGULAR.iter().find(|(name, _)| *name == member) {
        return (*field).to_owned();
    }
    let mut text = String::with_capacity(member.len() + 4);
    for (at, character) in member.chars().enumerate() {
        if character.is_ascii_uppercase() && at > 0 {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}

/// `KeyId` for `key_id`.
fn member(field: &str) -> String {
    if let Some((member, _)) = IRREGULAR.iter().find(|(_, name)| *name == field) {
        return (*member).to_owned();
    }
    let words = field.split('_').map(|word| {
        let mut characters = word.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(characters).collect::<String>()
    });
    words.collect()
}

/// Seconds since the epoch, with milliseconds, for a time in RFC 3339.
fn seconds(value: Value) -> Value {
    let time = value.as_str().and_then(Timestamp::parse);
    let number = time.and_then(|time| {
        let text = format!("{}.{:03}", time.secs(), time.millis() % 1_000);
        serde_json::from_str(&text).ok()
    });
    number.unwrap_or(value)
}

/// A time in RFC 3339 for seconds since the epoch; what is no such number is left for the engine to refuse.
fn moment(value: Value) -> Value {
    let text = match &value {
        Value::Number(number) => number.to_string(),
        _ => return value,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let millis = format!("{part:0<3}");
    let millis = millis
        .get(..3)
        .and_then(|millis| millis.parse::<u64>().ok());
    let time = whole
        .parse::<u64>()
        .ok()
        .zip(millis)
        .and_then(|(whole, millis)| {
            let since =
                std::time::Duration::from_millis(whole.checked_mul(1_000)?.checked_add(millis)?);
            Some(Timestamp::EPOCH.plus(since))
        });
    time.map_or(value, |time| Value::String(time.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn names_go_both_ways_and_chosen_ones_stay() {
        let of_aws = json!({
            "KeyId": "k", "CustomerMasterKeySpec": "RSA_2048", "NumberOfBytes": 3, "AWSAccountId": "1",
            "EncryptionContext": { "TenantId": "x", "a_b": "y" },
            "Tags": [{ "TagKey": "A", "TagValue": "B" }], "TagKeys": ["KeyId"],
        });
        let of_ours = json!({
            "key_id": "k", "customer_master_key_spec": "RSA_2048", "number_of_bytes": 3, "aws_account_id": "1",
            "encryption_context": { "TenantId": "x", "a_b": "y" },
            "tags": [{ "tag_key": "A", "tag_value": "B" }], "tag_keys": ["KeyId"],
        });
        assert_eq!(Value::Object(fields(map(of_aws.clone()))), of_ours);
        assert_eq!(Value::Object(members(map(of_ours))), of_aws);
    }

    #[test]
    fn what_is_no_member_is_no_field() {
        let odd = json!({ "key_id": "x", "KeyId": "y", "Description": null, "": 1, "éa": 2 });
        assert_eq!(Value::Object(fields(map(odd))), json!({ "key_id": "y" }));
    }

    #[test]
    fn times_are_numbers_there_and_texts_here() {
        let shown = members(map(
            json!({ "creation_date": "2026-01-31T12:00:00.25Z", "valid_to": "soon" }),
        ));
        assert_eq!(
            serde_json::to_string(&shown).unwrap(),
            r#"{"CreationDate":1769860800.250,"ValidTo":"soon"}"#
        );
        for (number, text) in [
            (json!(1_769_860_800), json!("2026-01-31T12:00:00Z")),
            (json!(1_769_860_800.5), json!("2026-01-31T12:00:00.5Z")),
            (json!("later"), json!("later")),
            (json!(-1), json!(-1)),
        ] {
            let asked = fields(map(json!({ "ValidTo": number })));
            assert_eq!(asked["valid_to"], text);
        }
        let huge: Value = serde_json::from_str("1e300").unwrap();
        assert_eq!(fields(map(json!({ "ValidTo": huge })))["valid_to"], huge);
        let huge: Value = serde_json::from_str("99999999999999999999999").unwrap();
        assert_eq!(fields(map(json!({ "ValidTo": huge })))["valid_to"], huge);
        let far: Value = serde_json::from_str("18446744073709551615").unwrap();
        assert_eq!(fields(map(json!({ "ValidTo": far })))["valid_to"], far);
    }
}
