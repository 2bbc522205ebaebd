//! `sys/workflows`: several requests under one name.

use std::net::SocketAddr;

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Int, Text, Wiped};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::open::Open;
use crate::script::{Dialect, Ended, Errand, Script, run};
use crate::workflows::Workflow;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("workflows/manage", "Lists the workflows.")
            .list::<ListAll>()
            .scan::<ScanAll>(),
        path("workflows/manage/{path*}", "One workflow.")
            .read::<Read>()
            .list::<List>()
            .scan::<Scan>()
            .write::<Write>()
            .delete::<Delete>(),
        path("workflows/execute/{path*}", "Runs a workflow.").write::<Execute>(),
        path(
            "workflows/trace/{path*}",
            "Runs a workflow and shows every request and answer of it.",
        )
        .write::<Trace>(),
        path(
            "workflows/unauthed-execute/{path*}",
            "Runs a workflow without a token, where the configuration and the workflow let it.",
        )
        .unauthenticated()
        .write::<ExecuteUnauthenticated>(),
    ])
}

/// Which part of a list.
#[derive(Default, Deserialize, JsonSchema)]
struct Page {
    /// Begins behind this entry.
    #[serde(default)]
    after: Text,
    /// At most so many; all if zero or absent.
    #[serde(default)]
    limit: Int,
}

impl Page {
    async fn shown(
        self,
        open: &Open,
        folder: &str,
        keys: Vec<String>,
    ) -> Result<Map<String, Value>, Fault> {
        let limit = usize::try_from(self.limit.0).unwrap_or(0);
        let keys = keys.into_iter().filter(|key| *key > self.after.0);
        let keys: Vec<String> = match limit {
            0 => keys.collect(),
            limit => keys.take(limit).collect(),
        };
        let mut info = Map::new();
        for key in keys.iter().filter(|key| !key.ends_with('/')) {
            let path = format!("{folder}{key}");
            if let Some(workflow) = open.space.workflows.get(&path).await? {
                info.insert(key.clone(), shown(&path, &workflow));
            }
        }
        if keys.is_empty() {
            return Ok(Map::new());
        }
        Ok(Map::from_iter([
            ("keys".to_owned(), keys.into()),
            ("key_info".to_owned(), info.into()),
        ]))
    }
}

fn shown(path: &str, workflow: &Workflow) -> Value {
    json!({
        "path": path,
        "workflow": workflow.text,
        "description": workflow.description,
        "version": workflow.version,
        "cas_required": workflow.cas_required,
        "allow_unauthenticated": workflow.allow_unauthenticated,
    })
}

/// An empty list is "not found".
fn listed(shown: Map<String, Value>) -> Result<Reply, Fault> {
    match shown.is_empty() {
        true => Err(Fault::NotFound),
        false => Reply::data(&shown),
    }
}

fn folder(path: &str) -> String {
    match path.trim_end_matches('/') {
        "" => String::new(),
        path => format!("{path}/"),
    }
}

/// Lists the workflows and folders of workflows.
#[derive(Deserialize, JsonSchema)]
struct ListAll {
    #[serde(flatten)]
    page: Page,
}

impl Handle<Open> for ListAll {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let keys = open.space.workflows.list("").await?;
        listed(self.page.shown(open, "", keys).await?)
    }
}

/// Lists all workflows with their whole paths.
#[derive(Deserialize, JsonSchema)]
struct ScanAll {
    #[serde(flatten)]
    page: Page,
}

impl Handle<Open> for ScanAll {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let keys = open.space.workflows.scan("").await?;
        Reply::data(&self.page.shown(open, "", keys).await?)
    }
}

/// Lists what is in a folder.
#[derive(Deserialize, JsonSchema)]
struct List {
    /// The folder.
    path: String,
    #[serde(flatten)]
    page: Page,
}

impl Handle<Open> for List {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let folder = folder(&self.path);
        let keys = open.space.workflows.list(&folder).await?;
        listed(self.page.shown(open, &folder, keys).await?)
    }
}

/// Lists all that is below a folder, with the paths from there.
#[derive(Deserialize, JsonSchema)]
struct Scan {
    /// The folder.
    path: String,
    #[serde(flatten)]
    page: Page,
}

impl Handle<Open> for Scan {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let folder = folder(&self.path);
        let keys = open.space.workflows.scan(&folder).await?;
        Reply::data(&self.page.shown(open, &folder, keys).await?)
    }
}

/// Shows a workflow.
#[derive(Deserialize, JsonSchema)]
struct Read {
    /// Its path.
    path: String,
}

impl Handle<Open> for Read {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let workflow = open.space.workflows.get(&self.path).await?;
        Reply::data(&shown(&self.path, &workflow.ok_or(Fault::NotFound)?))
    }
}

