//! The suite of signed requests that AWS publishes for Signature Version 4, and what must not pass.

use coffer_crypto::Secret;
use coffer_crypto::sigv4::{Presented, Received, Unsigned};

const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const OF: &str =
    "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";

/// The first line, the fields between the host and the signature, what is signed, the signature.
const SUITE: [(&str, &str, &str, &str); 16] = [
    (
        "GET /",
        "",
        "host;x-amz-date",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "GET /",
        "My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1\n",
        "host;my-header1;x-amz-date",
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    ),
    (
        "GET /",
        "My-Header1: value1\nMy-Header2: \"a   b   c\"\n",
        "host;my-header1;my-header2;x-amz-date",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    (
        "GET /",
        "My-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2\n",
        "host;my-header1;x-amz-date",
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    ),
    (
        "GET /example1/example2/../..",
        "",
        "host;x-amz-date",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "GET //example//",
        "",
        "host;x-amz-date",
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    (
        "GET /./example",
        "",
        "host;x-amz-date",
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    ),
    (
        "GET /example space/",
        "",
        "host;x-amz-date",
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    (
        "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "",
        "host;x-amz-date",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    (
        "GET /\u{1234}",
        "",
        "host;x-amz-date",
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    (
        "GET /?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        "",
        "host;x-amz-date",
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    ),
    (
        "GET /?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "",
        "host;x-amz-date",
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    (
        "GET /?\u{1234}=bar",
        "",
        "host;x-amz-date",
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    (
        "GET /?Param2=value2&Param1=value1",
        "",
        "host;x-amz-date",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "GET /",
        "X-Amz-Security-Token:6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267\n",
        "host;x-amz-date;x-amz-security-token",
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    ),
    (
        "POST /",
        "Content-Type:application/x-www-form-urlencoded\nContent-Length:13\nx-amz-content-sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e\n",
        "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
];

#[test]
fn what_aws_signed_is_found_signed() {
    for (at, (line, fields, signed, signature)) in SUITE.iter().enumerate() {
        let head = head(line, fields, signed, signature);
        let presented = read(&head, body_of(line)).unwrap_or_else(|why| panic!("{at}: {why}"));
        assert!(presented.is_by(&KEY.into()), "{at}: {line}");
        assert!(!presented.is_by(&"wJalrXUtnFEMI".into()), "{at}: {line}");
        assert_eq!(presented.access_key(), "AKIDEXAMPLE");
        assert_eq!(
            (presented.region(), presented.service()),
            ("us-east-1", "service")
        );
        assert_eq!(presented.time(), 1_440_938_160);
        assert_eq!(presented.stamp(), "20150830T123600Z");
        assert!(!format!("{presented:?}").contains(signature));
    }
}

#[test]
fn whatever_is_changed_is_noticed() {
    let (line, fields, signed, signature) = SUITE[15];
    let whole = head(line, fields, signed, signature);
    let body = body_of(line);
    let passes = |head: &str, body: &str| {
        read(head, body).is_ok_and(|presented| presented.is_by(&Secret::from(KEY)))
    };
    assert!(passes(&whole, body));
    assert!(!passes(&whole, "Param1=value2") && !passes(&whole, ""));
    for (from, to) in [
        ("POST /", "GET /"),
        ("POST /", "POST /x"),
        ("POST /", "POST /?a=b"),
        ("Host:example", "Host:examples"),
        ("form-urlencoded", "form-urlencode"),
        ("Content-Length:13", "Content-Length:14"),
        ("9095672b", "9095672c"),
        ("X-Amz-Date:20150830T123600Z", "X-Amz-Date:20150830T123601Z"),
        ("X-Amz-Date:20150830T123600Z", "X-Amz-Date:20150831T123600Z"),
        ("us-east-1", "us-east-2"),
        ("/service/", "/kms/"),
        ("/20150830/", "/20150831/"),
        ("Signature=d3875051", "Signature=d3875052"),
        ("content-length;content-type", "content-type"),
        ("x-amz-content-sha256;x-amz-date", "x-amz-date"),
    ] {
        let changed = whole.replace(from, to);
        assert_ne!(changed, whole, "{from}");
        assert!(!passes(&changed, body), "{from} -> {to}");
    }
    // Who signs and what is not signed are another matter: the key is looked up by its name, and proxies add fields.
    assert!(passes(&whole.replace("AKIDEXAMPLE", "AKIDOTHER"), body));
    assert!(passes(&format!("{whole}\nVia: 1.1 proxy"), body));
    // A second value of a signed field is part of what is signed; a field of Amazon's must be signed.
    assert!(!passes(&format!("{whole}\nContent-Type: x"), body));
    assert!(!passes(&format!("{whole}\nX-Amz-Target: x"), body));
}

#[test]
fn what_can_not_be_read_is_refused_by_name() {
    let (line, fields, signed, signature) = SUITE[0];
    let whole = head(line, fields, signed, signature);
    let why = |head: &str| read(head, "").expect_err(head);
    let incomplete = |from: &str, to: &str| {
        let changed = whole.replace(from, to);
        assert_ne!(changed, whole, "{from}");
        match why(&changed) {
            Unsigned::Incomplete(text) | Unsigned::Wrong(text) => text,
            other => panic!("{from} -> {to}: {other}"),
        }
    };
    let line_of = whole.lines().find(|line| line.starts_with("Authorization"));
    assert_eq!(
        why(&whole.replace(line_of.unwrap(), "A:b")),
        Unsigned::Missing
    );
    let presigned = whole.replace("GET /", "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256");
    assert_eq!(why(&presigned), Unsigned::InQuery);
    let presigned = whole.replace("GET /", "GET /?a=b&%58-amz-algorithm=AWS4-HMAC-SHA256");
    assert_eq!(why(&presigned), Unsigned::InQuery);
    for (from, to, said) in [
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "algorithm"),
        (
            "Authorization:AWS4-HMAC-SHA256",
            "Authorization:Basic",
            "algorithm",
        ),
        ("Signature=", "Signatur=", "unknown"),
        ("Signature=", "Credential=a/b/c/d/e, Signature=", "twice"),
        ("Credential=", "Credential", "equal-sign"),
        ("Signature=5f", "Signature=5F", "hexadecimal"),
        ("Signature=5f", "Signature=", "hexadecimal"),
        (
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            "Signature=",
            "requires 'Signature'",
        ),
        ("AKIDEXAMPLE/", "", "5 slash-delimited"),
        ("AKIDEXAMPLE/", "AKID/EXAMPLE/", "5 slash-delimited"),
        ("AKIDEXAMPLE/", "/", "5 slash-delimited"),
        ("aws4_request", "aws5_request", "5 slash-delimited"),
        ("/us-east-1/", "/us east/", "5 slash-delimited"),
        ("host;x-amz-date", "x-amz-date;host", "in order"),
        ("host;x-amz-date", "host;host;x-amz-date", "in order"),
        ("host;x-amz-date", "Host;x-amz-date", "lower case"),
        ("host;x-amz-date", "host;;x-amz-date", "in order"),
        ("host;x-amz-date", "host;my;x-amz-date", "'my'"),
        ("host;x-amz-date", "x-amz-date", "'host'"),
        ("host;x-amz-date", "host", "'x-amz-date'"),
        (
            "X-Amz-Date:20150830T123600Z",
            "X-Amz-Date:yesterday",
            "no time",
        ),
        (
            "X-Amz-Date:20150830T123600Z",
            "X-Amz-Date:20150831T123600Z",
            "does not match",
        ),
        (
            "X-Amz-Date:20150830T123600Z",
            "X-Amz-Date:20150830T123600Z\nX-Amz-Date:20150830T123600Z",
            "one 'x-amz-date'",
        ),
    ] {
        let text = incomplete(from, to);
        assert!(text.contains(said), "{from} -> {to}: {text}");
    }
}

/// A request with the field `Date` alone: the time in what is signed is the same, written as AWS writes it.
#[test]
fn the_date_of_http_will_do() {
    let (line, fields, signed, signature) = SUITE[0];
    let whole = head(line, fields, signed, signature);
    let dated = whole
        .replace(
            "X-Amz-Date:20150830T123600Z",
            "Date:Sun, 30 Aug 2015 12:36:00 GMT",
        )
        .replace("host;x-amz-date", "date;host");
    let presented = read(&dated, "").unwrap();
    assert_eq!(presented.time(), 1_440_938_160);
    assert!(!presented.is_by(&KEY.into()), "another field was signed");
}

fn head(line: &str, fields: &str, signed: &str, signature: &str) -> String {
    format!(
        "{line}\nHost:example.amazonaws.com\n{fields}{OF}, SignedHeaders={signed}, Signature={signature}\nX-Amz-Date:20150830T123600Z"
    )
}

fn body_of(line: &str) -> &'static str {
    match line.starts_with("POST") {
        true => "Param1=value1",
        false => "",
    }
}

fn read(head: &str, body: &str) -> Result<Presented, Unsigned> {
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let fields: Vec<(String, &str)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    let headers: Vec<(&str, &[u8])> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    Presented::read(&Received {
        method,
        path,
        query,
        headers: &headers,
        body: body.as_bytes(),
    })
}
