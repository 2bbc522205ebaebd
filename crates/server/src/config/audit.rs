use std::collections::BTreeMap;

use coffer_hcl::Value;

use super::stanza::Stanza;
use super::{Error, Place};

/// An audit device that the configuration declares: `audit "file" "to-disk" { options { file_path = "…" } }`.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditDevice {
    /// The device's type: `file` …
    pub kind: String,
    /// Where it is mounted, without slashes around.
    pub path: String,
    /// For people.
    pub description: String,
    /// Whether it stays on this node.
    pub local: bool,
    /// The device's own settings, as the API takes them.
    pub options: BTreeMap<String, String>,
    /// Where it is declared.
    pub place: Place,
}

pub(super) fn read(root: &mut Stanza) -> Result<Vec<AuditDevice>, Error> {
    let mut devices: Vec<AuditDevice> = Vec::new();
    for mut stanza in root.blocks("audit", 2)? {
        let mut options = BTreeMap::new();
        for block in stanza.blocks("options", 0)? {
            for item in block.into_body().items {
                let Some(text) = item.value.as_text() else {
                    let found = format!(
                        "has an option `{}` that is {}",
                        item.key,
                        Value::kind(&item.value)
                    );
                    return Err(stanza.error(
                        &found,
                        "a string",
                        "write options as `name = \"value\"`",
                    ));
                };
                options.insert(item.key, text.to_owned());
            }
        }
        let device = AuditDevice {
            kind: stanza.label(0).to_owned(),
            path: stanza.label(1).trim_matches('/').to_owned(),
            description: stanza.text("description")?.unwrap_or_default(),
            local: stanza.flag("local")?.unwrap_or(false),
            options,
            place: stanza.place(),
        };
        if device.path.is_empty() {
            return Err(stanza.error(
                "has an empty path",
                "a name",
                "write `audit \"file\" \"name\" { … }`",
            ));
        }
        if let Some(other) = devices.iter().find(|other| other.path == device.path) {
            let found = format!("has the path of the device at {}", other.place);
            return Err(stanza.error(&found, "a path of its own", "rename one of the two"));
        }
        stanza.finish()?;
        devices.push(device);
    }
    Ok(devices)
}
