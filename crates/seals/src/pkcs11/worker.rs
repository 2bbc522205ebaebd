//! The thread that speaks to the library.

use std::sync::Mutex;
use std::time::Duration;

use coffer_barrier::{WrapError, Wrapped};
use coffer_crypto::{Random, Secret, Zeroizing};
use cryptoki::error::{Error, RvError};
use tokio::sync::{mpsc, oneshot};

use super::library::{Library, used};
use super::refused;
use super::token::{Settings, Token};

/// How many wait for the thread; more are turned away.
const WAITING_MAX: usize = 32;
/// How often a thing is tried that fails because a session or a token is gone, before the last time.
const TRIES_MAX: usize = 2;
/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(30);

/// What speaks to the HSM, one thing at a time. Its thread begins with the first thing and ends with the keeper.
pub(super) struct Worker {
    jobs: mpsc::Sender<Job>,
    idle: Mutex<Option<Idle>>,
}

/// A thread that has not begun.
struct Idle {
    settings: Settings,
    jobs: mpsc::Receiver<Job>,
}

enum Job {
    Wrap(
        Zeroizing<Vec<u8>>,
        oneshot::Sender<Result<Wrapped, WrapError>>,
    ),
    Unwrap(
        Wrapped,
        oneshot::Sender<Result<Zeroizing<Vec<u8>>, WrapError>>,
    ),
}

/// What the thread has.
struct Desk {
    settings: Settings,
    library: Library,
    token: Option<Token>,
    /// The PIN that the token did not take.
    wrong_pin: Option<Secret<String>>,
    random: Random,
}

impl Worker {
    pub(super) fn new(settings: Settings) -> Self {
        let (sender, jobs) = mpsc::channel(WAITING_MAX);
        Self {
            jobs: sender,
            idle: Mutex::new(Some(Idle { settings, jobs })),
        }
    }

    pub(super) async fn wrap(&self, plaintext: Zeroizing<Vec<u8>>) -> Result<Wrapped, WrapError> {
        self.done(|reply| Job::Wrap(plaintext, reply)).await
    }

    pub(super) async fn unwrap(&self, wrapped: Wrapped) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        self.done(|reply| Job::Unwrap(wrapped, reply)).await
    }

    async fn done<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, WrapError>>) -> Job,
    ) -> Result<T, WrapError> {
        self.begin()?;
        let unreachable = |why: &str| WrapError::Unreachable(format!("the HSM: {why}"));
        let (reply, answer) = oneshot::channel();
        if self.jobs.try_send(job(reply)).is_err() {
            return Err(unreachable("it does not answer, and too many wait for it"));
        }
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unreachable("its library ended without an answer")),
            Err(_) => Err(unreachable("no answer in time")),
        }
    }

    fn begin(&self) -> Result<(), WrapError> {
        let idle = self.idle.lock().map(|mut idle| idle.take());
        let Ok(Some(Idle { settings, mut jobs })) = idle else {
            return Ok(());
        };
        let thread = std::thread::Builder::new().name("seal-pkcs11".to_owned());
        let begun = thread.spawn(move || {
            let mut desk = Desk {
                library: Library::new(&settings.library),
                settings,
                token: None,
                wrong_pin: None,
                random: Random::system(),
            };
            while let Some(job) = jobs.blocking_recv() {
                desk.work(job);
            }
        });
        let failed = |_| WrapError::Unreachable("the HSM: no thread can be made".to_owned());
        begun.map(drop).map_err(failed)
    }
}

impl Desk {
    /// Does a job, unless nobody waits for it any more.
    fn work(&mut self, job: Job) {
        match job {
            Job::Wrap(plaintext, reply) if !reply.is_closed() => {
                let random = self.random.clone();
                let answer = self.with(|token, settings| token.wrap(settings, &plaintext, &random));
                let _ = reply.send(answer);
            }
            Job::Unwrap(wrapped, reply) if !reply.is_closed() => {
                let answer = self.with(|token, _| token.unwrap(&wrapped));
                let _ = reply.send(answer);
            }
            Job::Wrap(..) | Job::Unwrap(..) => {}
        }
    }

    /// Does a thing in a session; again in a new one if the session was lost.
    fn with<T>(
        &mut self,
        thing: impl Fn(&Token, &Settings) -> Result<Result<T, WrapError>, Error>,
    ) -> Result<T, WrapError> {
        let gate = self.library.gate();
        for _ in 0..TRIES_MAX {
            let in_use = used(&gate);
            match self.once(&thing) {
                Ok(done) => return Ok(done),
                Err(Trouble::Told(error)) => return Err(error),
                Err(Trouble::Lost) => {}
                Err(Trouble::Absent) => {
                    drop(in_use);
                    self.library.end();
                }
            }
        }
        let _in_use = used(&gate);
        self.once(&thing).map_err(|trouble| match trouble {
            Trouble::Told(error) => error,
            Trouble::Lost | Trouble::Absent => WrapError::Unreachable(
                "the HSM: there is no token as `slot`, `serial` and `token_label` have it, or it loses each session".to_owned(),
            ),
        })
    }

