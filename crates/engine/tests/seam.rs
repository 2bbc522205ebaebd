//! A three-endpoint engine that uses most of the seam.

use coffer_barrier::Stored;
use coffer_engine::testing::Bench;
use coffer_engine::{
    Ctx, Empty, Engine, Exists, Fault, Handle, Intent, Lease, Leased, MountInfo, Renewal, Routes,
    operations, path,
};
use coffer_wire::{Int, Timestamp, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

struct Counter;

#[derive(Serialize, Deserialize, JsonSchema)]
struct Count {
    count: i64,
}

impl Stored for Count {}

impl Engine for Counter {
    const NAME: &'static str = "counter";
    const HELP: &'static str = "Counts things under names.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([
            path("count/{name}", "One named counter.")
                .read::<ReadCount>()
                .write::<AddCount>()
                .tells("counter/count-write")
                .exists::<ReadCount>(),
            path("ticket/{name}", "A ticket that ends.").read::<IssueTicket>(),
            path("strict", "Takes a number, strictly.").write::<Strict>(),
            path("reset/{name}", "Sets a counter back to zero.")
                .sudo()
                .write::<ResetCount>()
                .tells("counter/count-reset"),
            path("echo/{name}", "Answers all that was sent.").write::<Echo>(),
        ])
        .leases::<Ticket>()
    }
}

#[derive(Deserialize, JsonSchema)]
struct ReadCount {
    /// Name of the counter.
    name: String,
}

impl Handle<Counter> for ReadCount {
    type Reply = Count;

    async fn handle(self, _: &Counter, cx: &Ctx) -> Result<Count, Fault> {
        cx.view.get(&self.name).await?.ok_or(Fault::NotFound)
    }
}

impl Exists<Counter> for ReadCount {
    async fn exists(self, _: &Counter, cx: &Ctx) -> Result<bool, Fault> {
        Ok(cx.view.get::<Count>(&self.name).await?.is_some())
    }
}

/// Adds to a counter, creating it at zero when absent.
#[derive(Deserialize, JsonSchema)]
struct AddCount {
    /// Name of the counter.
    name: String,
    /// How much to add.
    #[serde(default = "one")]
    by: Int,
}

fn one() -> Int {
    Int(1)
}

impl Handle<Counter> for AddCount {
    type Reply = Count;

    async fn handle(self, _: &Counter, cx: &Ctx) -> Result<Count, Fault> {
        let add = |old: Option<Count>| {
            let count = old.map_or(0, |old| old.count) + self.by.0;
            Ok((Some(Count { count }), Count { count }))
        };
        cx.view.update(&self.name, add).await
    }
}

#[derive(Deserialize, JsonSchema)]
struct Strict {
    number: u32,
}

impl Handle<Counter> for Strict {
    type Reply = Count;

    async fn handle(self, _: &Counter, _: &Ctx) -> Result<Count, Fault> {
        Ok(Count {
            count: i64::from(self.number),
        })
    }
}

#[derive(Deserialize, JsonSchema)]
struct ResetCount {
    name: String,
}

impl Handle<Counter> for ResetCount {
    type Reply = Empty;

