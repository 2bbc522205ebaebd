//! Taking over the secrets of version 1.

use coffer_engine::{Ctx, Fault};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::config::Config;
use super::draft::{Draft, settled};
use super::secret::Secret;
use crate::kv::v1;

/// How many secrets are looked for at once.
const PAGE: usize = 1_000;
/// How many secrets move at once, so that they share their durable commits.
const MOVES_AT_ONCE: usize = 64;

/// Moves every secret of version 1 into a new version here. Each moves in one transaction, so an
/// upgrade that is interrupted goes on where it was when it runs again, and where nothing is left
/// it costs one look.
pub(super) async fn run(cx: &Ctx) -> Result<(), Fault> {
    while move_some(cx, PAGE).await? > 0 {}
    Ok(())
}

/// Moves at most `limit` secrets; answers how many.
async fn move_some(cx: &Ctx, limit: usize) -> Result<usize, Fault> {
    let paths = cx.view.scan_paths(v1::ROOT, None, limit).await?;
    let config = Config::load(cx).await?;
    let moved = paths.len();
    stream::iter(paths)
        .map(|place| move_one(cx, place, &config))
        .buffer_unordered(MOVES_AT_ONCE)
        .try_collect::<()>()
        .await?;
    Ok(moved)
}

async fn move_one(cx: &Ctx, place: String, config: &Config) -> Result<(), Fault> {
    let path = place.strip_prefix(v1::ROOT).unwrap_or(&place);
    settled(|| async {
        let (Some(kept), seen) = cx.view.get_seen::<v1::Kept>(&place).await? else {
            return Ok(());
        };
        let (secret, draft) = Draft::open(cx, path).await?;
        let mut secret = secret.unwrap_or_else(|| Secret::new(cx.now));
        let pruned = secret.push(config, cx.now);
        let draft = draft.keep(secret.current, &kept.data)?.drop_data(pruned);
        draft.take_from(&place, seen).save(&secret).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use coffer_engine::testing::Bench;
    use coffer_engine::{Body, Engine, Live, Mounted};
    use coffer_wire::Verb;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::kv::{V1, V2};

    /// A mount of version 2 over what version 1 left: `a`, `a/1`, `a/1/1`, `dir/00` and so on.
    async fn bench(folder_size: usize) -> (Bench<V2>, Vec<String>) {
        let bench = Bench::<V2>::new().await;
        let v1 = Live::new(V1);
        let mut paths: Vec<String> = ["a", "a/1", "a/1/1"].map(str::to_owned).into();
        paths.extend((0..folder_size).map(|n| format!("dir/{n:02}")));
        for path in &paths {
            let found = v1.find(Verb::Write, path).unwrap();
            let body = Map::from_iter([
                ("at".to_owned(), json!(path)),
                ("ttl".to_owned(), json!("1h")),
            ]);
            let cx = bench.cx(Verb::Write, path);
            let reply = v1.call(&found, &cx, body).await.unwrap();
            assert!(matches!(reply.body, Body::Empty));
        }
        (bench, paths)
    }

    async fn assert_moved(bench: &Bench<V2>, paths: &[String]) {
        for path in paths {
            let read = bench.read(&format!("data/{path}")).await.unwrap().data;
            assert_eq!(read["data"], json!({"at": path, "ttl": "1h"}));
            assert_eq!(read["metadata"]["version"], json!(1));
        }
        let left = bench.view().scan_paths(v1::ROOT, None, 10).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
        let moved = bench
            .request(Verb::Scan, "metadata/", Value::Null)
            .await
            .unwrap();
        assert_eq!(moved.data["keys"].as_array().unwrap().len(), paths.len());
    }

    async fn upgrade(bench: &Bench<V2>) -> Result<(), Fault> {
        V2.begin(&bench.cx(Verb::Write, ""), Some("1")).await
    }

    #[tokio::test]
    async fn every_secret_becomes_version_1() {
        let (bench, paths) = bench(40).await;
        assert!(bench.read("data/a").await.is_err());
        upgrade(&bench).await.unwrap();
        assert_moved(&bench, &paths).await;
        upgrade(&bench).await.unwrap();
        assert_moved(&bench, &paths).await;
    }

    #[tokio::test]
    async fn an_interrupted_upgrade_goes_on() {
        let (bench, paths) = bench(40).await;
        assert_eq!(move_some(&bench.cx(Verb::Write, ""), 7).await.unwrap(), 7);
        let left = bench.view().scan_paths(v1::ROOT, None, 100).await.unwrap();
        assert_eq!(left.len(), paths.len() - 7);
        upgrade(&bench).await.unwrap();
        assert_moved(&bench, &paths).await;
    }

    #[tokio::test]
    async fn nothing_moves_twice() {
        let (bench, paths) = bench(40).await;
        let cx = bench.cx(Verb::Write, "");
        let all = futures_util::future::join_all((0..4).map(|_| run(&cx))).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        assert_moved(&bench, &paths).await;
    }

    #[tokio::test]
    async fn what_version_2_has_becomes_older() {
        let (bench, _) = bench(0).await;
        bench
            .write("data/a", json!({"data": {"x": 1}}))
            .await
            .unwrap();
        upgrade(&bench).await.unwrap();
        let read = bench.read("data/a").await.unwrap().data;
        assert_eq!(
            (&read["data"]["at"], &read["metadata"]["version"]),
            (&json!("a"), &json!(2))
        );
    }
}
