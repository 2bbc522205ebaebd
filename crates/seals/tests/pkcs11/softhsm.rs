//! SoftHSM2 with a token of the test's own.
//!
//! The library reads where its tokens are from the environment of the process. So each test runs itself again in a process of
//! its own that has that variable.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

/// Where Debian's `libsofthsm2` has it, and where others do.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];
pub const TOKEN: &str = "coffer-test";
pub const PIN: &str = "hunter2-4321";
const OFFICER: &str = "officer-1234";
const CONF: &str = "SOFTHSM2_CONF";
const INSIDE: &str = "COFFER_TEST_INSIDE";

/// Whether this is the process with a token. If not, makes one and runs the test of this name there.
pub fn inside(name: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    fs::create_dir(&tokens).unwrap();
    let conf = folder.path().join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(&conf, text).unwrap();
    let made = Command::new("softhsm2-util")
        .args([
            "--init-token",
            "--free",
            "--label",
            TOKEN,
            "--so-pin",
            OFFICER,
            "--pin",
            PIN,
        ])
        .env(CONF, &conf)
        .output()
        .expect("softhsm2-util is not there: apt-get install softhsm2");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CONF, &conf)
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
    assert!(run.status.success(), "{told}");
    assert!(told.contains("1 passed"), "{told}");
    false
}

/// The folder of the tokens.
pub fn tokens() -> PathBuf {
    Path::new(&env::var_os(CONF).unwrap()).with_file_name("tokens")
}

pub fn library() -> &'static str {
    let found = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
    found.expect("libsofthsm2.so is not there: apt-get install softhsm2")
}

/// The test's own way to the library.
pub fn context() -> Pkcs11 {
    let context = Pkcs11::new(library()).unwrap();
    let _ = context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
    context
}

/// A session that may make keys.
pub fn session(context: &Pkcs11) -> Session {
    let slots = context.get_slots_with_initialized_token().unwrap();
    let session = context.open_rw_session(slots[0]).unwrap();
    let _ = session.login(UserType::User, Some(&AuthPin::from(PIN.to_owned())));
    session
}

pub fn aes_key(session: &Session, label: &str, id: &[u8]) {
    let template = [
        Attribute::Label(label.into()),
        Attribute::Id(id.to_vec()),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::ValueLen(32.into()),
    ];
    session
        .generate_key(&Mechanism::AesKeyGen, &template)
        .unwrap();
}

pub fn rsa_key(session: &Session, label: &str) {
    let name = Attribute::Label(label.into());
    let public = [
        name.clone(),
        Attribute::Token(true),
        Attribute::Encrypt(true),
        Attribute::ModulusBits(2048.into()),
        Attribute::PublicExponent(vec![1, 0, 1]),
    ];
    let private = [
        name,
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Decrypt(true),
    ];
    session
        .generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private)
        .unwrap();
}
