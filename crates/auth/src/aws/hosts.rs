//! Where the services of AWS are.

/// Parts of the world that regions are named after.
const AREAS: [&str; 11] = [
    "af", "ap", "ca", "cn", "eu", "il", "me", "mx", "sa", "us", "us-gov",
];
const DIRECTIONS: [&str; 9] = [
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];
/// Where STS also answers by modules that are validated by FIPS 140.
const FIPS_REGIONS: [&str; 4] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"];

/// The host of STS that is in no region.
pub(super) const GLOBAL_STS: &str = "sts.amazonaws.com";
/// The region that is meant where none is said.
pub(super) const DEFAULT_REGION: &str = "us-east-1";

/// Whether a text names a region of AWS: an area, a direction and a number. Anything looser would let hosts in that
/// customers of AWS can have: `sts.s3.amazonaws.com` is a bucket.
pub(super) fn is_region(text: &str) -> bool {
    let Some((rest, number)) = text.rsplit_once('-') else {
        return false;
    };
    let Some((area, direction)) = rest.rsplit_once('-') else {
        return false;
    };
    let counted = number.len() == 1 && number.bytes().all(|byte| matches!(byte, b'1'..=b'9'));
    counted && AREAS.contains(&area) && DIRECTIONS.contains(&direction)
}

/// Whether a host is one of AWS's STS.
pub(super) fn is_sts(host: &str) -> bool {
    if host == GLOBAL_STS {
        return true;
    }
    let region = host
        .strip_prefix("sts.")
        .and_then(|rest| rest.split_once('.'));
    let fips = host
        .strip_prefix("sts-fips.")
        .and_then(|rest| rest.split_once('.'));
    match (region, fips) {
        (Some((region, suffix)), _) => is_region(region) && suffix == domain(region),
        (_, Some((region, suffix))) => FIPS_REGIONS.contains(&region) && suffix == domain(region),
        _ => false,
    }
}

/// The host of a service in a region.
pub(super) fn of(service: &str, region: &str) -> String {
    format!("{service}.{region}.{}", domain(region))
}

/// The host of IAM, and the region that requests to it are signed for.
pub(super) fn iam(partition: &str) -> (&'static str, &'static str) {
    match partition {
        "aws-cn" => ("iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        "aws-us-gov" => ("iam.us-gov.amazonaws.com", "us-gov-west-1"),
        _ => ("iam.amazonaws.com", DEFAULT_REGION),
    }
}

/// The partition that a region is in.
pub(super) fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// The region of STS in a partition, where none is configured.
pub(super) fn home_region(partition: &str) -> &'static str {
    iam(partition).1
}

fn domain(region: &str) -> &'static str {
    match region.starts_with("cn-") {
        true => "amazonaws.com.cn",
        false => "amazonaws.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_sts() {
        for host in [
            "sts.amazonaws.com",
            "sts.eu-west-1.amazonaws.com",
            "sts.ap-southeast-7.amazonaws.com",
            "sts.us-gov-west-1.amazonaws.com",
            "sts.cn-north-1.amazonaws.com.cn",
            "sts-fips.us-east-1.amazonaws.com",
        ] {
            assert!(is_sts(host), "{host}");
        }
        for host in [
            "",
            "sts",
            "amazonaws.com",
            "sts.amazonaws.com.",
            "sts.amazonaws.com.evil.example",
            "STS.amazonaws.com",
            "sts.amazonaws.com:443",
            "evil.sts.amazonaws.com",
            "sts.s3.amazonaws.com",
            "sts.s3-eu-west-1.amazonaws.com",
            "sts.eu-west-1.amazonaws.com.cn",
            "sts.cn-north-1.amazonaws.com",
            "sts.eu-west-1.s3.amazonaws.com",
            "sts.eu-west-10.amazonaws.com",
            "sts.eu-west-.amazonaws.com",
            "sts-fips.eu-west-1.amazonaws.com",
            "iam.amazonaws.com",
            "sts..amazonaws.com",
        ] {
            assert!(!is_sts(host), "{host}");
        }
    }

    #[test]
    fn each_service_has_its_host() {
        assert_eq!(of("ec2", "eu-west-1"), "ec2.eu-west-1.amazonaws.com");
        assert_eq!(of("sts", "cn-north-1"), "sts.cn-north-1.amazonaws.com.cn");
        assert_eq!(home_region("aws-us-gov"), "us-gov-west-1");
    }
}