    async fn handle(self, _: &Counter, cx: &Ctx) -> Result<Empty, Fault> {
        cx.view.delete(&self.name).await?;
        Ok(Empty)
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Echo {
    name: String,
    #[schemars(extend("x-body" = true))]
    body: serde_json::Value,
}

impl Handle<Counter> for Echo {
    type Reply = Echo;

    async fn handle(self, _: &Counter, _: &Ctx) -> Result<Echo, Fault> {
        Ok(self)
    }
}

#[derive(Deserialize, JsonSchema)]
struct IssueTicket {
    name: String,
    #[serde(default)]
    ttl: Ttl,
}

#[derive(Serialize, Deserialize)]
struct Ticket {
    name: String,
}

impl Handle<Counter> for IssueTicket {
    type Reply = Leased<Count>;

    async fn handle(self, _: &Counter, cx: &Ctx) -> Result<Leased<Count>, Fault> {
        let intent: Intent = cx
            .intend::<Counter, _>(&Ticket {
                name: self.name.clone(),
            })
            .await?;
        if self.name == "broken" {
            return Err(Fault::upstream("the ticket machine is broken"));
        }
        cx.view.put(&self.name, &Count { count: 1 }).await?;
        Ok(Leased::new(
            intent,
            Count { count: 1 },
            self.ttl.0,
            self.ttl.0 * 4,
        ))
    }
}

impl Lease<Counter> for Ticket {
    const KIND: &'static str = "ticket";

    fn target(&self) -> String {
        "machine".into()
    }

    async fn renew(&self, _: &Counter, _: &Ctx, ask: &Renewal) -> Result<Timestamp, Fault> {
        Ok(ask.until(Default::default(), Default::default()))
    }

    async fn revoke(&self, _: &Counter, cx: &Ctx) -> Result<(), Fault> {
        Ok(cx.view.delete(&self.name).await?)
    }
}

#[tokio::test]
async fn routes_tell_what_succeeded_and_where_it_can_be_read() {
    let bench = Bench::<Counter>::new().await;
    bench.write("count/a", json!({"by": 2})).await.unwrap();
    bench
        .write("count/a", json!({"by": "two"}))
        .await
        .unwrap_err();
    bench.read("count/a").await.unwrap();
    bench.write("reset/a", json!({})).await.unwrap();
    bench.write("strict", json!({"number": 1})).await.unwrap();
    let events = bench.events();
    let said: Vec<_> = events.iter().map(|e| json!([e.kind, e.metadata])).collect();
    let wanted = [
        json!(["counter/count-write", {
            "operation": "count-write", "path": "count/a", "data_path": "count/a", "name": "a", "modified": "true",
        }]),
        json!(["counter/count-reset", {
            "operation": "count-reset", "path": "reset/a", "name": "a", "modified": "true",
        }]),
    ];
    assert_eq!(said, wanted);
    assert!(bench.events().is_empty());
}

#[tokio::test]
async fn answers_by_path_with_lenient_input() {
    let bench = Bench::<Counter>::new().await;
    assert!(matches!(bench.read("count/a").await, Err(Fault::NotFound)));
    assert_eq!(bench.exists("count/a").await, Some(false));
    bench.write("count/a", json!({})).await.unwrap();
    let answered = bench.write("count/a", json!({"by": "4"})).await.unwrap();
    assert_eq!(answered.data, json!({"count": 5}));
    assert_eq!(bench.exists("count/a").await, Some(true));
    bench.write("reset/a", json!({})).await.unwrap();
    assert!(matches!(bench.read("count/a").await, Err(Fault::NotFound)));
}

#[tokio::test]
async fn unknown_and_replaced_fields_are_remarked() {
    let bench = Bench::<Counter>::new().await;
    let answered = bench
        .write("count/a", json!({"name": "b", "colour": "red"}))
        .await
        .unwrap();
    let warnings = answered.reply.warnings.join("\n");
    assert!(
        warnings.contains("unrecognized parameters: [colour]"),
        "{warnings}"
    );
    assert!(
        warnings.contains("captured from the endpoint's path: [name]"),
        "{warnings}"
    );
    assert!(bench.read("count/b").await.is_err());
}

#[tokio::test]
async fn a_whole_body_stays_apart_from_the_captures() {
    let bench = Bench::<Counter>::new().await;
    for body in [json!({}), json!({"name": "b", "body": 1, "colour": "red"})] {
        let answered = bench.write("echo/a", body.clone()).await.unwrap();
        assert_eq!(answered.data, json!({"name": "a", "body": body}));
        assert!(answered.reply.warnings.is_empty());
    }
}

#[tokio::test]
async fn wrong_types_name_the_field() {
    let bench = Bench::<Counter>::new().await;
    let Err(Fault::Invalid(text)) = bench.write("count/a", json!({"by": "many"})).await else {
        panic!("accepted")
    };
    assert!(
        text.contains("\"by\"") && text.contains("whole number"),
        "{text}"
    );
}

#[tokio::test]
async fn null_is_as_good_as_absent() {
    let bench = Bench::<Counter>::new().await;
    let answered = bench.write("count/a", json!({"by": null})).await.unwrap();
    assert_eq!(answered.data, json!({"count": 1}));
    assert!(answered.reply.warnings.is_empty());
}

#[tokio::test]
async fn a_wrong_type_is_not_quoted() {
    let bench = Bench::<Counter>::new().await;
    let Err(Fault::Invalid(text)) = bench
        .write("strict", json!({"number": "hunter2, expected x"}))
        .await
    else {
        panic!("accepted")
    };
    assert!(
        text.contains("number") && !text.contains("hunter2"),
        "{text}"
    );
}

#[tokio::test]
async fn misses_are_told_apart() {
    let bench = Bench::<Counter>::new().await;
    assert!(matches!(
        bench.read("nothing").await,
        Err(Fault::UnsupportedPath)
    ));
    assert!(matches!(
        bench.delete("count/a").await,
        Err(Fault::UnsupportedVerb)
    ));
}

#[tokio::test]
async fn a_failed_request_leaves_no_lease_and_a_good_one_can_be_undone() {
    let bench = Bench::<Counter>::new().await;
    assert!(bench.read("ticket/broken").await.is_err());
    assert!(bench.lease_ids().await.is_empty());
    let lease = bench.read("ticket/good").await.unwrap().lease_id.unwrap();
    assert!(bench.read("count/good").await.is_ok());
    bench.revoke(&lease).await.unwrap();
    assert!(bench.read("count/good").await.is_err());
}

#[test]
fn the_table_describes_itself_and_its_faults() {
    let table = Counter::routes();
    assert!(table.faults().is_empty());
    let add = operations(&table)
        .into_iter()
        .find(|o| o.pattern == "count/{name}" && o.request["description"].is_string())
        .unwrap();
    assert_eq!(
        add.request["properties"]["by"]["description"],
        "How much to add."
    );

    let broken: Routes<Counter> = Routes::new([
        path("count/{nobody}", "").read::<ReadCount>(),
        path("count/{name}", "").read::<ReadCount>(),
    ]);
    assert_eq!(broken.faults().len(), 2, "{:?}", broken.faults());
}
