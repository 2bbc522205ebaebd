//! Several requests under one name, with the rights of who runs them.

mod harness;

use std::sync::Arc;

use coffer_engine::{Class, Kind};
use coffer_kernel::Settings;
use coffer_storage::Memory;
use coffer_wire::Verb;
use harness::shelves::{Cubbyhole, Shelf};
use harness::{Answer, Harness};
use serde_json::{Value, json};

const KEEP_AND_SHOW: &str = r#"
input {
  field "string" "name" { required = true }
  field "int" "count" { default = 5 }
}
flow "f" {
  request "keep" {
    operation = "update"
    path = { eval_source = "template" eval_type = "string" template = "kv/{{ .input.name }}" }
    data = { is = { eval_source = "input" eval_type = "int" field_name = "count" } }
  }
  request "show" {
    operation = "read"
    path = { eval_source = "request" eval_type = "string" flow_name = "f" request_name = "keep" field_selector = "path" }
  }
}
output {
  data = {
    there = { eval_source = "response" eval_type = "string" flow_name = "f" response_name = "show" field_selector = ["data", "is"] }
    fixed = ["a", 2]
  }
}
"#;

fn settings() -> Settings {
    Settings::new(vec![
        Kind::new::<Shelf>(Class::Secret),
        Kind::new::<Cubbyhole>(Class::Secret),
    ])
}

async fn server() -> Harness {
    with(settings()).await
}

async fn with(settings: Settings) -> Harness {
    let h = Harness::with(settings, Arc::new(Memory::new())).await;
    let wish = json!({ "type": "kv" });
    assert_eq!(h.write("sys/mounts/kv", &h.root, wish).await.status, 204);
    h
}

async fn define(h: &Harness, name: &str, text: &str) -> Answer {
    let path = format!("sys/workflows/manage/{name}");
    h.write(&path, &h.root, json!({ "workflow": text })).await
}

async fn execute(h: &Harness, name: &str, token: &str, given: Value) -> Answer {
    let path = format!("sys/workflows/execute/{name}");
    h.write(&path, token, given).await
}

async fn token(h: &Harness, policy: &str) -> String {
    h.policy("p", policy).await;
    h.create(&h.root, json!({ "policies": ["p"] }))
        .await
        .token()
}

