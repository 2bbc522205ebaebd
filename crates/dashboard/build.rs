//! Embeds `dashboard/dist` where it was built, else the page that says that it was not. Runs nothing and reaches for nothing:
//! the Rust build is the same with and without Node.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What the names of compressed variants end in.
const VARIANTS: [&str; 2] = ["br", "gz"];

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let sources = here.join("../../dashboard");
    let built = sources.join("dist");
    let is_built = built.join("index.html").is_file();
    let from = if is_built {
        &built
    } else {
        &here.join("not-built")
    };
    // A path that is missing would make every build run this anew, so the folder is watched in which it will appear.
    for watched in [from, &sources, &here.join("build.rs")] {
        if watched.exists() && !(is_built && *watched == sources) {
            println!("cargo:rerun-if-changed={}", watched.display());
        }
    }
    let mut found = Vec::new();
    collect(from, "", &mut found)?;
    found.sort();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("files.rs"), table(is_built, from, &found)?)
}

/// The files below a folder by their paths in it, without their compressed variants.
fn collect(root: &Path, below: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        if entry.file_type()?.is_dir() {
            collect(root, &path, found)?;
        } else if !is_variant(&path) {
            found.push(path);
        }
    }
    Ok(())
}

fn is_variant(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, end)| VARIANTS.contains(&end))
}

fn table(is_built: bool, root: &Path, found: &[String]) -> io::Result<String> {
    let mut text = format!(
        "pub(crate) const BUILT: bool = {is_built};\npub(crate) static FILES: &[File] = &[\n"
    );
    for path in found {
        let place = root.join(path).canonicalize()?;
        let bytes = fs::read(&place)?;
        let [br, gz] = VARIANTS.map(|end| variant(&place, end));
        let _ = writeln!(
            text,
            "File {{ path: {path:?}, media_type: {:?}, tag: \"{:032x}\", immutable: {}, plain: include_bytes!({:?}), br: {br}, gz: {gz} }},",
            media_type(path),
            fingerprint(&bytes),
            path.starts_with("assets/"),
            place.display().to_string(),
        );
    }
    text.push_str("];\n");
    Ok(text)
}

fn variant(place: &Path, end: &str) -> String {
    let beside = format!("{}.{end}", place.display());
    if Path::new(&beside).is_file() {
        format!("Some(include_bytes!({beside:?}))")
    } else {
        "None".to_owned()
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// FNV-1a of 128 bits: tells contents apart, keeps nothing secret.
fn fingerprint(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    })
}
