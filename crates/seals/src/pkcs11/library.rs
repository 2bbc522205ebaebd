//! The library of an HSM, which a process has once, however many use it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock, RwLockReadGuard};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

/// Who uses a library holds it for reading; who starts it anew, for writing: that must not happen under anybody's hands.
type Gate = Arc<RwLock<()>>;

static GATES: LazyLock<Mutex<HashMap<PathBuf, Gate>>> = LazyLock::new(Mutex::default);

/// A library, loaded when it is needed and kept while sessions come and go.
pub(super) struct Library {
    path: PathBuf,
    gate: Gate,
    loaded: Option<Pkcs11>,
}

impl Library {
    pub(super) fn new(path: &Path) -> Self {
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(path.to_owned()).or_default();
        Self {
            path: path.to_owned(),
            gate: Arc::clone(gate),
            loaded: None,
        }
    }

    /// While somebody has this, the library is not started anew.
    pub(super) fn gate(&self) -> Gate {
        Arc::clone(&self.gate)
    }

    /// The library, ready.
    pub(super) fn get(&mut self) -> Result<&Pkcs11, Error> {
        let library = match self.loaded.take() {
            Some(library) => library,
            None => Pkcs11::new(&self.path)?,
        };
        let library = self.loaded.insert(library);
        match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(library),
            Err(error) => Err(error),
        }
    }

    /// Ends it, so that it looks for tokens anew when it is needed next: many look once alone. All sessions of this process
    /// with it are gone; who has one opens another.
    pub(super) fn end(&mut self) {
        let Some(library) = self.loaded.take() else {
            return;
        };
        let _alone = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        let _ = library.finalize();
    }
}

/// Uses a library.
pub(super) fn used(gate: &Gate) -> RwLockReadGuard<'_, ()> {
    gate.read().unwrap_or_else(PoisonError::into_inner)
}
