//! What every role says about the tokens of its logins: one set of fields for all methods.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use coffer_engine::{Alias, Ctx, Fault, Login, Reply, Stay, TokenKind};
use coffer_wire::{CommaList, Flag, Int, KvPairs, Text, Ttl, format_networks, parse_networks};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::networks;

/// How large the fields of one role may be, in bytes of JSON: each login makes a record with them.
const MAX_BYTES: usize = 32 * 1024;
/// The longest time in which logins share a token.
const MAX_COALESCE_WINDOW: Duration = Duration::from_secs(600);

/// The fields as they are stored with a role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TokenFields {
    /// What the identity store notes with the alias of each login, beside what the method knows itself.
    pub(crate) alias_metadata: BTreeMap<String, String>,
    /// Where tokens, and the login itself, may come from; empty for anywhere.
    pub(crate) bound_cidrs: Vec<IpNet>,
    /// Within this time, like logins share one stored token; zero for one each.
    pub(crate) coalesce_window: Ttl,
    /// A bound that renewals never pass; zero for none.
    pub(crate) explicit_max_ttl: Ttl,
    /// Longest lifetime; zero for the mount's.
    pub(crate) max_ttl: Ttl,
    /// Leaves out the policy `default`.
    pub(crate) no_default_policy: bool,
    /// How many requests a token may make; 0 for no limit.
    pub(crate) num_uses: u64,
    /// Renewals set the lifetime to this, for ever; zero for none.
    pub(crate) period: Ttl,
    /// Their policies, in normal form.
    pub(crate) policies: Vec<String>,
    /// Tokens work from the address of the login alone.
    pub(crate) strictly_bind_ip: bool,
    /// First lifetime; zero for the mount's.
    pub(crate) ttl: Ttl,
    /// How tokens are kept.
    pub(crate) kind: Kind,
    /// Which were written by the name they had before `token_` was put in front; they are shown by it, too.
    pub(crate) old: OldNames,
}

/// How the tokens of a role are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// As the mount says.
    #[default]
    Default,
    /// Stored.
    Service,
    /// Carrying their own state.
    Batch,
}

/// Fields that were written by their old names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OldNames {
    bound_cidrs: bool,
    max_ttl: bool,
    num_uses: bool,
    period: bool,
    policies: bool,
    ttl: bool,
}

/// The fields as a role is written; what is missing stays as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct TokenInput {
    /// Notes for the identity's alias that each login leaves in the identity store. What the method knows itself wins.
    #[serde(default)]
    pub(crate) alias_metadata: Option<KvPairs>,
    /// Networks or addresses that the login and its token may come from.
    #[serde(default)]
    pub(crate) token_bound_cidrs: Option<CommaList>,
    /// Within this time, at most 10 minutes, further logins that would get the same token share the first one's record: theirs
    /// are batch tokens, not stored and not renewable, and end with it. 0, the default, for a stored token each.
    #[serde(default)]
    pub(crate) token_coalesce_window: Option<Ttl>,
    /// A bound that no renewal passes.
    #[serde(default)]
    pub(crate) token_explicit_max_ttl: Option<Ttl>,
    /// Longest lifetime of a token.
    #[serde(default)]
    pub(crate) token_max_ttl: Option<Ttl>,
    /// Leaves out the policy `default`.
    #[serde(default)]
    pub(crate) token_no_default_policy: Option<Flag>,
    /// How many requests a token may make; 0 for no limit.
    #[serde(default)]
    pub(crate) token_num_uses: Option<Int>,
    /// Renewals set the lifetime to this, for ever.
    #[serde(default)]
    pub(crate) token_period: Option<Ttl>,
    /// Policies of the tokens.
    #[serde(default)]
    pub(crate) token_policies: Option<CommaList>,
    /// Binds tokens to the address that logged in.
    #[serde(default)]
    pub(crate) token_strictly_bind_ip: Option<Flag>,
    /// First lifetime of a token.
    #[serde(default)]
    pub(crate) token_ttl: Option<Ttl>,
    /// `service`, `batch`, or `default` for what the mount says.
    #[serde(default)]
    pub(crate) token_type: Option<Text>,
}

/// The same by their old names, as far as a method still takes them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct OldInput {
    /// The old name of `token_bound_cidrs`.
    #[serde(default)]
    pub(crate) bound_cidrs: Option<CommaList>,
    /// The old name of `token_max_ttl`.
    #[serde(default)]
    pub(crate) max_ttl: Option<Ttl>,
    /// The old name of `token_num_uses`.
    #[serde(default)]
    pub(crate) num_uses: Option<Int>,
    /// The old name of `token_period`.
    #[serde(default)]
    pub(crate) period: Option<Ttl>,
    /// The old name of `token_policies`.
    #[serde(default)]
    pub(crate) policies: Option<CommaList>,
    /// The old name of `token_ttl`.
    #[serde(default)]
    pub(crate) ttl: Option<Ttl>,
}

