/// What an operation takes and gives, item by item.
#[derive(Debug)]
pub(in super::super) struct Kind {
    /// The API's name of the input.
    pub(in super::super) input: &'static str,
    /// Whether the input is bytes, which travel in base64, and not text of the server's.
    pub(in super::super) takes_bytes: bool,
    /// What else an item has to hold: what is checked.
    pub(in super::super) proof: Option<&'static str>,
    /// The API's name of the result.
    pub(in super::super) result: &'static str,
    /// Whether the result is bytes.
    pub(in super::super) gives_bytes: bool,
    /// Whether JSON lines have what was given beside the result, so that they can be checked as they are.
    pub(in super::super) echoes: bool,
}

impl Kind {
    pub(in super::super) const ENCRYPT: Self = Self {
        input: "plaintext",
        takes_bytes: true,
        proof: None,
        result: "ciphertext",
        gives_bytes: false,
        echoes: false,
    };
    pub(in super::super) const DECRYPT: Self = Self {
        input: "ciphertext",
        takes_bytes: false,
        proof: None,
        result: "plaintext",
        gives_bytes: true,
        echoes: false,
    };
    pub(in super::super) const REWRAP: Self = Self {
        result: "ciphertext",
        gives_bytes: false,
        ..Self::DECRYPT
    };
    pub(in super::super) const SIGN: Self = Self {
        input: "input",
        result: "signature",
        echoes: true,
        ..Self::ENCRYPT
    };
    pub(in super::super) const HMAC: Self = Self {
        result: "hmac",
        ..Self::SIGN
    };
    pub(in super::super) const VERIFY: Self = Self {
        proof: Some("signature"),
        result: "valid",
        ..Self::SIGN
    };
    pub(in super::super) const VERIFY_HMAC: Self = Self {
        proof: Some("hmac"),
        ..Self::VERIFY
    };
}
