//! Names of keys.

/// `arn:PARTITION:kms:REGION:ACCOUNT:key/ID` or `…:alias/NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    pub(super) partition: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("arn:")?;
        let (partition, rest) = rest.split_once(":kms:")?;
        let (region, rest) = rest.split_once(':')?;
        let (account, resource) = rest.split_once(':')?;
        let is_name = |text: &str| {
            let mut bytes = text.bytes();
            !text.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let is_sound = |b: u8| b.is_ascii_alphanumeric() || b"-_/".contains(&b);
        let is_known = resource.starts_with("key/") || resource.starts_with("alias/");
        (text.len() <= 2048
            && is_name(partition)
            && is_name(region)
            && is_name(account)
            && is_known
            && resource.bytes().all(is_sound))
        .then_some(Self {
            partition,
            region,
            account,
            resource,
        })
    }

    /// Whether it names a key, not an alias.
    pub(super) fn is_key(&self) -> bool {
        self.resource.starts_with("key/")
    }

    /// Whether the key may have replicas in other regions.
    pub(super) fn is_multi_region(&self) -> bool {
        self.resource.starts_with("key/mrk-")
    }

    /// The same in another region.
    pub(super) fn within(&self, region: &str) -> String {
        let Self {
            partition,
            account,
            resource,
            ..
        } = self;
        format!("arn:{partition}:kms:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let arn = Arn::parse("arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1a2b").unwrap();
        assert_eq!(
            (arn.partition, arn.region, arn.account),
            ("aws-cn", "cn-north-1", "123456789012")
        );
        assert!(arn.is_key() && arn.is_multi_region());
        assert_eq!(
            arn.within("cn-south-1"),
            "arn:aws-cn:kms:cn-south-1:123456789012:key/mrk-1a2b"
        );
        let alias = Arn::parse("arn:aws:kms:us-east-1:123456789012:alias/a/b").unwrap();
        assert!(!alias.is_key());
        for wrong in [
            "",
            "alias/a",
            "1234-abcd",
            "arn:aws:kms:us-east-1:123456789012:grant/a",
            "arn:aws:kms:us-east-1::key/a",
            "arn:aws:s3:us-east-1:123456789012:key/a",
            "arn:aws:kms:us-east-1:123456789012:key/a\"b",
        ] {
            assert_eq!(Arn::parse(wrong), None, "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_a_name_is_one_whole(text in "(arn:)?(aws)?(:kms)?(:[a-z0-9-]{0,4}){0,2}(:(key|alias)/[a-zA-Z0-9/\"_-]{0,8})?") {
            if let Some(arn) = Arn::parse(&text) {
                proptest::prop_assert_eq!(arn.within(arn.region), text);
            }
        }
    }
}