#[tokio::test(start_paused = true)]
async fn requests_run_in_order_and_refer_to_each_other() {
    let h = server().await;
    let written = define(&h, "team/one", KEEP_AND_SHOW).await;
    assert_eq!(written.data()["version"], 1, "{written:?}");
    let done = execute(&h, "team/one", &h.root, json!({ "name": "a", "other": 1 })).await;
    assert_eq!(
        done.data(),
        &json!({ "there": "5", "fixed": ["a", 2] }),
        "{done:?}"
    );
    assert_eq!(h.read("kv/a", &h.root).await.data()["is"], 5);
    let missing = execute(&h, "team/one", &h.root, json!({})).await;
    assert_eq!(
        (missing.status, missing.error().contains("\"name\"")),
        (400, true)
    );
    let trace = h
        .write(
            "sys/workflows/trace/team/one",
            &h.root,
            json!({ "name": "b", "count": "7" }),
        )
        .await;
    let history = &trace.data()["history"];
    assert_eq!(history["requests"]["f"]["keep"]["map"], json!({ "is": 7 }));
    assert_eq!(history["responses"]["f"]["show"]["data"]["is"], 7);
    assert!(
        !trace.json.to_string().contains(&h.root),
        "a trace holds no token"
    );
    assert_eq!(execute(&h, "nowhere", &h.root, json!({})).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn every_request_is_decided_by_the_rights_of_who_runs_it() {
    let h = server().await;
    define(&h, "one", KEEP_AND_SHOW).await;
    let poor = token(&h, r#"path "sys/workflows/execute/one" { capabilities = ["update"] } path "kv/mine" { capabilities = ["update"] }"#).await;
    let refused = execute(&h, "one", &poor, json!({ "name": "theirs" })).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(
        refused
            .error()
            .contains(r#"flow "f", request "keep" (line 7)"#),
        "{refused:?}"
    );
    assert_eq!(h.read("kv/theirs", &h.root).await.status, 404);
    let half = execute(&h, "one", &poor, json!({ "name": "mine" })).await;
    assert_eq!(half.status, 403, "reading is another right: {half:?}");
    assert_eq!(
        h.read("kv/mine", &h.root).await.status,
        200,
        "what was allowed stays done"
    );
    assert_eq!(
        execute(&h, "one", "", json!({ "name": "mine" }))
            .await
            .status,
        403
    );
    assert_eq!(
        h.write("sys/workflows/trace/one", &poor, json!({}))
            .await
            .status,
        403
    );
    let managed = h
        .write(
            "sys/workflows/manage/one",
            &poor,
            json!({ "workflow": KEEP_AND_SHOW }),
        )
        .await;
    assert_eq!(managed.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_request_may_have_the_token_that_another_one_got() {
    let h = server().await;
    h.policy("p", r#"path "kv/x" { capabilities = ["update"] }"#)
        .await;
    let text = r#"
flow "f" {
  request "token" { operation = "update" path = "auth/token/create" data = { policies = ["p"] } }
  request "keep" {
    operation = "update"
    path = "kv/x"
    data = { is = 1 }
    token = { eval_source = "response" eval_type = "string" flow_name = "f" response_name = "token" field_selector = ["auth", "client_token"] }
  }
  request "more" { operation = "update" path = "kv/y" data = { is = 1 } token = "nosuch" allow_failure = true }
  request "none" { operation = "read" path = "kv/none" when = false }
  request "nothing" { operation = "read" path = "kv/nothing" }
}
"#;
    define(&h, "t", text).await;
    let done = execute(&h, "t", &h.root, json!({})).await;
    assert_eq!(done.status, 204, "{done:?}"); // The edge answers 200 with `data: null`.
    assert_eq!(h.read("kv/x", &h.root).await.status, 200);
    assert_eq!(h.read("kv/y", &h.root).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn nesting_ends_and_so_does_the_number_of_requests() {
    let h = server().await;
    define(
        &h,
        "own",
        r#"flow "f" { request "g" { operation = "update" path = "sys/workflows/execute/own" } }"#,
    )
    .await;
    let endless = execute(&h, "own", &h.root, json!({})).await;
    assert_eq!(endless.status, 400, "{endless:?}");
    assert!(
        endless.error().contains("too much recursion"),
        "{endless:?}"
    );
    let many: String = (0..200)
        .map(|at| format!("request \"r{at}\" {{ operation = \"read\" path = \"kv/x\" }}\n"))
        .collect();
    define(&h, "many", &format!("flow \"f\" {{ {many} }}")).await;
    assert_eq!(execute(&h, "many", &h.root, json!({})).await.status, 204);
    let thrice: String = (0..3)
        .map(|at| format!("request \"r{at}\" {{ operation = \"update\" path = \"sys/workflows/execute/many\" }}\n"))
        .collect();
    define(&h, "thrice", &format!("flow \"f\" {{ {thrice} }}")).await;
    let too_many = execute(&h, "thrice", &h.root, json!({})).await;
    assert_eq!(
        (too_many.status, too_many.error().contains("512")),
        (400, true),
        "{too_many:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_can_not_run_is_not_written() {
    let h = server().await;
    for (text, what) in [
        ("", "no `flow`"),
        ("x", "line 1"),
        (r#"flow "a b" { }"#, "the name"),
        (r#"flow "a" { } flow "a" { }"#, "twice"),
        (
            r#"flow "a" { request "b" { operation = "brew" path = "x" } }"#,
            "\"brew\"",
        ),
        (
            r#"flow "a" { request "b" { operation = "read" } }"#,
            "without `path`",
        ),
        (
            r#"flow "a" { request "b" { operation = "read" path = "x" bogus = 1 } }"#,
            "\"bogus\"",
        ),
        (
            r#"flow "a" { request "b" { operation = "read" path = { eval_source = "env" eval_type = "string" env_var = "HOME" } } }"#,
            "eval_source \"env\"",
        ),
        (
            r#"flow "a" { request "b" { operation = "read" path = { eval_source = "file" eval_type = "string" path = "/etc/passwd" } } }"#,
            "eval_source \"file\"",
        ),
        (
            r#"flow "a" { request "b" { operation = "read" path = { eval_source = "response" eval_type = "string" flow_name = "a" response_name = "b" } } }"#,
            "not made before",
        ),
        (
            r#"flow "a" { request "b" { operation = "read" path = { eval_source = "input" eval_type = "string" field_name = "c" } } }"#,
            "not declared",
        ),
        (
            r#"flow "a" { request "b" { operation = "read" path = { eval_source = "template" eval_type = "string" template = "{{ env }}" } } }"#,
            "names behind dots",
        ),
        (
            r#"input { field "thing" "a" { } } flow "a" { }"#,
            "\"thing\"",
        ),
        (r#"flow "a" { } output { data = 5 }"#, "no map"),
    ] {
        let refused = define(&h, "w", text).await;
        assert_eq!(refused.status, 400, "{text}: {refused:?}");
        assert!(refused.error().contains(what), "{text}: {refused:?}");
    }
    let large = format!("flow \"a\" {{ }} // {}", "x".repeat(70_000));
    assert_eq!(define(&h, "w", &large).await.status, 400);
    assert_eq!(h.read("sys/workflows/manage/w", &h.root).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn versions_are_compared_and_lists_tell_what_there_is() {
    let h = server().await;
    let text = r#"flow "a" { }"#;
    let put = async |name: &str, wish: Value| {
        h.write(&format!("sys/workflows/manage/{name}"), &h.root, wish)
            .await
    };
    assert_eq!(
        put("a", json!({ "workflow": text, "cas": 0 })).await.status,
        400
    );
    assert_eq!(
        put(
            "a",
            json!({ "workflow": text, "cas": -1, "cas_required": true })
        )
        .await
        .status,
        200
    );
    assert_eq!(put("a", json!({ "workflow": text })).await.status, 400);
    assert_eq!(
        put("a", json!({ "workflow": text, "cas": 2 })).await.status,
        400
    );
    assert_eq!(
        put("a", json!({ "workflow": text, "cas": 1 })).await.data()["version"],
        2
    );
    put("b/c", json!({ "workflow": text })).await;
    let list = h.list("sys/workflows/manage", &h.root).await;
    assert_eq!(list.keys(), ["a", "b/"]);
    assert_eq!(list.data()["key_info"]["a"]["version"], 2);
    let scan = h
        .request(Verb::Scan, "sys/workflows/manage", &h.root, Value::Null)
        .await;
    assert_eq!(scan.keys(), ["a", "b/c"]);
    assert_eq!(
        h.list("sys/workflows/manage/b", &h.root).await.keys(),
        ["c"]
    );
    assert_eq!(
        h.delete("sys/workflows/manage/a", &h.root).await.status,
        204
    );
    assert_eq!(h.read("sys/workflows/manage/a", &h.root).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_only_what_configuration_and_workflow_let_runs() {
    let text = r#"flow "a" { request "b" { operation = "read" path = "kv/x" allow_failure = true } request "c" { operation = "read" path = "sys/internal/ui/mounts" } } output { data = { done = true } }"#;
    for (configured, said, status) in [(false, true, 403), (true, false, 403), (true, true, 200)] {
        let h = with(Settings {
            allow_unauthenticated_workflows: configured,
            ..settings()
        })
        .await;
        let wish = json!({ "workflow": text, "allow_unauthenticated": said });
        h.write("sys/workflows/manage/w", &h.root, wish).await;
        let run = h
            .write("sys/workflows/unauthed-execute/w", "", json!({}))
            .await;
        assert_eq!(run.status, status, "{configured} {said}: {run:?}");
        let root = h.root.clone();
        let none = h
            .write("sys/workflows/unauthed-execute/none", &root, json!({}))
            .await;
        assert_eq!(none.status, 403);
    }
}

#[tokio::test(start_paused = true)]
async fn namespaces_are_left_downwards_only() {
    let h = server().await;
    h.write("sys/namespaces/team", &h.root, json!({})).await;
    h.write("team/sys/mounts/kv", &h.root, json!({ "type": "kv" }))
        .await;
    let text = r#"flow "a" { request "b" { operation = "update" path = "kv/x" data = { is = 1 } namespace = "team" } }"#;
    define(&h, "down", text).await;
    let done = execute(&h, "down", &h.root, json!({})).await;
    assert_eq!(done.status, 204, "{done:?}");
    assert_eq!(h.read("team/kv/x", &h.root).await.status, 200);
    let inside =
        r#"flow "a" { request "b" { operation = "update" path = "kv/y" data = { is = 1 } } }"#;
    h.write(
        "team/sys/workflows/manage/here",
        &h.root,
        json!({ "workflow": inside }),
    )
    .await;
    h.write("team/sys/workflows/execute/here", &h.root, json!({}))
        .await;
    assert_eq!(h.read("team/kv/y", &h.root).await.status, 200);
    assert_eq!(h.read("kv/y", &h.root).await.status, 404);
    assert_eq!(
        h.read("sys/workflows/manage/here", &h.root).await.status,
        404
    );
}

/// As many requests as the text of a workflow may have; each is made of the one before by `data`.
fn chain(count: usize, data: impl Fn(usize) -> String) -> String {
    let first = "request \"r0\" { operation = \"update\" path = \"kv/x\" allow_failure = true data = { a = \"xxxxxxxxxxxxxxxx\" } }\n";
    let others = (1..count).map(|at| {
        let data = data(at - 1);
        format!("request \"r{at}\" {{ operation = \"update\" path = \"kv/x\" allow_failure = true data = {{ {data} }} }}\n")
    });
    format!("flow \"f\" {{\n{first}{}}}", others.collect::<String>())
}

#[tokio::test(start_paused = true)]
async fn what_one_run_makes_has_a_limit_however_little_text_asks_for_it() {
    let h = server().await;
    let whole = |at: usize| {
        format!(
            "{{ eval_source = \"request\" eval_type = \"any\" flow_name = \"f\" request_name = \"r{at}\" field_selector = [\"map\"] }}"
        )
    };
    let texts = chain(24, |before| {
        let again = format!("{{{{ .requests.f.r{before}.map.a }}}}").repeat(8);
        format!(
            "a = {{ eval_source = \"template\" eval_type = \"string\" template = \"{again}\" }}"
        )
    });
    let lists = chain(24, |before| {
        format!("a = [{}]", vec![whole(before); 8].join(", "))
    });
    let output = format!(
        "{} output {{ data = {{ a = [{}] }} }}",
        chain(1, |_| String::new()).replace("xxxxxxxxxxxxxxxx", &"x".repeat(35_000)),
        vec![whole(0); 245].join(", ")
    );
    for (text, place, what) in [
        (
            &texts,
            "flow \"f\", request \"r7\" (line 9): `data`: ",
            "8388608 bytes",
        ),
        (
            &lists,
            "flow \"f\", request \"r5\" (line 7): `data`: ",
            "33554432 bytes",
        ),
        (&output, "in the output: ", "8388608 bytes"),
    ] {
        let written = define(&h, "w", text).await;
        assert_eq!(written.status, 200, "{written:?}");
        let refused = execute(&h, "w", &h.root, json!({})).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        let said = refused.error();
        assert!(said.contains(place) && said.contains(what), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn values_are_nested_no_deeper_than_a_client_could_send_them() {
    let h = server().await;
    let text = chain(25, |before| {
        let taken = format!(
            "{{ eval_source = \"request\" eval_type = \"any\" flow_name = \"f\" request_name = \"r{before}\" field_selector = [\"map\"] }}"
        );
        format!("a = {}{taken}{}", "{ a = ".repeat(40), " }".repeat(40))
    });
    define(&h, "w", &text).await;
    let refused = execute(&h, "w", &h.root, json!({})).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let place = "flow \"f\", request \"r4\" (line 6): `data`: ";
    let said = refused.error();
    assert!(said.contains(place) && said.contains("128 deep"), "{said}");
}
