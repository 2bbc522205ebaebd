//! Policy errors in the words of the engine seam.

use coffer_engine::Fault;

use super::Error;

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Barrier(error) => error.into(),
            Error::Stopping => Self::Unavailable(error.to_string()),
            mistake => Self::invalid(mistake),
        }
    }
}