/// Says so where a role's tokens could live longer than the mount lets them.
pub(crate) fn remarked(reply: Reply, longest: Duration, cx: &Ctx) -> Reply {
    match longest > cx.mount.max_lease_ttl {
        true => reply.warn("max_ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value will be truncated"),
        false => reply,
    }
}

/// The fields as a role is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TokenView {
    /// Notes for the alias; shown where there are some.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    alias_metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound_cidrs: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_ttl: Option<Ttl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_uses: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Ttl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<String>>,
    /// Networks that tokens may come from.
    token_bound_cidrs: Vec<String>,
    /// In seconds; shown where it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_coalesce_window: Option<Ttl>,
    /// In seconds.
    token_explicit_max_ttl: Ttl,
    /// In seconds.
    token_max_ttl: Ttl,
    token_no_default_policy: bool,
    token_num_uses: u64,
    /// In seconds.
    token_period: Ttl,
    token_policies: Vec<String>,
    token_strictly_bind_ip: bool,
    /// In seconds.
    token_ttl: Ttl,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<Ttl>,
}

impl TokenInput {
    /// The longest lifetime that is written.
    pub(crate) fn longest(&self) -> Duration {
        self.token_max_ttl.unwrap_or_default().0
    }

    /// Takes `default-service` and `default-batch`, which only mounts can mean, for what comes nearest; says so.
    pub(crate) fn adjust_type(&mut self) -> Option<String> {
        let word = self.token_type.as_mut()?;
        let plain = word.0.strip_prefix("default-")?.to_owned();
        let remark = format!("{} has no useful meaning; adjusting to {plain}", word.0);
        word.0 = plain;
        Some(remark)
    }
}

impl TokenFields {
    /// Takes over what was written.
    pub(crate) fn apply(&mut self, new: &TokenInput, old: &OldInput) -> Result<(), Fault> {
        let nets = |list: &CommaList| parse_networks(&list.0).map_err(Fault::invalid);
        let bound = (new.token_bound_cidrs.as_ref(), old.bound_cidrs.as_ref());
        let bound = (
            bound.0.map(nets).transpose()?,
            bound.1.map(nets).transpose()?,
        );
        renamed(&mut self.bound_cidrs, &mut self.old.bound_cidrs, bound);
        let uses = (
            new.token_num_uses.map(not_negative).transpose()?,
            old.num_uses.map(not_negative).transpose()?,
        );
        renamed(&mut self.num_uses, &mut self.old.num_uses, uses);
        let policies = (
            new.token_policies.as_ref().map(normal_policies),
            old.policies.as_ref().map(normal_policies),
        );
        renamed(&mut self.policies, &mut self.old.policies, policies);
        let ttls = (new.token_ttl, old.ttl);
        renamed(&mut self.ttl, &mut self.old.ttl, ttls);
        let longest = (new.token_max_ttl, old.max_ttl);
        renamed(&mut self.max_ttl, &mut self.old.max_ttl, longest);
        let period = (new.token_period, old.period);
        renamed(&mut self.period, &mut self.old.period, period);
        set(
            &mut self.alias_metadata,
            new.alias_metadata.as_ref().map(|pairs| pairs.0.clone()),
        );
        set(&mut self.coalesce_window, new.token_coalesce_window);
        set(&mut self.explicit_max_ttl, new.token_explicit_max_ttl);
        set(
            &mut self.no_default_policy,
            new.token_no_default_policy.map(|flag| flag.0),
        );
        set(
            &mut self.strictly_bind_ip,
            new.token_strictly_bind_ip.map(|flag| flag.0),
        );
        if let Some(word) = &new.token_type {
            self.kind = Kind::parse(&word.0)?;
        }
        self.refuse()
    }

    /// What does not go together.
    fn refuse(&self) -> Result<(), Fault> {
        let size = serde_json::to_vec(self).map_err(Fault::internal)?.len();
        if size > MAX_BYTES {
            return Err(Fault::Invalid(format!(
                "the fields of the tokens have {size} bytes together, and each token would hold them; the limit is {MAX_BYTES}"
            )));
        }
        if !self.max_ttl.is_zero() && self.ttl > self.max_ttl {
            return Err(Fault::invalid(
                "'token_ttl' cannot be greater than 'token_max_ttl'",
            ));
        }
        if self.strictly_bind_ip && !self.bound_cidrs.is_empty() {
            return Err(Fault::invalid(
                "'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'; set only one",
            ));
        }
        if self.kind == Kind::Batch && !self.period.is_zero() {
            return Err(Fault::invalid(
                "'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens",
            ));
        }
        if self.kind == Kind::Batch && self.num_uses > 0 {
            return Err(Fault::invalid(
                "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count",
            ));
        }
        self.refuse_sharing()
    }

