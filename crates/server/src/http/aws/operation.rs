//! The operations of the protocol: one row each.

use coffer_wire::Verb;
use coffer_wire::Verb::{Delete, List, Read, Write};

use Part::{Alias, Key, KeyOrBlob, Word};
use Shape::{AliasList, KeyList, Members, Metadata, Nothing};

/// An operation and what it is on the plain paths of the engine.
#[derive(Debug)]
pub(in crate::http) struct Operation {
    /// Its name in the protocol.
    pub(super) name: &'static str,
    /// The verb of the path.
    pub(super) verb: Verb,
    /// The path below the mount, segment by segment.
    pub(super) path: &'static [Part],
    /// What the path has to be told beside the members: flags that are on, or off.
    pub(super) fixed: &'static [(&'static str, bool)],
    /// What is answered.
    pub(super) shape: Shape,
}

/// A segment of a path.
#[derive(Debug)]
pub(super) enum Part {
    /// Itself.
    Word(&'static str),
    /// The key that a member names.
    Key(&'static str),
    /// The key that a member names or, where there is none, the ciphertext.
    KeyOrBlob(&'static str),
    /// The alias that a member names.
    Alias(&'static str),
}

/// What the members of an answer are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An answer without a body.
    Nothing,
    /// The fields; the keys that they name by ARN.
    Members,
    /// The fields, as the one member `KeyMetadata`.
    Metadata,
    /// A page of keys.
    KeyList,
    /// A page of aliases.
    AliasList,
}

/// The operation of that name.
pub(super) fn find(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}

/// Why an operation that AWS has is not here; none for a name that AWS does not have either.
pub(super) fn absent(name: &str) -> Option<&'static str> {
    let row = ABSENT.iter().find(|(names, _)| names.contains(&name));
    row.map(|(_, why)| *why)
}

/// Operations of AWS KMS that are not here, and why.
const ABSENT: [(&[&str], &str); 7] = [
    (
        &["GetKeyPolicy", "PutKeyPolicy", "ListKeyPolicies"],
        "who may use a key is decided by the server's policies on the paths of the mount (sys/policies/acl), not by a policy of the key",
    ),
    (
        &[
            "CreateGrant",
            "ListGrants",
            "ListRetirableGrants",
            "RetireGrant",
            "RevokeGrant",
        ],
        "grants are not supported: issue an access key with a policy of its own and a short lifetime instead",
    ),
    (
        &[
            "ConnectCustomKeyStore",
            "CreateCustomKeyStore",
            "DeleteCustomKeyStore",
            "DescribeCustomKeyStores",
            "DisconnectCustomKeyStore",
            "UpdateCustomKeyStore",
        ],
        "custom key stores are not supported",
    ),
    (
        &["ReplicateKey", "UpdatePrimaryRegion"],
        "there are no regions, and so no multi-Region keys",
    ),
    (&["DeriveSharedSecret"], "key agreement is not supported"),
    (
        &["Encapsulate", "Decapsulate"],
        "keys for key encapsulation are not supported",
    ),
    (
        &["GetKeyLastUsage"],
        "when a key was used is not kept with the key; the audit log says it",
    ),
];

const fn row(name: &'static str, verb: Verb, path: &'static [Part], shape: Shape) -> Operation {
    Operation {
        name,
        verb,
        path,
        fixed: &[],
        shape,
    }
}

const fn told(operation: Operation, fixed: &'static [(&'static str, bool)]) -> Operation {
    Operation { fixed, ..operation }
}

const KEY: Part = Key("KeyId");

#[rustfmt::skip]
static OPERATIONS: [Operation; 36] = [
    row("CreateKey", Write, &[Word("keys")], Metadata),
    row("DescribeKey", Read, &[Word("keys"), KEY], Metadata),
    row("ListKeys", List, &[Word("keys")], KeyList),
    row("UpdateKeyDescription", Write, &[Word("keys"), KEY], Nothing),
    row("EnableKey", Write, &[Word("keys"), KEY, Word("enable")], Nothing),
    row("DisableKey", Write, &[Word("keys"), KEY, Word("disable")], Nothing),
    row("ScheduleKeyDeletion", Write, &[Word("keys"), KEY, Word("schedule-deletion")], Members),
    row("CancelKeyDeletion", Write, &[Word("keys"), KEY, Word("cancel-deletion")], Members),
    row("GetKeyRotationStatus", Read, &[Word("keys"), KEY, Word("rotation")], Members),
    told(row("EnableKeyRotation", Write, &[Word("keys"), KEY, Word("rotation")], Nothing), &[("enabled", true)]),
    told(row("DisableKeyRotation", Write, &[Word("keys"), KEY, Word("rotation")], Nothing), &[("enabled", false)]),
    row("RotateKeyOnDemand", Write, &[Word("keys"), KEY, Word("rotate")], Members),
    row("ListKeyRotations", Read, &[Word("keys"), KEY, Word("rotations")], Members),
    row("TagResource", Write, &[Word("keys"), KEY, Word("tags")], Nothing),
    row("UntagResource", Delete, &[Word("keys"), KEY, Word("tags")], Nothing),
    row("ListResourceTags", Read, &[Word("keys"), KEY, Word("tags")], Members),
    row("GetParametersForImport", Write, &[Word("keys"), KEY, Word("import-parameters")], Members),
    row("ImportKeyMaterial", Write, &[Word("keys"), KEY, Word("material")], Members),
    row("DeleteImportedKeyMaterial", Delete, &[Word("keys"), KEY, Word("material")], Members),
    row("GetPublicKey", Read, &[Word("keys"), KEY, Word("public-key")], Members),
    told(row("CreateAlias", Write, &[Word("aliases"), Alias("AliasName")], Nothing), &[("create_only", true)]),
    told(row("UpdateAlias", Write, &[Word("aliases"), Alias("AliasName")], Nothing), &[("update_only", true)]),
    row("DeleteAlias", Delete, &[Word("aliases"), Alias("AliasName")], Nothing),
    row("ListAliases", List, &[Word("aliases")], AliasList),
    row("Encrypt", Write, &[Word("encrypt"), KEY], Members),
    row("Decrypt", Write, &[Word("decrypt"), KeyOrBlob("KeyId")], Members),
    row("ReEncrypt", Write, &[Word("re-encrypt"), KeyOrBlob("SourceKeyId"), Key("DestinationKeyId")], Members),
    row("GenerateDataKey", Write, &[Word("data-key"), KEY], Members),
    row("GenerateDataKeyWithoutPlaintext", Write, &[Word("data-key-without-plaintext"), KEY], Members),
    row("GenerateDataKeyPair", Write, &[Word("data-key-pair"), KEY], Members),
    row("GenerateDataKeyPairWithoutPlaintext", Write, &[Word("data-key-pair-without-plaintext"), KEY], Members),
    row("GenerateRandom", Write, &[Word("random")], Members),
    row("Sign", Write, &[Word("sign"), KEY], Members),
    row("Verify", Write, &[Word("verify"), KEY], Members),
    row("GenerateMac", Write, &[Word("mac"), KEY], Members),
    row("VerifyMac", Write, &[Word("verify-mac"), KEY], Members),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_operation_stands_once() {
        let names: BTreeSet<&str> = OPERATIONS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), OPERATIONS.len());
        let absent_ones = ABSENT.iter().flat_map(|(names, _)| names.iter());
        for name in absent_ones {
            assert!(!names.contains(name) && absent(name).is_some(), "{name}");
        }
        assert!(find("Encrypt").is_some() && find("encrypt").is_none());
        assert!(absent("MakeCoffee").is_none());
    }
}
