//! The LDAP method by path, before a directory that does what a test wants. A real one is asked in `tests/test_auth_ldap.py`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod attacks;
mod configuration;
mod directory;
mod logins;

use coffer_auth::ldap::Ldap;
use coffer_engine::testing::Bench;
use coffer_engine::{Fault, Login};
use directory::{Answer, Directory, Question, bound, entry, found};
use serde_json::{Value, json};

const PEOPLE: &str = "ou=people,dc=x";
const GROUPS: &str = "ou=groups,dc=x";
const ANN: &str = "uid=ann,ou=people,dc=x";

/// What a directory answers that has ann, her password and her groups, and an account `cn=service`.
fn usual(question: &Question) -> Answer {
    match question {
        Question::Bind { name, password } => match (name.as_str(), password.as_str()) {
            ("", "") | ("cn=service", "service-word") | (ANN, "ann-word") => bound(0),
            _ => bound(49),
        },
        Question::Search { base, filter, .. } if base == PEOPLE => match contains(filter, b"ann") {
            true => found(vec![entry(ANN, &[("uid", &[b"Ann"])])]),
            false => found(vec![]),
        },
        Question::Search { base, .. } if base == GROUPS => found(vec![
            entry("cn=Engineers,ou=groups,dc=x", &[("cn", &[b"Engineers"])]),
            entry("cn=everybody,ou=groups,dc=x", &[]),
        ]),
        Question::Search { base, .. } if base == ANN => {
            found(vec![entry(ANN, &[("uid", &[b"ann"])])])
        }
        _ => found(vec![]),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A mount before this directory.
async fn mounted(directory: &Directory) -> Bench<Ldap> {
    let bench = Bench::<Ldap>::new().await;
    let wish = json!({
        "url": directory.url, "userdn": PEOPLE, "userattr": "uid", "groupdn": GROUPS,
        "binddn": "cn=service", "bindpass": "service-word", "request_timeout": 2, "connection_timeout": 2,
    });
    configure(&bench, wish).await;
    bench
}

async fn configure(bench: &Bench<Ldap>, wish: Value) {
    bench.write("config", wish).await.unwrap();
}

async fn login(bench: &Bench<Ldap>, name: &str, password: &str) -> Result<Box<Login>, Fault> {
    let asked = json!({ "password": password });
    let answered = bench.write(&format!("login/{name}"), asked).await?;
    Ok(answered.reply.login.unwrap())
}