    /// What sharing one stored token does not go with: what a batch token can not have.
    fn refuse_sharing(&self) -> Result<(), Fault> {
        if self.coalesce_window.is_zero() {
            return Ok(());
        }
        let beside = [
            (self.num_uses > 0, "token_num_uses"),
            (!self.period.is_zero(), "token_period"),
            (self.kind == Kind::Batch, "token_type=batch"),
        ];
        if let Some((_, other)) = beside.iter().find(|(is_set, _)| *is_set) {
            return Err(Fault::Invalid(format!(
                "'token_coalesce_window' does not go with '{other}'; set only one"
            )));
        }
        match self.coalesce_window.0 > MAX_COALESCE_WINDOW {
            true => Err(Fault::invalid(
                "'token_coalesce_window' cannot be longer than 10m",
            )),
            false => Ok(()),
        }
    }

    /// Refuses a login from an address that its token could not be used from, and one whose token could not be bound.
    pub(crate) fn check_address(&self, client: Option<IpAddr>) -> Result<(), Fault> {
        self.check_bindable(client)?;
        match networks::holds(&self.bound_cidrs, client) {
            true => Ok(()),
            false => Err(Fault::Denied),
        }
    }

    /// Refuses a login that comes by no address, where its token is to be bound to that.
    pub(crate) fn check_bindable(&self, client: Option<IpAddr>) -> Result<(), Fault> {
        match self.strictly_bind_ip && client.is_none() {
            true => Err(Fault::Denied),
            false => Ok(()),
        }
    }

    /// Whether the tokens carry their own state, whatever the mount says.
    pub(crate) fn is_batch(&self) -> bool {
        self.kind == Kind::Batch
    }

    /// A login with these fields, for `client`.
    pub(crate) fn login(&self, client: Option<IpAddr>) -> Login {
        let strictly = client.filter(|_| self.strictly_bind_ip).map(IpNet::from);
        Login {
            policies: self.policies.clone(),
            ttl: self.ttl.0,
            max_ttl: self.max_ttl.0,
            explicit_max_ttl: self.explicit_max_ttl.0,
            period: self.period.0,
            num_uses: self.num_uses,
            bound_cidrs: strictly.map_or_else(|| self.bound_cidrs.clone(), |net| vec![net]),
            no_default_policy: self.no_default_policy,
            kind: match self.kind {
                Kind::Default => None,
                Kind::Service => Some(TokenKind::Service),
                Kind::Batch => Some(TokenKind::Batch),
            },
            renewable: true,
            coalesce_window: self.coalesce_window.0,
            ..Login::default()
        }
    }

    /// Who logs in, for the identity store, with what the method knows of them.
    pub(crate) fn alias(&self, name: String, known: BTreeMap<String, String>) -> Alias {
        Alias {
            name,
            metadata: self.alias_metadata_with(known),
        }
    }

    /// What the method knows of somebody, and what the role notes beside it.
    pub(crate) fn alias_metadata_with(
        &self,
        known: BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut metadata = self.alias_metadata.clone();
        metadata.extend(known);
        metadata
    }

    /// What holds of a login at a renewal.
    pub(crate) fn stay(&self) -> Stay {
        Stay {
            ttl: Some(self.ttl.0),
            max_ttl: Some(self.max_ttl.0),
            period: Some(self.period.0),
            ..Stay::default()
        }
    }

    /// The fields as clients see them.
    pub(crate) fn view(&self) -> TokenView {
        let nets = format_networks(&self.bound_cidrs);
        let seen = |old: bool, ttl: Ttl| Some(ttl).filter(|ttl| old && !ttl.is_zero());
        let listed =
            |old: bool, list: &[String]| Some(list.to_vec()).filter(|list| old && !list.is_empty());
        TokenView {
            bound_cidrs: listed(self.old.bound_cidrs, &nets),
            max_ttl: seen(self.old.max_ttl, self.max_ttl),
            num_uses: Some(self.num_uses).filter(|uses| self.old.num_uses && *uses > 0),
            period: seen(self.old.period, self.period),
            policies: listed(self.old.policies, &self.policies),
            token_coalesce_window: seen(true, self.coalesce_window),
            alias_metadata: self.alias_metadata.clone(),
            token_bound_cidrs: nets,
            token_explicit_max_ttl: self.explicit_max_ttl,
            token_max_ttl: self.max_ttl,
            token_no_default_policy: self.no_default_policy,
            token_num_uses: self.num_uses,
            token_period: self.period,
            token_policies: self.policies.clone(),
            token_strictly_bind_ip: self.strictly_bind_ip,
            token_ttl: self.ttl,
            token_type: self.kind.word(),
            ttl: seen(self.old.ttl, self.ttl),
        }
    }
}

