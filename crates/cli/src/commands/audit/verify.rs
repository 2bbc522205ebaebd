use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::Args;
use coffer_server::audit_chain::{Beginning, ChainKey, Head, Report, Verifier};

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::print;
use crate::ui::read_file;

/// How much is read at once, in bytes.
const READ_BYTES: usize = 1 << 20;
/// Smaller logs are checked before anybody could read how far it is.
const PROGRESS_BYTES_MIN: u64 = 64 << 20;
/// How often progress is shown.
const BETWEEN_SHOWINGS: Duration = Duration::from_millis(200);
/// The exit code for what can not be checked; 1 is for what was tampered with.
const UNCHECKED: u8 = 2;

/// Check that an audit log is as the server wrote it
///
/// Finds lines that were edited, deleted, inserted or put elsewhere. Nothing is asked of a server unless -device is given.
/// Without -key and without -head only what does not fit together is found: who can write the log could make a chain that fits.
///
/// Exit codes: 0 intact, 1 tampered with, 2 not checked (wrong usage, a file that cannot be read).
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  coffer audit verify -device=file /var/log/coffer/audit.log\n  coffer audit verify -key=@chain.key -head=HEAD audit.log.1 audit.log\n  zcat audit.log.2.gz | coffer audit verify -head=HEAD - audit.log.1 audit.log"
)]
pub(crate) struct Verify {
    /// The files of one log; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// The chain's key, or @FILE that holds it (`audit chain -key`): proves each line
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// A line that must be there (`audit chain`): proves that nothing up to it is missing
    #[arg(long, value_name = "HEAD")]
    head: Vec<String>,
    /// The head up to which the log was checked before; the files may begin after it
    #[arg(long, value_name = "HEAD")]
    after: Vec<String>,
    /// Ask the server for key and head of this device
    #[arg(long, value_name = "PATH")]
    device: Vec<String>,
    /// The files must begin with the first line that the device wrote
    #[arg(long)]
    complete: bool,
}

impl Verify {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mut verifier = self.verifier(cx).await?;
        let files = in_order(&self.files)?;
        let mut progress = Progress::of(&files);
        for name in &files {
            let read = |bytes| progress.read(bytes);
            let checked = match name.as_str() {
                "-" => verifier.file("standard input", &mut io::stdin().lock(), read),
                path => opened(path).and_then(|mut file| verifier.file(path, &mut file, read)),
            };
            checked.map_err(|error| unreadable(name, &error))?;
        }
        progress.end();
        let report = verifier.finish();
        print(cx, &report, || self.told(&report))?;
        match report.intact {
            true => Ok(()),
            false => Err(Failure::silent(1)),
        }
    }

    async fn verifier(&self, cx: &Context) -> Result<Verifier, Failure> {
        let mut verifier = Verifier::new();
        for text in &self.key {
            verifier.key(match text.strip_prefix('@') {
                None => key(text)?,
                Some(path) => key(&read_file(path).map_err(unchecked)?)?,
            });
        }
        for text in &self.head {
            verifier.head(head(text)?);
        }
        for text in &self.after {
            verifier.after(head(text)?);
        }
        for path in &self.device {
            // The head first: what is written after that is in the file when it is read.
            let client = cx.client().map_err(unchecked)?;
            let chain = client.sys().audit_chain(path).await;
            let chain = chain.or_failed("reading the chain").map_err(unchecked)?;
            if let Some(text) = chain.head {
                verifier.head(head(&text)?);
            }
            let proof = client.sys().audit_chain_key(path).await;
            let proof = proof
                .or_failed("reading the chain's key")
                .map_err(unchecked)?;
            verifier.key(key(&proof.key)?);
        }
        if self.complete {
            verifier.from_the_beginning();
        }
        Ok(verifier)
    }

    fn told(&self, report: &Report) -> String {
        let mut text = String::new();
        let lines = report.lines;
        // Writing to a text does not fail.
        let _ = match (report.intact, report.linked) {
            (true, 0) => writeln!(text, "Intact: there is nothing to check."),
            (true, _) => writeln!(text, "Intact: {lines} lines."),
            (false, _) => writeln!(
                text,
                "TAMPERED WITH: {} in {lines} lines.",
                match report.problems_total {
                    1 => "1 problem".to_owned(),
                    more => format!("{more} problems"),
                }
            ),
        };
        for problem in &report.problems {
            let _ = match problem.line {
                0 => writeln!(text, "  {}", problem.text),
                line => writeln!(text, "  {}, line {line}: {}", problem.file, problem.text),
            };
        }
        let untold = report
            .problems_total
            .saturating_sub(report.problems.len() as u64);
        if untold > 0 {
            let _ = writeln!(text, "  … and {untold} more");
        }
        for chain in &report.chains {
            let proof = match chain.proved {
                true => "each line's code was checked",
                false => "codes were not checked",
            };
            let lost = match chain.lost {
                0 => String::new(),
                lost => format!("; {lost} could not be recorded, by the device's own word"),
            };
            let runs = if chain.runs == 1 { "run" } else { "runs" };
            let _ = writeln!(
                text,
                "\nChain {}: {} lines in {} {runs}, {proof}{lost}\n  from {} to {}\n  head {}",
                chain.id, chain.lines, chain.runs, chain.first, chain.last, chain.head
            );
        }
        if !report.notes.is_empty() {
            text.push_str("\nNotes:\n");
        }
        for note in &report.notes {
            let _ = writeln!(text, "  {note}");
        }
        let proved = report.chains.iter().all(|chain| chain.proved);
        if report.intact && report.linked > 0 && !proved && self.head.is_empty() {
            text.push_str(
                "\nOnly what does not fit together was looked for. Give -key to prove each line, and -head to prove that the end is there.\n",
            );
        }
        text
    }
}

