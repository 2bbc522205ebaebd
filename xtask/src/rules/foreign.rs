//! Which crate may name which kind of foreign library.

use crate::workspace::Workspace;

/// Ciphers, hashes, randomness, comparison in constant time. TLS is another matter: it is configured, not composed.
const CIPHERS: Kind = Kind {
    what: "cryptography",
    rooms: &["crypto"],
    names: &[
        "aws-lc-rs",
        "aws-lc-sys",
        "ring",
        "subtle",
        "sha1",
        "sha2",
        "sha3",
        "md5",
        "md-5",
        "hmac",
        "hkdf",
        "pbkdf2",
        "scrypt",
        "argon2",
        "bcrypt",
        "cipher",
        "digest",
        "ghash",
        "polyval",
        "p256",
        "p384",
        "p521",
        "k256",
        "rsa",
        "dsa",
        "ecdsa",
        "ed25519",
        "orion",
        "dryoc",
        "sodiumoxide",
        "rand",
        "rand_core",
        "rand_chacha",
        "getrandom",
        "fastrand",
    ],
    stems: &[
        "aes",
        "chacha20",
        "blake2",
        "blake3",
        "curve25519-",
        "x25519-",
        "ed25519-",
        "openssl",
    ],
    instead: "add a function to crates/crypto that does it, with its RFC and its test vectors",
};

/// Whatever speaks HTTP.
const HTTP: Kind = Kind {
    what: "HTTP",
    rooms: &["server", "client", "demo-service"],
    names: &[
        "http",
        "http-body",
        "http-body-util",
        "httparse",
        "h2",
        "reqwest",
        "ureq",
        "axum",
        "warp",
        "rocket",
        "tower-http",
        "isahc",
        "surf",
    ],
    stems: &["hyper", "actix"],
    instead: "speak in the types of crates/wire; server and client turn them into HTTP",
};

/// Libraries that must not even be in the lock file: they bring system libraries along.
const NEVER_LOCKED: &[&str] = &["openssl", "openssl-sys", "native-tls"];
/// Libraries that must not be built. The lock file may name them where an optional feature would want them.
const NEVER_BUILT: &[&str] = &["ring"];

struct Kind {
    what: &'static str,
    rooms: &'static [&'static str],
    names: &'static [&'static str],
    stems: &'static [&'static str],
    instead: &'static str,
}

impl Kind {
    fn has(&self, name: &str) -> bool {
        self.names.contains(&name) || self.stems.iter().any(|stem| name.starts_with(stem))
    }
}

pub fn rooms(workspace: &Workspace) -> Vec<String> {
    let mut findings = Vec::new();
    for member in &workspace.crates {
        let Some(room) = member.room() else { continue };
        for kind in [&CIPHERS, &HTTP] {
            for name in member
                .needs()
                .filter(|name| kind.has(name) && !kind.rooms.contains(&room))
            {
                findings.push(format!(
                    "{room} names {name}, but {} belongs to {} alone: {}",
                    kind.what,
                    kind.rooms.join(" and "),
                    kind.instead
                ));
            }
        }
    }
    findings
}

pub fn banned(workspace: &Workspace) -> Vec<String> {
    let locked = NEVER_LOCKED
        .iter()
        .filter(|name| workspace.locked.contains(**name));
    let built = NEVER_BUILT
        .iter()
        .filter(|name| workspace.built.contains(**name));
    let told = |name: &&str| {
        format!(
            "{name} came in: `cargo tree -i {name} --target all -e features` shows by whom; switch that feature off (TLS here is rustls over aws-lc-rs)"
        )
    };
    locked.chain(built).map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::{member, of};

    #[test]
    fn ciphers_belong_to_crypto() {
        assert!(rooms(&of(vec![member("coffer-crypto", &["aws-lc-rs", "subtle"])])).is_empty());
        for name in ["aes-gcm", "sha2", "ring", "chacha20poly1305", "rand"] {
            assert_eq!(
                rooms(&of(vec![member("coffer-kernel", &[name])])).len(),
                1,
                "{name}"
            );
        }
    }

    #[test]
    fn tls_is_no_cipher() {
        let tls = ["rustls", "tokio-rustls", "rustls-platform-verifier"];
        assert!(rooms(&of(vec![member("coffer-secrets", &tls)])).is_empty());
    }

    #[test]
    fn http_belongs_to_the_two_ends() {
        let names = ["hyper", "hyper-util", "http", "reqwest"];
        assert!(
            rooms(&of(vec![
                member("coffer-server", &names),
                member("coffer-client", &names)
            ]))
            .is_empty()
        );
        assert_eq!(
            rooms(&of(vec![member("coffer-kernel", &names)])).len(),
            names.len()
        );
    }

    #[test]
    fn banned_libraries_are_seen() {
        let mut workspace = of(Vec::new());
        workspace.locked = ["openssl-probe", "ring"].map(str::to_owned).into();
        assert!(
            banned(&workspace).is_empty(),
            "a certificate search and a name that is never built are fine"
        );
        workspace.locked.insert("native-tls".to_owned());
        workspace.built.insert("ring".to_owned());
        assert_eq!(banned(&workspace).len(), 2);
    }
}