    fn once<T>(
        &mut self,
        thing: &impl Fn(&Token, &Settings) -> Result<Result<T, WrapError>, Error>,
    ) -> Result<T, Trouble> {
        let token = match self.token.take() {
            Some(token) => token,
            None => self.open()?,
        };
        match thing(&token, &self.settings) {
            Ok(done) => {
                self.token = Some(token);
                done.map_err(Trouble::Told)
            }
            Err(error) if is_loss(&error) => Err(Trouble::Lost),
            Err(error) => {
                self.token = Some(token);
                Err(Trouble::Told(told(&error)))
            }
        }
    }

    /// Logs in, with a PIN that the token has not refused before: it counts, and locks itself.
    fn open(&mut self) -> Result<Token, Trouble> {
        let refusal = |why: String| Trouble::Told(refused(why));
        let pin = self.settings.pin.text();
        let pin = pin.map_err(|why| refusal(format!("`pin` {why}")))?;
        if self.wrong_pin.as_ref() == Some(&pin) {
            let why =
                "it refused this `pin` before, which is not tried again; correct it and start anew";
            return Err(refusal(why.to_owned()));
        }
        let library = self.library.get();
        let opened = library.and_then(|library| Token::open(library, &self.settings, &pin));
        match opened {
            Ok(token) => {
                self.wrong_pin = None;
                Ok(token)
            }
            Err(error) if is_absence(&error) => Err(Trouble::Absent),
            Err(error) => {
                if let Error::Pkcs11(
                    RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                    _,
                ) = error
                {
                    self.wrong_pin = Some(pin);
                }
                Err(Trouble::Told(told(&error)))
            }
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let gate = self.library.gate();
        let _in_use = used(&gate);
        self.token = None;
    }
}

enum Trouble {
    /// The session is gone.
    Lost,
    /// The token is not there, as far as the library knows.
    Absent,
    Told(WrapError),
}

/// Whether the library may find the token if it looks anew.
fn is_absence(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::SlotIdInvalid
                | RvError::DeviceRemoved
                | RvError::DeviceError
                | RvError::GeneralError,
            _,
        )
    )
}

/// Whether a new session may help.
fn is_loss(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::SessionHandleInvalid
                | RvError::SessionClosed
                | RvError::UserNotLoggedIn
                | RvError::CryptokiNotInitialized
                | RvError::DeviceRemoved
                | RvError::DeviceError
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::OperationActive
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid,
            _,
        )
    )
}

/// What an error of the library means for who runs this server.
fn told(error: &Error) -> WrapError {
    let Error::Pkcs11(code, function) = error else {
        return match error {
            Error::LibraryLoading(_) | Error::MissingSymbol(_) | Error::NullFunctionPointer => {
                refused("`lib` is no PKCS #11 library that can be loaded here")
            }
            _ => WrapError::Garbled("the HSM: its library answers what makes no sense".to_owned()),
        };
    };
    let text = |why: &str| format!("the HSM: {why} ({function:?}: {code:?})");
    match code {
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => WrapError::Refused(
            text("`pin` is wrong; it is not tried again, because tokens lock themselves"),
        ),
        RvError::PinLocked => WrapError::Refused(text(
            "the token's PIN is locked; its security officer can unlock it",
        )),
        RvError::PinExpired => WrapError::Refused(text("the token's PIN has to be changed")),
        RvError::UserPinNotInitialized => WrapError::Refused(text("the token has no PIN yet")),
        RvError::TokenNotPresent | RvError::SlotIdInvalid => WrapError::Unreachable(text(
            "there is no token as `slot`, `serial` and `token_label` have it",
        )),
        RvError::MechanismInvalid
        | RvError::MechanismParamInvalid
        | RvError::ArgumentsBad
        | RvError::FunctionNotSupported => WrapError::Refused(text(
            "it does not do that: is `mechanism` one of the token's, and `rsa_oaep_hash`?",
        )),
        RvError::KeyFunctionNotPermitted | RvError::KeyTypeInconsistent | RvError::KeySizeRange => {
            WrapError::Refused(text("the key may not encrypt and decrypt"))
        }
        RvError::EncryptedDataInvalid
        | RvError::EncryptedDataLenRange
        | RvError::DataInvalid
        | RvError::DataLenRange => WrapError::Refused(text(
            "the key does not unwrap this: another one wrapped it, or it was changed",
        )),
        // OAEP and GCM fail by this with some libraries; trying again does no harm.
        _ => WrapError::Unreachable(text("it can not do that now")),
    }
}
