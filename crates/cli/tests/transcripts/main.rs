//! Transcripts of the command line: what the real binary prints for fixed answers of a server, and its exit codes.
//!
//! After a wanted change: `INSTA_UPDATE=always cargo nextest run -p coffer-cli`, then read the difference.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod answers;
mod harness;

use harness::{Home, Server};
use insta::assert_snapshot;

#[test]
fn help_of_the_main_commands() {
    let home = Home::new("http://127.0.0.1:1");
    for command in [
        "",
        "read",
        "write",
        "login",
        "status",
        "kv",
        "kv put",
        "kms",
        "kms encrypt",
        "operator init",
        "token create",
        "secrets enable",
        "policy",
        "policy explain",
        "envelope",
        "envelope encrypt",
        "transit",
        "transit keys",
        "transit keys create",
        "transit encrypt",
        "namespace",
        "namespace create",
        "events subscribe",
        "plugin",
        "operator",
        "operator diagnose",
        "server",
    ] {
        let name = format!(
            "help_{}",
            if command.is_empty() {
                "coffer"
            } else {
                command
            }
            .replace(' ', "_")
        );
        assert_snapshot!(name, home.run(&format!("{command} -h")));
    }
    assert_snapshot!("help_long_of_read", home.run("read --help"));
}

#[test]
fn key_value_store() {
    let server = Server::start(answers::KEY_VALUE);
    let home = Home::new(&server.address);
    assert_snapshot!(home.run_all(&[
        "kv get secret/app",
        "kv get -format=json -mount=secret app",
        "kv get -format=yaml secret/app",
        "kv get -field=password secret/app",
        "kv get -field=nope secret/app",
        "kv get -format=raw secret/app",
        "kv get secret/deleted",
        "kv get secret/none",
        "kv get old/app",
        "kv metadata get secret/app",
        "kv metadata get old/app",
        "kv put secret/app a=1",
        "kv put old/app a=1",
        "kv put -cas=7 secret/stale a=1",
        "kv list secret",
        "kv list -format=yaml secret/",
        "kv delete secret/app",
        "kv destroy -versions=1,2 secret/app",
        "kv rollback -version=1 secret/app",
        "kv patch -method=rw secret/app a=2",
    ]));
    let writes: Vec<String> = server.writes();
    assert_snapshot!("key_value_store_requests", writes.join("\n"));
}

#[test]
fn master_keys() {
    let server = Server::start(answers::MASTER_KEYS);
    let home = Home::new(&server.address);
    for (name, content) in [("plain", "hello"), ("blob", "AQID\n")] {
        std::fs::write(home.path().join(name), content).unwrap();
    }
    std::fs::write(home.path().join("large"), vec![0; 70_000]).unwrap();
    assert_snapshot!(home.run_all(&[
        "kms create -alias=alias/team/app -description=note -tag=team=a",
        "kms create -spec=HMAC_256 -usage=GENERATE_VERIFY_MAC -field=key_id",
        "kms create -alias=app",
        "kms create -alias=alias/taken",
        "kms list",
        "kms list -format=json",
        "kms describe -key=alias/team/app",
        "kms describe -key=alias/team/app -field=key_state",
        "kms describe -key=none",
        "kms alias create -key=1 alias/team/app",
        "kms alias update -key=2 alias/team/app",
        "kms alias list",
        "kms alias delete alias/team/app",
        "kms disable -key=alias/team/app",
        "kms schedule-deletion -key=alias/team/app -days=7",
        "kms rotate -key=alias/team/app",
        "kms rotate -key=alias/team/app -every=90",
        "kms rotate -key=alias/team/app -never",
        "kms rotations -key=alias/team/app",
        "kms tag -key=alias/team/app team=a -remove=y",
        "kms encrypt -key=alias/team/app -context=a=b plain",
        "kms encrypt -key=alias/team/app -format=json plain",
        "kms encrypt -key=alias/team/app large",
        "kms encrypt -key=alias/team/app none",
        "kms decrypt -key=alias/team/app blob",
        "kms decrypt -key=alias/off blob",
        "kms re-encrypt -from=alias/team/app -to=2 -to-context=a=b blob",
        "kms data-key -key=alias/team/app",
        "kms data-key -key=alias/team/app -bytes=16 -field=ciphertext_blob",
        "kms sign -key=alias/team/app -algorithm=ECDSA_SHA_256 plain",
        "kms verify -key=alias/team/app -algorithm=ECDSA_SHA_256 -signature=blob plain",
        "kms mac -key=alias/team/app -algorithm=HMAC_SHA_256 plain",
        "kms mac -key=alias/team/app -algorithm=HMAC_SHA_256 -verify=blob plain",
        "kms public-key -key=alias/team/app",
    ]));
    assert_snapshot!("master_keys_requests", server.writes().join("\n"));
}

