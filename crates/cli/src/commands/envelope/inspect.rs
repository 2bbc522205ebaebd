use clap::Args;
use coffer_client::envelope::{Envelope, Recipient};
use serde::Serialize;
use serde_json::{Value, json};

use super::progress::bytes;
use super::source::Source;
use super::spoilt;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::{columns, key_values, print};

/// Show what an envelope is and who can open it; nobody is asked, and nothing is decrypted
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer envelope inspect backup.tar.coffer
  coffer envelope inspect -format=json backup.tar.coffer")]
pub(crate) struct Inspect {
    /// The envelope, or - for standard input
    #[arg(value_name = "FILE")]
    file: String,
}

#[derive(Serialize)]
struct View<'a> {
    format: &'static str,
    cipher: &'static str,
    chunk_bytes: usize,
    /// Of the content; none where the length is not known or no envelope is that long.
    content_bytes: Option<u64>,
    file_bytes: Option<u64>,
    generation: u64,
    context: Value,
    recipients: &'a [Recipient],
}

impl Inspect {
    pub(crate) fn run(self, cx: &Context) -> Outcome {
        let mut source = Source::open(&self.file)?;
        let name = source.name.clone();
        let envelope = Envelope::read(&mut source).map_err(spoilt(&name))?;
        let view = View {
            format: "coffer-envelope-v1",
            cipher: "AES-256-GCM",
            chunk_bytes: envelope.head.chunk_bytes(),
            content_bytes: source
                .length
                .and_then(|length| envelope.head.plaintext_of(length)),
            file_bytes: source.length,
            generation: envelope.generation,
            context: json!(envelope.keys.context),
            recipients: &envelope.keys.recipients,
        };
        print(cx, &view, || table(&envelope, &view))
    }
}

fn table(envelope: &Envelope, view: &View) -> String {
    let row = |name: &str, value: String| [name.to_owned(), value];
    let content = match (view.content_bytes, view.file_bytes) {
        (Some(length), _) => format!("{} ({length} bytes)", bytes(length)),
        (None, Some(_)) => "the file is cut off or goes on after its end".to_owned(),
        (None, None) => String::new(),
    };
    let mut facts = vec![
        row("Format", view.format.to_owned()),
        row(
            "Cipher",
            format!(
                "{} in chunks of {}",
                view.cipher,
                bytes(view.chunk_bytes as u64)
            ),
        ),
        row("Content", content),
        row(
            "Keys Exchanged",
            envelope.generation.saturating_sub(1).to_string(),
        ),
    ];
    let pairs = envelope.keys.context.pairs().iter();
    facts.extend(pairs.map(|(name, value)| row("Context", plain(&format!("{name}={value}")))));
    let rows: Vec<[String; 4]> = view.recipients.iter().map(recipient).collect();
    let heading = ["Recipient", "Place", "Key", "Alias"];
    format!("{}\n\n{}", key_values(&facts), columns(heading, &rows))
}

fn recipient(of: &Recipient) -> [String; 4] {
    let mount = match of.mount.as_str() {
        "" => String::new(),
        mount => format!("{mount}/"),
    };
    let place = match of.namespace.as_str() {
        "" => mount,
        namespace => format!("{mount} in namespace {namespace}"),
    };
    [&of.keeper, &place, &of.key, &of.alias].map(|text| plain(text))
}

/// Anybody may have written the file: nothing in it makes a line of its own, or turns one around.
fn plain(text: &str) -> String {
    text.escape_debug().to_string()
}
