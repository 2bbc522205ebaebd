use super::Error;
use super::stanza::Stanza;

/// How the root key is protected while the server is sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seal {
    /// Split into key shares (Shamir).
    #[default]
    Shamir,
}

pub(super) fn read(root: &mut Stanza) -> Result<Seal, Error> {
    for stanza in root.blocks("seal", 1)? {
        if stanza.label(0) != "shamir" {
            return Err(Error::UnsupportedSeal {
                place: stanza.place(),
                kind: stanza.label(0).to_owned(),
            });
        }
    }
    Ok(Seal::Shamir)
}