#[test]
fn master_keys_and_files() {
    let server = Server::start(answers::MASTER_KEYS_AND_FILES);
    let home = Home::new(&server.address);
    for (name, content) in [("plain", "hello"), ("blob", "AQID\n"), ("empty", "")] {
        std::fs::write(home.path().join(name), content).unwrap();
    }
    assert_snapshot!(home.run_all(&[
        "kms update -key=alias/app -description=note",
        "kms rotation -key=alias/app",
        "kms rotation -key=alias/app -field=rotation_period_in_days",
        "kms encrypt -key=alias/app -output=sealed @plain",
        "kms encrypt -key=alias/app -output=sealed @plain",
        "kms encrypt -key=alias/app -context=a=1 -context=a=2 plain",
        "kms decrypt -key=alias/app sealed",
        "kms decrypt -key=alias/app -output=opened @blob",
        "kms decrypt -key=alias/app -format=json blob",
        "kms decrypt -key=alias/app empty",
        "kms decrypt -key=alias/off blob",
        "kms decrypt -key=alias/leaving blob",
        "kms decrypt -key=none blob",
        "kms enable -key=alias/app",
        "kms data-key -key=alias/app -output=data.key",
        "kms data-key -key=alias/app -without-plaintext -output=other.key",
        "kms data-key-pair -key=alias/app -spec=ECC_NIST_P256 -output=private.pem",
        "kms data-key-pair -key=alias/app -spec=ECC_NIST_P256 -output=-",
        "kms verify -key=alias/app -algorithm=ECDSA_SHA_256 -signature=blob plain",
        "kms mac -key=alias/app -algorithm=HMAC_SHA_256 -verify=blob plain",
        "kms random",
        "kms random -field=plaintext 5",
        "kms import-parameters -key=alias/app -wrapping-key-spec=RSA_2048",
        "kms import -key=alias/app -wrapped plain",
        "kms import -key=alias/app -new -wrapped -import-token=blob plain",
        "kms delete-material -key=alias/app -material=aa",
    ]));
    assert_snapshot!("master_keys_and_files_requests", server.writes().join("\n"));
    assert_eq!(
        std::fs::read(home.path().join("sealed")).unwrap(),
        [1, 2, 3]
    );
    assert_eq!(std::fs::read(home.path().join("opened")).unwrap(), b"hello");
}

#[test]
fn sealed_unsealed_and_out_of_reach() {
    let sealed = Server::start(answers::SEALED);
    let unsealed = Server::start(answers::UNSEALED);
    assert_snapshot!(
        "status_sealed",
        Home::new(&sealed.address).run_all(&["status", "read secret/x", "operator unseal a2V5"])
    );
    let home = Home::new(&unsealed.address);
    assert_snapshot!(
        "status_unsealed",
        home.run_all(&["status", "status -format=json", "operator init -status"])
    );
    assert_snapshot!(
        "status_out_of_reach",
        Home::new("http://127.0.0.1:1")
            .run_all(&["status -address=http://127.0.0.1:1", "status -format=xml"])
    );
}

#[test]
fn leases_tokens_and_wrapping() {
    let server = Server::start(answers::ISSUED);
    let home = Home::new(&server.address);
    assert_snapshot!(home.run_all(&[
        "read database/creds/app",
        "read -field=password database/creds/app",
        "read -format=raw database/creds/app",
        "token create -policy=app -ttl=1h -metadata=team=a",
        "token create -field=token",
        "token lookup",
        "write sys/wrapping/wrap a=b",
        "list auth/userpass/users",
        "list -format=json auth/userpass/users",
        "secrets list",
        "audit list",
        "delete nomount/x",
        "write nomount/x",
        "write secret/x junk",
    ]));
    assert_snapshot!(
        "leases_tokens_and_wrapping_requests",
        server.writes().join("\n")
    );
}

