//! A server of others as a child process: a free port of the loopback, gone with the value.

use std::env;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long one may take to listen.
const START: Duration = Duration::from_secs(60);

pub struct Process {
    child: Child,
    pub port: u16,
    _folder: TempDir,
}

impl Process {
    /// Starts a program of the tests' Python packages; the arguments depend on the port.
    pub fn start(program: &str, arguments: impl Fn(u16) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new(found(program))
            .args(arguments(port))
            .env("HOME", folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut process = Self {
            child,
            port,
            _folder: folder,
        };
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                process.child.try_wait().unwrap().is_none(),
                "{program} ended"
            );
            assert!(since.elapsed() < START, "{program} does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        process
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, on the path or where `test.sh` puts the Python packages.
fn found(program: &str) -> PathBuf {
    let cache = env::var_os("COFFER_TEST_CACHE").map(PathBuf::from);
    let home =
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache/coffer-tests");
    let packages = cache.unwrap_or_else(home).join("python/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .chain([packages])
        .map(|folder| folder.join(program))
        .find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{program} is not there: `bash test.sh` installs it"))
}
