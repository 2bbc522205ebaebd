//! The command line as Vault's users write it: long flags with one dash, `-flag=true`, `-v` for the version.

use std::ffi::OsString;
use std::path::Path;

use clap::{ArgAction, Command};

/// The name this binary was called by: `coffer`, `vault`, `bao`.
pub(crate) fn program_name(argv0: Option<&OsString>) -> String {
    argv0
        .and_then(|path| Path::new(path).file_stem()?.to_str())
        .filter(|name| matches!(*name, "vault" | "bao"))
        .unwrap_or("coffer")
        .to_owned()
}

/// Whether the words ask for the version in one of the ways people do.
pub(crate) fn asks_version(words: &[OsString]) -> bool {
    words.get(1).is_some_and(|word| {
        ["-v", "-version", "--version", "-V"]
            .iter()
            .any(|asked| word == asked)
    })
}

/// Rewrites Go's flags to GNU's: `-format=json` to `--format=json`, `-force=true` to `--force`, `-force=false` to nothing.
///
/// One-letter flags, `-`, negative numbers and everything after `--` stay as they are.
pub(crate) fn normalise(words: Vec<OsString>, root: &Command) -> Vec<OsString> {
    let mut command = root;
    let mut verbatim = false;
    let mut out = Vec::with_capacity(words.len());
    for (position, word) in words.into_iter().enumerate() {
        let Some(text) = word.to_str().filter(|_| position > 0 && !verbatim) else {
            out.push(word);
            continue;
        };
        if text == "--" {
            verbatim = true;
            out.push(word);
        } else if let Some(flag) = long_flag(text) {
            out.extend(rewritten(flag, &[root, command]).map(OsString::from));
        } else {
            command = command.find_subcommand(text).unwrap_or(command);
            out.push(word);
        }
    }
    out
}

/// The flag without its dashes, if the word is a long flag in either style.
fn long_flag(text: &str) -> Option<&str> {
    let flag = text.strip_prefix("--").or_else(|| text.strip_prefix('-'))?;
    let name = flag.split('=').next()?;
    let is_long = name.chars().nth(1).is_some()
        && name.starts_with(|first: char| first.is_ascii_alphabetic());
    is_long.then_some(flag)
}

fn rewritten(flag: &str, commands: &[&Command]) -> Option<String> {
    let Some((name, value)) = flag.split_once('=') else {
        return Some(format!("--{flag}"));
    };
    match value {
        "true" | "t" | "1" if is_switch(name, commands) => Some(format!("--{name}")),
        "false" | "f" | "0" if is_switch(name, commands) => None,
        _ => Some(format!("--{flag}")),
    }
}

fn is_switch(name: &str, commands: &[&Command]) -> bool {
    commands
        .iter()
        .flat_map(|command| command.get_arguments())
        .any(|arg| {
            let names = arg
                .get_long()
                .into_iter()
                .chain(arg.get_all_aliases().into_iter().flatten());
            matches!(arg.get_action(), ArgAction::SetTrue)
                && names.into_iter().any(|known| known == name)
        })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn normalised(line: &str) -> String {
        let words = line.split(' ').map(OsString::from).collect();
        let out: Vec<String> = normalise(words, &Cli::command())
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect();
        out.join(" ")
    }

    #[test]
    fn one_dash_is_as_good_as_two() {
        assert_eq!(
            normalised("coffer read -format=json --field=x a"),
            "coffer read --format=json --field=x a"
        );
        assert_eq!(
            normalised("coffer kv put -mount secret -cas=0 a k=-v -"),
            "coffer kv put --mount secret --cas=0 a k=-v -"
        );
        assert_eq!(normalised("coffer write -f a -h"), "coffer write -f a -h");
        assert_eq!(
            normalised("coffer operator init -n=1 -t=1"),
            "coffer operator init -n=1 -t=1"
        );
        assert_eq!(
            normalised("coffer write a -- -b=c"),
            "coffer write a -- -b=c"
        );
    }

    #[test]
    fn switches_take_true_and_false() {
        assert_eq!(
            normalised("coffer write -force=true a"),
            "coffer write --force a"
        );
        assert_eq!(normalised("coffer write -force=false a"), "coffer write a");
        assert_eq!(
            normalised("coffer token create -renewable=false"),
            "coffer token create --renewable=false"
        );
        assert_eq!(
            normalised("coffer read -tls-skip-verify=true a"),
            "coffer read --tls-skip-verify a"
        );
    }

    #[test]
    fn the_name_follows_the_way_it_is_called() {
        assert_eq!(program_name(Some(&"/usr/bin/vault".into())), "vault");
        assert_eq!(program_name(Some(&"bao".into())), "bao");
        assert_eq!(
            program_name(Some(&"target/debug/anything".into())),
            "coffer"
        );
    }
}
