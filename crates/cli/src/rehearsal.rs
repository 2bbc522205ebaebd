//! What a command would do, in place of doing it: as a `curl` command, or as the rule of a policy that lets it pass.

use std::fmt::Write as _;

use coffer_client::{Method, Rehearsed};

/// Paths that need `sudo` besides, as their documents say; the last `*` stands for the rest, others for one segment.
const SUDO: [&str; 47] = [
    "auth/token/accessors",
    "auth/token/revoke-orphan",
    "sys/audit",
    "sys/audit-chain-key/*",
    "sys/audit-chain/*",
    "sys/audit-tail/*",
    "sys/audit/*",
    "sys/auth/*",
    "sys/break-glass",
    "sys/break-glass/init",
    "sys/break-glass/update",
    "sys/break-glass/verify",
    "sys/config/auditing/request-headers",
    "sys/config/auditing/request-headers/*",
    "sys/config/cors",
    "sys/config/ui/headers",
    "sys/config/ui/headers/*",
    "sys/internal/counters/activity/export",
    "sys/internal/inspect/request",
    "sys/internal/inspect/router/*",
    "sys/leases",
    "sys/leases/lookup/*",
    "sys/leases/owners",
    "sys/leases/revoke-force/*",
    "sys/leases/revoke-prefix/*",
    "sys/namespaces/*/delete-sealed",
    "sys/plugins/catalog/*",
    "sys/plugins/catalog/*/*",
    "sys/plugins/pins/*/*",
    "sys/plugins/runtimes/catalog",
    "sys/raw",
    "sys/raw/*",
    "sys/remount",
    "sys/revoke-force/*",
    "sys/revoke-prefix/*",
    "sys/rotate",
    "sys/rotate/keyring",
    "sys/rotate/root",
    "sys/seal",
    "sys/seals",
    "sys/seals/*",
    "sys/seals/*/verify",
    "sys/sealwrap/rewrap",
    "sys/step-down",
    "sys/storage/raft/snapshot-force",
    "sys/storage/snapshot-force",
    "sys/auth/*/tune",
];

/// Paths that need it for lists alone.
const SUDO_LISTS: [&str; 1] = ["auth/token/access-keys"];

/// The `curl` command that sends it. The token is not in it, but what prints that; everything else is.
pub(crate) fn curl(request: &Rehearsed) -> String {
    let mut text = "curl".to_owned();
    if request.method != Method::Get {
        let _ = write!(text, " -X {}", request.method);
    }
    for (name, value) in &request.headers {
        let field = format!("{name}: {value}");
        let _ = write!(text, " -H {}", quoted(&field));
    }
    if request.has_token {
        text.push_str(" -H \"X-Vault-Token: $(coffer print token)\"");
    }
    if let Some(body) = &request.body {
        let body = String::from_utf8_lossy(body);
        let _ = write!(text, " -d {}", quoted(&body));
    }
    let _ = write!(text, " {}", quoted(&request.url));
    text
}

/// The rule that lets it pass.
pub(crate) fn policy(request: &Rehearsed) -> String {
    let mut capabilities = match request.method {
        Method::Get | Method::Head if request.lists => vec!["list"],
        Method::Get | Method::Head => vec!["read"],
        Method::Put | Method::Post => vec!["create", "update"],
        Method::Patch => vec!["patch"],
        Method::Delete => vec!["delete"],
    };
    let named = |patterns: &[&str]| patterns.iter().any(|pattern| fits(pattern, &request.path));
    if named(&SUDO) || (request.lists && named(&SUDO_LISTS)) {
        capabilities.push("sudo");
    }
    let quoted: Vec<String> = capabilities
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect();
    let path = request.path.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "path \"{path}\" {{\n  capabilities = [{}]\n}}",
        quoted.join(", ")
    )
}

/// One word of a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut segments) = (pattern.split('/').peekable(), path.split('/'));
    while let Some(want) = wanted.next() {
        let Some(segment) = segments.next() else {
            return false;
        };
        match want == "*" {
            true if wanted.peek().is_none() => return !segment.is_empty(),
            true => {}
            false if want == segment => {}
            false => return false,
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, path: &str) -> Rehearsed {
        Rehearsed {
            method,
            url: format!("http://h/v1/{path}"),
            path: path.to_owned(),
            headers: vec![("x-vault-request".into(), "true".into())],
            has_token: true,
            lists: false,
            body: None,
        }
    }

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        let wish = Rehearsed {
            body: Some(r#"{"a":"it's $HOME `id` \\ \"x\""}"#.into()),
            ..request(Method::Put, "secret/a'b")
        };
        // The token's own program is not here; all else is taken as it stands.
        let script = curl(&wish)
            .replacen("curl", "printf '%s\\n'", 1)
            .replace("$(coffer print token)", "T");
        let said = std::process::Command::new("sh")
            .arg("-c")
            .arg(&script)
            .output()
            .unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[..4], ["-X", "PUT", "-H", "x-vault-request: true"]);
        assert_eq!(lines[4..6], ["-H", "X-Vault-Token: T"]);
        assert_eq!(
            lines[6..],
            [
                "-d",
                r#"{"a":"it's $HOME `id` \\ \"x\""}"#,
                "http://h/v1/secret/a'b"
            ]
        );
    }

    #[test]
    fn a_rule_has_the_capabilities_of_the_method() {
        let rule = |method, path| policy(&request(method, path));
        assert_eq!(
            rule(Method::Get, "secret/a"),
            "path \"secret/a\" {\n  capabilities = [\"read\"]\n}"
        );
        assert!(rule(Method::Put, "secret/a").contains(r#"["create", "update"]"#));
        assert!(rule(Method::Put, "sys/auth/x/tune").contains(r#"["create", "update", "sudo"]"#));
        assert!(rule(Method::Get, "sys/raw/a/b").contains(r#"["read", "sudo"]"#));
        assert!(!rule(Method::Get, "sys/mounts/x").contains("sudo"));
        assert!(!rule(Method::Get, "sys/auth").contains("sudo"));
        let lists = Rehearsed {
            lists: true,
            ..request(Method::Get, "secret/")
        };
        assert!(policy(&lists).contains(r#"["list"]"#));
    }

    #[test]
    fn paths_that_need_sudo_are_those_of_the_documents() {
        let document = include_str!("../../server/tests/enumeration/openapi.json");
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        let paths = document["paths"].as_object().unwrap().iter();
        let mut wrong = Vec::new();
        for (path, item) in paths {
            let shown: Vec<&str> = path.trim_start_matches('/').split('/').collect();
            let shown = shown.iter().map(|part| match part.starts_with('{') {
                true => "*",
                false => part,
            });
            let shown = shown.collect::<Vec<_>>().join("/");
            let needs = item["x-vault-sudo"] == true;
            let mut known = SUDO.iter().chain(&SUDO_LISTS);
            if needs && !known.any(|pattern| fits(pattern, &shown)) {
                wrong.push(shown);
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
    }
}