#[test]
fn what_would_be_sent_is_shown_and_not_sent() {
    let server = Server::start(answers::ISSUED);
    let home = Home::new(&server.address);
    assert_snapshot!(home.run_all(&[
        "read -output-curl-string database/creds/app",
        "list -output-curl-string -namespace=team auth/userpass/users",
        "write -output-curl-string secret/x a=b",
        "token create -output-curl-string -wrap-ttl=5m -policy=app",
        "login -output-curl-string -method=userpass username=ann password=secret",
        "read -output-policy database/creds/app",
        "list -output-policy auth/userpass/users",
        "write -output-policy sys/auth/x/tune a=b",
        "delete -output-policy secret/x",
        "read -output-policy -output-curl-string secret/x",
    ]));
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[test]
fn snapshots_are_inspected_without_a_server() {
    let home = Home::new("http://127.0.0.1:1");
    let whole = fixture();
    std::fs::write(home.path().join("whole.snap"), &whole).unwrap();
    std::fs::write(home.path().join("short.snap"), &whole[..whole.len() / 2]).unwrap();
    assert_snapshot!(home.run_all(&[
        "operator snapshot inspect whole.snap",
        "operator snapshot inspect -depth=2 -format=json whole.snap",
        "operator raft snapshot inspect -format=yaml whole.snap",
        "operator snapshot inspect short.snap",
        "operator snapshot inspect none.snap",
        "operator snapshot restore short.snap",
        "operator snapshot restore -h",
    ]));
}

/// A snapshot of four entries.
fn fixture() -> Vec<u8> {
    let entries = ["core/keyring", "core/mount/1", "logical/1/v2/data/a", "top"];
    let mut tally = coffer_snapshot::Tally::default();
    for path in entries {
        tally.add(path, path.as_bytes());
    }
    let meta = coffer_snapshot::Meta {
        created: "2026-01-02T03:04:05Z".into(),
        cluster_id: "i".into(),
        cluster_name: "c".into(),
        version: "1".into(),
        ..coffer_snapshot::Meta::default()
    };
    let mut writer = coffer_snapshot::Writer::begin(Vec::new(), meta, tally, 0).unwrap();
    for path in entries {
        writer.entry(path, path.as_bytes()).unwrap();
    }
    let sums = writer.sums().unwrap();
    writer.finish(&sums).unwrap()
}

#[test]
fn login_keeps_the_token_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start(answers::ISSUED);
    let home = Home::without_token(&server.address);
    assert_snapshot!(home.run_all(&[
        "login -method=userpass username=joe password=pw",
        "print token",
        "login -token-only -method=userpass username=joe password=pw",
        "login -method=userpass username=joe",
        "login -format=json hvs.given",
    ]));
    let file = home.path().join(".vault-token");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "hvs.given");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn events() {
    let server = Server::start(answers::EVENTS);
    let home = Home::new(&server.address);
    assert_snapshot!(home.run_all(&[
        "events subscribe kv*",
        "events subscribe -timestamps -format=json -filter=operation==data-write -since=i0 kv*",
        "events subscribe -since=i7 kv*",
        "events subscribe -namespaces=a,b* -namespaces=c no-rights",
        "events subscribe -format=yaml",
        "events subscribe -timeout=soon",
        "events subscribe -output-curl-string -filter=path==x kv*",
        "events subscribe -output-policy kv*",
    ]));
}