/// The files in the order they were written, whatever order a shell's wildcard gave them. With standard input among them,
/// the order they were given in.
fn in_order(names: &[String]) -> Result<Vec<String>, Failure> {
    if names.iter().any(|name| name == "-") {
        return Ok(names.to_vec());
    }
    let mut beginnings = Vec::new();
    for name in names {
        let beginning = opened(name).and_then(|mut file| Verifier::beginning(&mut file));
        beginnings.push((beginning.map_err(|error| unreadable(name, &error))?, name));
    }
    beginnings.sort_by_key(|(beginning, _): &(Beginning, _)| *beginning);
    Ok(beginnings
        .into_iter()
        .map(|(_, name)| name.clone())
        .collect())
}

fn opened(path: &str) -> io::Result<impl BufRead> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(BufReader::with_capacity(READ_BYTES, file))
}

fn key(text: &str) -> Result<ChainKey, Failure> {
    let key = text.trim().parse();
    key.map_err(|error| unchecked(Failure::local(format!("-key: {error}"))))
}

fn head(text: &str) -> Result<Head, Failure> {
    let head = text.trim().parse();
    head.map_err(|error| unchecked(Failure::local(format!("-head {text:?}: {error}"))))
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    unchecked(Failure::local(format!("cannot read {name}: {error}")))
}

fn unchecked(failure: Failure) -> Failure {
    Failure {
        code: UNCHECKED,
        ..failure
    }
}

/// How far it is, for a person who waits.
struct Progress {
    all: u64,
    read: u64,
    shown: Option<Instant>,
}

impl Progress {
    fn of(files: &[String]) -> Self {
        let length = |name: &String| std::fs::metadata(name).map_or(0, |metadata| metadata.len());
        let all = files.iter().map(length).sum();
        let wanted = all >= PROGRESS_BYTES_MIN && io::stderr().is_terminal();
        Self {
            all,
            read: 0,
            shown: wanted.then(Instant::now),
        }
    }

    fn read(&mut self, bytes: u64) {
        self.read += bytes;
        let is_time = |shown: Instant| shown.elapsed() >= BETWEEN_SHOWINGS;
        if !self.shown.is_some_and(is_time) {
            return;
        }
        self.shown = Some(Instant::now());
        let percent = self.read.saturating_mul(100) / self.all.max(1);
        let _ = write!(
            io::stderr().lock(),
            "\r{percent:3} % of {} MiB",
            self.all >> 20
        );
    }

    fn end(&self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr().lock(), "\r{:40}\r", "");
        }
    }
}