impl Kind {
    fn parse(word: &str) -> Result<Self, Fault> {
        match word {
            "" | "default" => Ok(Self::Default),
            "service" => Ok(Self::Service),
            "batch" => Ok(Self::Batch),
            other => Err(Fault::Invalid(format!(
                "invalid 'token_type' value {other:?}"
            ))),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Service => "service",
            Self::Batch => "batch",
        }
    }
}

/// A setting with a new and an old name, of which the new one counts.
fn renamed<T>(kept: &mut T, by_old_name: &mut bool, written: (Option<T>, Option<T>)) {
    if written.0.is_some() || written.1.is_some() {
        *by_old_name = written.1.is_some();
    }
    set(kept, written.0.or(written.1));
}

fn set<T>(kept: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *kept = new;
    }
}

fn not_negative(uses: Int) -> Result<u64, Fault> {
    u64::try_from(uses.0).map_err(|_| Fault::invalid("'token_num_uses' cannot be negative"))
}

/// Policy names in their normal form, sorted, each once.
pub(crate) fn normal_policies(list: &CommaList) -> Vec<String> {
    let mut names: Vec<String> = list
        .0
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(json: serde_json::Value) -> TokenInput {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_is_missing_stays() {
        let mut fields = TokenFields::default();
        let written = serde_json::json!({ "token_ttl": "30m", "token_policies": "B, a,b", "token_bound_cidrs": "127.0.0.1" });
        fields.apply(&input(written), &OldInput::default()).unwrap();
        fields
            .apply(
                &input(serde_json::json!({ "token_max_ttl": "1h" })),
                &OldInput::default(),
            )
            .unwrap();
        let seen = serde_json::to_value(fields.view()).unwrap();
        assert_eq!(seen["token_ttl"], 1800);
        assert_eq!(seen["token_max_ttl"], 3600);
        assert_eq!(seen["token_policies"], serde_json::json!(["a", "b"]));
        assert_eq!(seen["token_bound_cidrs"], serde_json::json!(["127.0.0.1"]));
        assert!(seen.get("policies").is_none());
    }

    #[test]
    fn old_names_are_shown_until_the_new_one_is_written() {
        let mut fields = TokenFields::default();
        let old = OldInput {
            policies: Some(CommaList(vec!["x".into()])),
            ..OldInput::default()
        };
        fields.apply(&TokenInput::default(), &old).unwrap();
        assert_eq!(
            serde_json::to_value(fields.view()).unwrap()["policies"],
            serde_json::json!(["x"])
        );
        let new = input(serde_json::json!({ "token_policies": "z" }));
        fields.apply(&new, &OldInput::default()).unwrap();
        assert_eq!(fields.policies, ["z"]);
        assert!(
            serde_json::to_value(fields.view())
                .unwrap()
                .get("policies")
                .is_none()
        );
    }

    #[test]
    fn notes_for_the_alias_never_stand_for_what_the_method_knows() {
        let mut fields = TokenFields::default();
        let seen = serde_json::to_value(fields.view()).unwrap();
        assert!(seen.get("alias_metadata").is_none());
        let written = serde_json::json!({ "alias_metadata": { "team": "red", "who": "me" } });
        fields
            .apply(&input(written.clone()), &OldInput::default())
            .unwrap();
        let seen = serde_json::to_value(fields.view()).unwrap();
        assert_eq!(seen["alias_metadata"], written["alias_metadata"]);
        let known = BTreeMap::from([("who".to_owned(), "ann".to_owned())]);
        let alias = fields.alias("a".into(), known);
        assert_eq!(alias.metadata["who"], "ann");
        assert_eq!(alias.metadata["team"], "red");
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for wish in [
            serde_json::json!({ "token_ttl": "2h", "token_max_ttl": "1h" }),
            serde_json::json!({ "token_num_uses": -1 }),
            serde_json::json!({ "token_bound_cidrs": "nonsense" }),
            serde_json::json!({ "token_type": "nonsense" }),
            serde_json::json!({ "token_type": "batch", "token_period": "1h" }),
            serde_json::json!({ "token_type": "batch", "token_num_uses": 3 }),
            serde_json::json!({ "token_coalesce_window": "11m" }),
            serde_json::json!({ "token_coalesce_window": "1m", "token_num_uses": 3 }),
            serde_json::json!({ "token_coalesce_window": "1m", "token_period": "1h" }),
            serde_json::json!({ "token_coalesce_window": "1m", "token_type": "batch" }),
        ] {
            let told = TokenFields::default().apply(&input(wish.clone()), &OldInput::default());
            assert!(matches!(told, Err(Fault::Invalid(_))), "{wish}");
        }
    }
}