#[test]
fn namespaces() {
    let server = Server::start(answers::NAMESPACES);
    let home = Home::new(&server.address);
    std::fs::write(home.path().join("seal.hcl"), "seal \"shamir\" {}\n").unwrap();
    assert_snapshot!(home.run_all(&[
        "namespace create -custom-metadata=owner=ann team/",
        "namespace create -key-shares=2 -key-threshold=2 vault",
        "namespace create -format=json -n=2 -t=2 vault",
        "namespace create -seal=seal.hcl unsealable",
        "namespace create -seal=none.hcl team",
        "namespace list",
        "namespace list -detailed",
        "namespace list -format=json -detailed",
        "namespace scan",
        "namespace lookup team",
        "namespace lookup -field=id team",
        "namespace lookup none",
        "namespace patch -custom-metadata=owner=bob -remove-custom-metadata=x team",
        "namespace patch team",
        "namespace lock team/app",
        "namespace lock -format=json team/app",
        "namespace unlock -namespace=team -unlock-key=6rcuSABa",
        "namespace seal vault",
        "namespace seal-status vault",
        "namespace seal-status -field=progress vault",
        "namespace unseal vault aa01",
        "namespace unseal vault",
        "namespace unseal -reset vault",
        "namespace delete team",
        "namespace delete-sealed -force vault",
    ]));
    assert_snapshot!("namespaces_requests", server.writes().join("\n"));
}

#[test]
fn what_a_server_tells_of_itself() {
    let server = Server::start(answers::SYSTEM);
    let home = Home::new(&server.address);
    assert_snapshot!(home.run_all(&[
        "version-history",
        "plugin list",
        "plugin list -detailed auth",
        "plugin list -format=json secret",
        "plugin info secret kv",
        "plugin info secret nope",
        "plugin register auth mine",
        "plugin register -sha256=d3f0 auth mine",
        "plugin deregister auth mine",
        "plugin reload",
        "plugin reload -plugin=kv",
        "plugin reload -mounts=secret/,kv/ -scope=global",
        "plugin reload-status 7e0a",
        "scan -after=a -limit=2 secret/metadata",
        "scan none",
        "lease owners",
        "lease owners -by=namespace -limit=2",
        "lease owners -format=json -by=namespace -limit=2",
        "policy explain secret/data/app update",
        "policy explain hvs.app -format=json -data=a=b secret/data/app update",
        "policy explain -accessor=2bXYZ /v1/secret/data/app update",
        "policy explain hvs.app -entity=e secret/data/app update",
        "operator rotate-keys -backup-retrieve",
        "operator raft list-peers",
        "operator raft remove-peer node1",
        "operator raft autopilot set-config -min-quorum=3",
    ]));
    assert_snapshot!(
        "what_a_server_tells_of_itself_requests",
        server.writes().join("\n")
    );
}

#[test]
fn logins_that_need_more() {
    let server = Server::start(answers::LOGINS);
    let home = Home::without_token(&server.address);
    assert_snapshot!(home.run_all(&[
        "login -method=userpass username=joe password=pw",
        "login -format=json -method=userpass username=joe password=pw",
        "login -method=userpass username= password=pw",
        "login -method=approle -wrap-ttl=1m role_id=r secret_id=s",
        "login -method=approle -wrap-ttl=1m -token-only role_id=r",
        "login -method=approle -wrap-ttl=1m -no-store role_id=r",
        "login -method=approle",
    ]));
    assert_snapshot!("logins_that_need_more_requests", server.writes().join("\n"));
}

#[test]
fn transit() {
    let server = Server::start(answers::TRANSIT);
    let home = Home::new(&server.address);
    for (name, text) in [
        ("card", "4111 1111"),
        ("lines", "one\ntwo\n"),
        (
            "signed",
            "{\"text\": \"a\", \"signature\": \"vault:v1:c2ln\"}\n",
        ),
    ] {
        std::fs::write(home.path().join(name), text).unwrap();
    }
    assert_snapshot!(home.run_all(&[
        "transit keys create -type=aes256-gcm96 -auto-rotate-period=30d orders",
        "transit keys create -type=aes orders",
        "transit keys create -convergent orders",
        "transit keys read orders",
        "transit keys read -field=latest_version orders",
        "transit keys read none",
        "transit keys list",
        "transit keys rotate -format=json orders",
        "transit keys config orders",
        "transit keys config -deletion-allowed=false -min-decryption-version=2 orders",
        "transit keys delete orders",
        "transit encrypt -associated-data=order=17 orders @card",
        "transit encrypt -format=json -context=a transit/keys/orders text",
        "transit encrypt -field=key_version orders text",
        "transit encrypt orders",
        "transit encrypt -mount=transit a/b text",
        "transit encrypt orders @none",
        "transit encrypt -batch=@lines many",
        "transit encrypt -json-lines -batch=@signed orders",
        "transit encrypt -format=json -batch=@lines many",
        "transit decrypt orders vault:v1:abc",
        "transit decrypt -format=json orders vault:v1:abc",
        "transit decrypt -output=plain orders vault:v1:abc",
        "transit decrypt -output=plain orders vault:v1:abc",
        "transit decrypt spoilt vault:v1:abc",
        "transit datakey orders",
        "transit datakey -output=key orders",
        "transit sign release @card",
        "transit verify -signature=vault:v1:c2ln release @card",
        "transit verify -signature=vault:v1:c2ln -format=json release @card",
        "transit verify -json-lines -batch=@signed release",
        "transit verify -batch=@signed release",
        "transit verify release @card",
        "transit export -type=public-key release",
        "transit export -type=public-key -output=pem release",
        "transit export release",
        "transit random -encoding=hex 4",
        "transit restore eyJwb2xpY3kiOiJzZWNyZXQifQ==",
        "transit hash -output-curl-string abc",
    ]));
    assert_snapshot!("transit_requests", server.writes().join("\n"));
}