/// Writes a workflow.
#[derive(Deserialize, JsonSchema)]
struct Write {
    /// Its path.
    path: String,
    /// Its text, HCL or JSON.
    #[serde(default)]
    workflow: Text,
    /// For people.
    #[serde(default)]
    description: Text,
    /// Whether it may be run without a token, if the configuration allows such workflows.
    #[serde(default)]
    allow_unauthenticated: Flag,
    /// Whether later writes must say which version they saw.
    #[serde(default)]
    cas_required: Flag,
    /// The version that is there now; -1 for none.
    #[serde(default)]
    cas: Option<Int>,
}

impl Handle<Open> for Write {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let new = Workflow {
            text: self.workflow.0,
            description: self.description.0,
            allow_unauthenticated: self.allow_unauthenticated.0,
            cas_required: self.cas_required.0,
            version: 0,
        };
        let cas = self.cas.map(|cas| cas.0);
        let written = open.space.workflows.put(&self.path, new, cas).await?;
        Reply::data(&shown(&self.path, &written))
    }
}

/// Removes a workflow.
#[derive(Deserialize, JsonSchema)]
struct Delete {
    /// Its path.
    path: String,
}

impl Handle<Open> for Delete {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.space.workflows.delete(&self.path).await?;
        Ok(Empty)
    }
}

/// Runs a workflow: its requests one after the other, with the rights of the token that asks. Answers its output.
#[derive(Deserialize, JsonSchema)]
struct Execute {
    /// Its path.
    path: String,
    /// What it is given: the fields that it declares.
    #[serde(default)]
    #[schemars(extend("x-body" = true))]
    fields: Wiped<Map<String, Value>>,
}

impl Handle<Open> for Execute {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let workflow = found(open, &self.path).await?;
        let ended = carry_out(open, cx, &workflow, &self.fields).await?;
        Reply::data(&Wiped(ended.outcome?.unwrap_or_default()).0)
    }
}

/// Runs a workflow as `execute` does, and shows what was asked and answered. Also secrets are shown, but for tokens that
/// requests were made with.
#[derive(Deserialize, JsonSchema)]
struct Trace {
    /// Its path.
    path: String,
    /// What it is given: the fields that it declares.
    #[serde(default)]
    #[schemars(extend("x-body" = true))]
    fields: Wiped<Map<String, Value>>,
}

impl Handle<Open> for Trace {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let workflow = found(open, &self.path).await?;
        let Ended { history, outcome } = carry_out(open, cx, &workflow, &self.fields).await?;
        let (output, error) = match outcome {
            Ok(output) => (output, None),
            Err(Fault::Internal(source)) => return Err(Fault::Internal(source)),
            Err(fault) => (None, Some(fault.to_string())),
        };
        let responses = Some(&history.responses.0).filter(|responses| !responses.is_empty());
        let mut shown = json!({
            "history": { "requests": &history.requests.0, "responses": responses },
            "error": error,
        });
        if let (Some(data), Value::Object(shown)) = (output, &mut shown) {
            let response = json!({
                "data": data,
                "auth": null,
                "secret": null,
                "redirect": "",
                "warnings": null,
                "wrap_info": null,
                "headers": {},
            });
            shown.insert("response".to_owned(), response);
        }
        Reply::data(&Wiped(shown).0)
    }
}

/// Runs a workflow without a token. Its requests reach what needs none, or name one that they got on the way.
#[derive(Deserialize, JsonSchema)]
struct ExecuteUnauthenticated {
    /// Its path.
    path: String,
    /// What it is given: the fields that it declares.
    #[serde(default)]
    #[schemars(extend("x-body" = true))]
    fields: Wiped<Map<String, Value>>,
}

impl Handle<Open> for ExecuteUnauthenticated {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        if !open.settings.allow_unauthenticated_workflows {
            return Err(Fault::Denied);
        }
        let workflow = open.space.workflows.get(&self.path).await?;
        let workflow = workflow.filter(|workflow| workflow.allow_unauthenticated);
        let stranger = Ctx {
            token: None,
            ..cx.clone()
        };
        let workflow = workflow.ok_or(Fault::Denied)?;
        let ended = carry_out(open, &stranger, &workflow, &self.fields).await?;
        Reply::data(&Wiped(ended.outcome?.unwrap_or_default()).0)
    }
}

async fn found(open: &Open, path: &str) -> Result<Workflow, Fault> {
    let workflow = open.space.workflows.get(path).await?;
    workflow.ok_or_else(|| Fault::Missing("workflow does not exist".into()))
}

async fn carry_out(
    open: &Open,
    cx: &Ctx,
    workflow: &Workflow,
    given: &Map<String, Value>,
) -> Result<Ended, Fault> {
    let script = Script::workflow(&workflow.text).map_err(Fault::invalid)?;
    let errand = Errand {
        core: open,
        dialect: Dialect::Workflow,
        id: cx.request.id.clone(),
        namespace: open.space.path.clone(),
        token: cx.token.clone(),
        client: cx.request.client.map(|address| SocketAddr::new(address, 0)),
        nesting: cx.request.nesting.clone(),
    };
    Ok(run(&script, given, &errand).await)
}
