use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Where the result goes: a file that appears under its name once it is whole, or standard output.
pub(in crate::commands) struct Output {
    to: To,
    done: bool,
}

enum To {
    File {
        file: File,
        partial: PathBuf,
        path: PathBuf,
    },
    Stdout(io::Stdout),
}

impl Output {
    /// `-` is standard output, which must not be a terminal where the result is `binary`.
    pub(in crate::commands) fn create(
        path: &str,
        force: bool,
        binary: bool,
    ) -> Result<Self, Failure> {
        if path == "-" {
            if binary && io::stdout().is_terminal() {
                return Err(Failure::local(
                    "an envelope is not for a terminal; give -output=FILE, or send it on with `|` or `>`",
                ));
            }
            return Ok(Self {
                to: To::Stdout(io::stdout()),
                done: false,
            });
        }
        if !force && Path::new(path).exists() {
            return Err(Failure::local(format!(
                "{path} exists already; give another -output=FILE, or -force to replace it"
            )));
        }
        let partial = PathBuf::from(format!("{path}.partial-{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options
            .open(&partial)
            .map_err(|error| Failure::local(format!("{path} can not be written: {error}")))?;
        let path = PathBuf::from(path);
        Ok(Self {
            to: To::File {
                file,
                partial,
                path,
            },
            done: false,
        })
    }

    /// Makes the result durable and gives it its name.
    pub(in crate::commands) fn finish(mut self) -> Result<(), Failure> {
        let finished = match &mut self.to {
            To::Stdout(out) => out.flush(),
            To::File {
                file,
                partial,
                path,
            } => file
                .sync_all()
                .and_then(|()| std::fs::rename(&*partial, &*path))
                .and_then(|()| sync_folder(path)),
        };
        finished
            .map_err(|error| Failure::local(format!("the result can not be written: {error}")))?;
        self.done = true;
        Ok(())
    }
}

/// What is not whole must not be taken for the result.
impl Drop for Output {
    fn drop(&mut self) {
        if let (To::File { partial, .. }, false) = (&self.to, self.done) {
            let _ = std::fs::remove_file(partial);
        }
    }
}

impl Write for Output {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::File { file, .. } => file.write(data),
            To::Stdout(out) => out.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::File { .. } => Ok(()),
            To::Stdout(out) => out.flush(),
        }
    }
}

/// Makes the new name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