#[test]
fn configurations_are_checked_without_a_server() {
    let home = Home::new("http://127.0.0.1:1");
    let data = home.path().join("data");
    let common = format!("storage \"file\" {{\n  path = \"{}\"\n}}\n", data.display());
    let listener = "listener \"tcp\" {\n  address = \"127.0.0.1:0\"\n  tls_disable = true\n}\n";
    for (name, text) in [
        ("good.hcl", format!("{common}{listener}")),
        (
            "doubtful.hcl",
            format!("disable_mlock = true\n{common}{listener}"),
        ),
        (
            "wrong.hcl",
            format!("{common}{listener}max_lease_tll = \"1h\"\n"),
        ),
    ] {
        std::fs::write(home.path().join(name), text).unwrap();
    }
    let told = home.run_all(&[
        "operator validate-config good.hcl",
        "operator validate-config -config=doubtful.hcl",
        "operator validate-config -format=json wrong.hcl",
        "operator validate-config none.hcl",
        "operator validate-config",
        "operator diagnose -config=good.hcl",
        "operator diagnose -config=good.hcl -skip=listener,storage",
        "operator diagnose -config=doubtful.hcl",
        "operator diagnose -config=wrong.hcl",
        "operator diagnose",
    ]);
    assert!(!data.exists(), "looking makes nothing");
    let mut lines = told
        .lines()
        .map(|line| match line.contains("The limit is") {
            true => "    The limit is so.".to_owned(),
            false => line.replace(&home.path().display().to_string(), "HOME"),
        });
    let told: String = lines.by_ref().map(|line| line + "\n").collect();
    assert_snapshot!(told);
}

#[test]
fn every_command_has_examples() {
    let home = Home::new("http://127.0.0.1:1");
    let mut groups = vec![String::new()];
    let mut leaves = 0;
    while let Some(group) = groups.pop() {
        let help = home.run(&format!("{group} -h"));
        let Some((_, list)) = help.split_once("\nCommands:\n") else {
            leaves += 1;
            let exempt = matches!(group.trim(), "version");
            assert!(
                exempt || help.contains("Examples:"),
                "{group} has no examples"
            );
            continue;
        };
        let names = list
            .lines()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_whitespace().next());
        groups.extend(names.map(|name| format!("{group} {name}").trim().to_owned()));
    }
    assert!(leaves > 50, "{leaves}");
}

#[test]
fn called_as_vault_it_says_so() {
    let home = Home::new("http://127.0.0.1:1");
    assert!(
        home.run_as("vault", "-version")
            .contains("Vault v1.21.0+coffer.")
    );
    assert!(
        home.run_as("bao", "version")
            .contains("Vault v1.21.0+coffer.")
    );
    assert!(home.run("version").contains("Coffer v"));
    assert!(
        home.run_as("vault", "read -h")
            .contains("Usage: vault read")
    );
    assert!(home.run("completion bash").contains("complete -F"));
    assert!(
        home.run("-autocomplete-install")
            .contains("completion bash")
    );
}
