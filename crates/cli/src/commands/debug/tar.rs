use std::io::{Result, Write};

/// Files and headers begin at multiples of this, in bytes.
const BLOCK: usize = 512;

/// Writes an archive in the ustar form (POSIX.1-1988): as much of it as files with short names need.
pub(super) struct Tar<W> {
    out: W,
    modified_secs: u64,
}

impl<W: Write> Tar<W> {
    /// An archive whose files all have this time.
    pub(super) fn new(out: W, modified_secs: u64) -> Self {
        Self { out, modified_secs }
    }

    /// Adds a folder.
    pub(super) fn folder(&mut self, name: &str) -> Result<()> {
        let header = self.header(&format!("{name}/"), 0o700, 0, b'5');
        self.out.write_all(&header)
    }

    /// Adds a file.
    pub(super) fn file(&mut self, name: &str, text: &[u8]) -> Result<()> {
        let header = self.header(name, 0o600, text.len(), b'0');
        self.out.write_all(&header)?;
        self.out.write_all(text)?;
        let rest = text.len().next_multiple_of(BLOCK) - text.len();
        self.out.write_all(&vec![0; rest])
    }

    /// Ends the archive and gives back what it was written to.
    pub(super) fn end(mut self) -> Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }

    fn header(&self, name: &str, mode: u32, size: usize, kind: u8) -> [u8; BLOCK] {
        let mut header = [0; BLOCK];
        put(&mut header, 0, 100, name.as_bytes());
        put(&mut header, 100, 8, format!("{mode:07o}").as_bytes());
        put(&mut header, 108, 8, b"0000000");
        put(&mut header, 116, 8, b"0000000");
        put(&mut header, 124, 12, format!("{size:011o}").as_bytes());
        put(
            &mut header,
            136,
            12,
            format!("{:011o}", self.modified_secs).as_bytes(),
        );
        put(&mut header, 148, 8, b"        ");
        put(&mut header, 156, 1, &[kind]);
        put(&mut header, 257, 8, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        put(&mut header, 148, 8, format!("{sum:06o}\0 ").as_bytes());
        header
    }
}

/// Puts a text into its field; what is too long for it is cut.
fn put(header: &mut [u8; BLOCK], at: usize, most: usize, text: &[u8]) {
    let field = header.iter_mut().skip(at).take(most);
    field.zip(text).for_each(|(place, byte)| *place = *byte);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_own_tar_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a.tar");
        let mut tar = Tar::new(std::fs::File::create(&place).unwrap(), 1_800_000_000);
        tar.folder("facts").unwrap();
        tar.file("facts/one", b"1").unwrap();
        tar.file("facts/two", &[b'2'; BLOCK]).unwrap();
        tar.end().unwrap().sync_all().unwrap();
        let listed = std::process::Command::new("tar")
            .arg("tvf")
            .arg(&place)
            .output();
        let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
        let lines: Vec<&str> = listed.lines().collect();
        assert!(
            lines[0].starts_with("drwx------") && lines[0].ends_with("facts/"),
            "{listed}"
        );
        assert!(
            lines[1].starts_with("-rw-------") && lines[1].contains(" 1 2027-01-15"),
            "{listed}"
        );
        assert!(
            lines[2].contains(" 512 ") && lines[2].ends_with("facts/two"),
            "{listed}"
        );
    }
}
