//! How far the policies of groups reach: to members of other namespaces, or only within the group's own line.

use std::sync::atomic::{AtomicBool, Ordering};

use coffer_barrier::{Stored, View};
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

/// Where the mode is kept, below `core/`.
const RECORD: &str = "group-policy-application";

/// The mode in force.
pub struct GroupPolicies {
    view: View,
    anywhere: AtomicBool,
}

/// The mode, as stored under `core/group-policy-application`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupPolicyMode {
    /// A group's policies hold for members of its own namespace and of those within it.
    #[default]
    WithinNamespaceHierarchy,
    /// A group's policies hold for all its members, wherever they are.
    Any,
}

impl Stored for GroupPolicyMode {}

impl GroupPolicies {
    /// Reads the mode.
    pub async fn load(core: View) -> Result<Self, Fault> {
        let policies = Self {
            view: core,
            anywhere: AtomicBool::default(),
        };
        policies.take_over().await?;
        Ok(policies)
    }

    /// The mode in force.
    pub fn mode(&self) -> GroupPolicyMode {
        match self.anywhere.load(Ordering::Acquire) {
            true => GroupPolicyMode::Any,
            false => GroupPolicyMode::WithinNamespaceHierarchy,
        }
    }

    /// Puts a mode into force.
    pub async fn set(&self, mode: GroupPolicyMode) -> Result<(), Fault> {
        self.view.put(RECORD, &mode).await?;
        self.take_over().await
    }

    /// What is stored counts, so that of two changes at once the later one holds here, too.
    async fn take_over(&self) -> Result<(), Fault> {
        let stored: GroupPolicyMode = self.view.get(RECORD).await?.unwrap_or_default();
        let anywhere = stored == GroupPolicyMode::Any;
        self.anywhere.store(anywhere, Ordering::Release);
        Ok(())
    }
}

impl GroupPolicyMode {
    /// The mode of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "within_namespace_hierarchy" => Some(Self::WithinNamespaceHierarchy),
            "any" => Some(Self::Any),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::WithinNamespaceHierarchy => "within_namespace_hierarchy",
            Self::Any => "any",
        }
    }
}
