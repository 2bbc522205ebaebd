use std::sync::Arc;

use coffer_hcl::Block;
use coffer_kernel::script::Script;

use super::files::at;
use super::stanza::Stanza;
use super::{Error, Place};

/// What a new server does while it is initialised: `initialize "name" { request "name" { … } }`.
pub(super) fn read(root: &mut Stanza) -> Result<Script, Error> {
    let mut script = Script::default();
    for stanza in root.blocks("initialize", 1)? {
        let Place { file, position } = stanza.place();
        let block = Block {
            labels: vec![Arc::from(stanza.label(0))],
            body: stanza.into_body(),
            position,
        };
        let name = Arc::from(file.display().to_string());
        script
            .initialize(block, name)
            .map_err(|error| at(file, error))?;
    }
    Ok(script)
}
