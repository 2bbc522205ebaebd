use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    apply, audit, auth, completion, debug, delete, diff, envelope, events, kms, kv, lease, list,
    login, monitor, namespace, operator, patch, path_help, plugin, policy, print, read, scan,
    secrets, server, status, token, transit, unwrap, version, version_history, write,
};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::invocation;
use crate::ui::Ui;

/// The exit code for a command that does not exist, as shells use it.
const UNKNOWN_COMMAND: u8 = 127;

/// Keeps secrets, issues short-lived credentials, encrypts.
#[derive(Debug, Parser)]
#[command(
    name = "coffer",
    disable_version_flag = true,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Flags may be written with one dash or two: -format=json, --format json. \
                  `COMMAND -h` is short, `COMMAND --help` shows the connection flags too."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Read(read::Read),
    Write(write::Write),
    Patch(patch::Patch),
    Delete(delete::Delete),
    List(list::List),
    Scan(scan::Scan),
    Login(login::Login),
    Server(server::Server),
    Status(status::Status),
    Unwrap(unwrap::Unwrap),
    #[command(subcommand)]
    Kv(kv::Kv),
    #[command(subcommand)]
    Kms(kms::Kms),
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    #[command(subcommand)]
    Auth(auth::AuthMethods),
    #[command(subcommand)]
    Namespace(namespace::Namespace),
    #[command(subcommand)]
    Policy(policy::Policy),
    #[command(subcommand)]
    Token(token::TokenCommands),
    #[command(subcommand)]
    Lease(lease::Leases),
    #[command(subcommand)]
    Transit(transit::Transit),
    #[command(subcommand)]
    Envelope(envelope::Envelope),
    #[command(subcommand)]
    Audit(audit::Audit),
    #[command(subcommand)]
    Operator(operator::Operator),
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    Apply(apply::Apply),
    Diff(diff::Diff),
    #[command(subcommand)]
    Events(events::Events),
    Monitor(monitor::Monitor),
    Debug(debug::Debug),
    PathHelp(path_help::PathHelp),
    #[command(subcommand)]
    Print(print::Print),
    Completion(completion::Completion),
    Version(version::Version),
    VersionHistory(version_history::VersionHistory),
}

/// Reads the words, runs the command, answers the exit code.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = words.collect();
    let program = invocation::program_name(words.first());
    if invocation::asks_version(&words) {
        version::print(&program, &Ui::new(true));
        return 0;
    }
    if words.iter().any(|word| {
        word.to_string_lossy()
            .trim_start_matches('-')
            .starts_with("autocomplete-")
    }) {
        Ui::new(true).line(&completion::advice(&program));
        return 0;
    }
    // Clap wants names that live as long as the program; it is one word of a handful.
    let command = Cli::command().name(match program.as_str() {
        "vault" => "vault",
        "bao" => "bao",
        _ => "coffer",
    });
    let words = invocation::normalise(words, &command);
    // Of a check, 1 says what was found.
    let usage_code = if checks_a_log(&words) { 2 } else { 1 };
    let parsed = command
        .try_get_matches_from(words)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return misused(&error, usage_code),
    };
    let failure = match Context::new(cli.global, program) {
        Ok(cx) => dispatch(&cx, cli.command).err(),
        Err(failure) => Some(failure),
    };
    let Some(failure) = failure else { return 0 };
    if !failure.text.is_empty() {
        Ui::new(true).error(&failure.text);
    }
    failure.code
}

/// Help that was asked for goes to standard output and is a success; anything else is wrong usage.
fn misused(error: &clap::Error, usage_code: u8) -> u8 {
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp => 0,
        ErrorKind::InvalidSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            if is_root(error) =>
        {
            UNKNOWN_COMMAND
        }
        _ => usage_code,
    }
}

fn checks_a_log(words: &[OsString]) -> bool {
    let mut commands = words.iter().filter_map(|word| word.to_str());
    commands.any(|word| word == "audit") && commands.any(|word| word == "verify")
}

/// Whether the mistake is at the first word: the usage line then holds nothing but the program.
fn is_root(error: &clap::Error) -> bool {
    let usage = match error.get(ContextKind::Usage) {
        Some(usage) => usage.to_string(),
        None => error.render().to_string(),
    };
    usage
        .lines()
        .find_map(|line| line.trim().strip_prefix("Usage: "))
        .is_some_and(|line| {
            line.split(' ')
                .nth(1)
                .is_some_and(|word| word.starts_with(['[', '<']))
        })
}

fn dispatch(cx: &Context, command: Command) -> Outcome {
    if let Command::Server(server) = command {
        return server.run(cx);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local(format!("cannot start: {error}")))?;
    runtime.block_on(run_client(cx, command))
}

async fn run_client(cx: &Context, command: Command) -> Outcome {
    match command {
        Command::Read(read) => read.run(cx).await,
        Command::Write(write) => write.run(cx).await,
        Command::Patch(patch) => patch.run(cx).await,
        Command::Delete(delete) => delete.run(cx).await,
        Command::List(list) => list.run(cx).await,
        Command::Scan(scan) => scan.run(cx).await,
        Command::Login(login) => login.run(cx).await,
        Command::Server(server) => server.run(cx),
        Command::Status(status) => status.run(cx).await,
        Command::Unwrap(unwrap) => unwrap.run(cx).await,
        Command::Kv(kv) => kv.run(cx).await,
        Command::Kms(kms) => kms.run(cx).await,
        Command::Secrets(secrets) => secrets.run(cx).await,
        Command::Auth(auth) => auth.run(cx).await,
        Command::Namespace(namespace) => namespace.run(cx).await,
        Command::Policy(policy) => policy.run(cx).await,
        Command::Token(token) => token.run(cx).await,
        Command::Lease(lease) => lease.run(cx).await,
        Command::Transit(transit) => transit.run(cx).await,
        Command::Envelope(envelope) => envelope.run(cx).await,
        Command::Audit(audit) => audit.run(cx).await,
        Command::Operator(operator) => operator.run(cx).await,
        Command::Plugin(plugin) => plugin.run(cx).await,
        Command::Apply(apply) => apply.run(cx).await,
        Command::Diff(diff) => diff.run(cx).await,
        Command::Events(events) => events.run(cx).await,
        Command::Monitor(monitor) => monitor.run(cx).await,
        Command::Debug(debug) => debug.run(cx).await,
        Command::PathHelp(path_help) => path_help.run(cx).await,
        Command::Print(print) => print.run(cx),
        Command::Completion(completion) => completion.run(cx),
        Command::Version(version) => version.run(cx),
        Command::VersionHistory(history) => history.run(cx).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_commands_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn exit_codes_of_wrong_usage_are_the_reference_s() {
        let run_words = |line: &str| run(line.split(' ').map(OsString::from));
        assert_eq!(run_words("coffer bogus"), 127);
        assert_eq!(run_words("coffer"), 127);
        assert_eq!(run_words("coffer kv"), 1);
        assert_eq!(run_words("coffer kv bogus"), 1);
        assert_eq!(run_words("coffer read"), 1);
        assert_eq!(run_words("coffer read -bogus x"), 1);
        assert_eq!(run_words("coffer audit verify"), 2);
        assert_eq!(run_words("coffer audit verify -bogus x"), 2);
        assert_eq!(run_words("coffer audit verify -head=x /dev/null"), 2);
        assert_eq!(run_words("coffer audit verify /nonexistent/audit.log"), 2);
        assert_eq!(run_words("coffer audit verify /dev/null"), 0);
        assert_eq!(run_words("coffer read -h"), 0);
        assert_eq!(run_words("vault -version"), 0);
    }
}
