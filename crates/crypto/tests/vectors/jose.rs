//! The examples of RFC 7515 appendix A and RFC 8037 appendix A, and the passwords of RFC 4226 and RFC 6238.

use coffer_crypto::jose::{Compact, JoseError, KeySet, read_key};
use coffer_crypto::otp::{OtpHash, one_time_password};
use coffer_crypto::sign::Algorithm;
use serde_json::{Value, json};

const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const CLAIMS_TEXT: &str =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

/// Each with its token, its key and what was signed.
fn examples() -> Vec<(Algorithm, String, Value, &'static str)> {
    vec![
        (
            Algorithm::Hs256,
            format!(
                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            ),
            json!({ "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow" }),
            CLAIMS_TEXT,
        ),
        (
            Algorithm::Rs256,
            format!(
                "eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
            ),
            json!({ "kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ" }),
            CLAIMS_TEXT,
        ),
        (
            Algorithm::Es256,
            format!(
                "eyJhbGciOiJFUzI1NiJ9.{CLAIMS}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
            ),
            json!({ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }),
            CLAIMS_TEXT,
        ),
        (
            Algorithm::Es512,
            "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn".into(),
            json!({ "kty": "EC", "crv": "P-521", "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk", "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2" }),
            "Payload",
        ),
        (
            Algorithm::EdDsa,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg".into(),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
            "Example of Ed25519 signing",
        ),
    ]
}

#[test]
fn the_rfcs_own_tokens_verify() {
    for (algorithm, token, jwk, content) in examples() {
        let keys = read_key(&jwk, &Algorithm::ALL).unwrap();
        let key = keys.iter().find(|key| key.algorithm() == algorithm);
        let read = Compact::parse(&token).unwrap();
        assert_eq!(
            read.verify(key.unwrap()).unwrap(),
            content.as_bytes(),
            "{algorithm}"
        );
        let set = json!({ "keys": [jwk] });
        let set = KeySet::read(&set, &Algorithm::ALL).unwrap();
        assert_eq!(set.verify(&read).unwrap(), content.as_bytes());
    }
}

#[test]
fn none_of_them_verifies_with_the_key_of_another() {
    for (mine, token, _, _) in examples() {
        for (other, _, jwk, _) in examples() {
            let read = Compact::parse(&token).unwrap();
            for key in read_key(&jwk, &Algorithm::ALL).unwrap() {
                let taken = read.verify(&key).is_ok();
                assert_eq!(taken, mine == other && key.algorithm() == mine);
            }
        }
    }
}

#[test]
fn the_rfcs_unsecured_token_is_refused() {
    let unsecured = format!("eyJhbGciOiJub25lIn0.{CLAIMS}.");
    let refused = Compact::parse(&unsecured).unwrap_err();
    assert_eq!(refused, JoseError::Algorithm("none".into()));
}

#[test]
fn passwords_of_rfc_4226() {
    let expected = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    for (counter, expected) in (0..).zip(expected) {
        let made = one_time_password(b"12345678901234567890", OtpHash::Sha1, counter, 6);
        assert_eq!(*made, expected);
    }
}

#[test]
fn passwords_of_rfc_6238() {
    let key = |length: usize| {
        b"1234567890"
            .iter()
            .copied()
            .cycle()
            .take(length)
            .collect::<Vec<u8>>()
    };
    for (secs, sha1, sha256, sha512) in [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000u64, "65353130", "77737706", "47863826"),
    ] {
        for (hash, length, expected) in [
            (OtpHash::Sha1, 20, sha1),
            (OtpHash::Sha256, 32, sha256),
            (OtpHash::Sha512, 64, sha512),
        ] {
            let made = one_time_password(&key(length), hash, secs / 30, 8);
            assert_eq!(*made, expected, "{hash:?} at {secs}");
        }
    }
}
