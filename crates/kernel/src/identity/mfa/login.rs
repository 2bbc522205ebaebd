//! Where a login meets what is enforced.

use coffer_engine::Fault;
use coffer_wire::{Auth, RawJson, header};
use serde_json::{Map, Value, json};

use super::enforcement::{Demand, demands};
use super::factor::{Codes, satisfied};
use super::pending::Pending;
use crate::grant::Asked;
use crate::mounts::Mount;
use crate::open::Open;
use crate::tokens::NewToken;

/// What a client whose login waits is told.
pub const WAITS: &str = "this login waits for a second factor: send its code to sys/mfa/validate";

/// What becomes of a login.
pub enum Gate {
    /// It may have its token.
    Passed(Box<NewToken>),
    /// It waits; the client is told what for.
    Waits(Box<Auth>),
}

impl Open {
    /// Lets a login pass that needs no second factor, or brings one; else lets it wait.
    pub(crate) async fn second_factor(
        &self,
        asked: &Asked,
        mount: &Mount,
        token: NewToken,
    ) -> Result<Gate, Fault> {
        let standing = self.standing_of(&self.space.id, &token.entity_id).await?;
        let demands = demands(self, mount, standing.as_deref()).await?;
        if demands.is_empty() {
            return Ok(Gate::Passed(Box::new(token)));
        }
        let Some(standing) = standing else {
            return Err(Fault::Forbidden(
                "this login needs a second factor, and the auth method names nobody who could have one".into(),
            ));
        };
        let entity = standing.entity.id.clone();
        if let Some(sent) = asked.request.headers.get(header::MFA) {
            let codes = Codes::of_headers(sent);
            let enough = satisfied(self, &entity, &demands, &codes, asked.now).await?;
            return match enough {
                Ok(()) => Ok(Gate::Passed(Box::new(token))),
                Err(_) => Err(Fault::Denied), // A wrong password is refused in no other words.
            };
        }
        let id = self.random.uuid_v4();
        let pending = Pending {
            mount: mount.record.accessor.clone(),
            token,
        };
        let waiting = &self.space.mfa.pending;
        waiting.put(&id, &entity, pending, asked.now).await?;
        self.namespaces.look_after(&self.space).await?;
        Ok(Gate::Waits(Box::new(requirement(&id, &demands)?)))
    }
}

/// What a waiting login needs, in the place of a token.
fn requirement(id: &str, demands: &[Demand]) -> Result<Auth, Fault> {
    let mut constraints = Map::new();
    for demand in demands {
        let any: Vec<Value> = demand
            .methods
            .iter()
            .map(|method| {
                let mut shown = Map::from_iter([
                    ("type".to_owned(), json!("totp")),
                    ("id".to_owned(), json!(method.id)),
                    ("uses_passcode".to_owned(), json!(true)),
                ]);
                if !method.name.is_empty() {
                    shown.insert("name".to_owned(), json!(method.name));
                }
                Value::Object(shown)
            })
            .collect();
        constraints.insert(demand.name.clone(), json!({ "any": any }));
    }
    let requirement = json!({ "mfa_request_id": id, "mfa_constraints": constraints });
    Ok(Auth {
        token_type: "default".to_owned(),
        mfa_requirement: Some(RawJson::from_value(&requirement).map_err(Fault::internal)?),
        ..Auth::default()
    })
}
