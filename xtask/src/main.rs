//! Chores of the project.
//!
//! `cargo xtask check` holds the workspace to the rules that the compiler does not check: which crate may use which, who may
//! name a cipher or an HTTP library, what a file may be called and how long it may be. Each rule is one file in `rules`.

mod rules;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["check"] => check(),
        ["rules"] => {
            for (name, _) in rules::ALL {
                println!("{name}");
            }
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: cargo xtask [check | rules]");
            ExitCode::from(2)
        }
    }
}

/// Runs every rule, also after one was broken, so that one run shows all there is to mend.
fn check() -> ExitCode {
    let workspace = match Workspace::read() {
        Ok(workspace) => workspace,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            return ExitCode::from(2);
        }
    };
    let mut broken = 0_usize;
    for (name, rule) in rules::ALL {
        let findings = rule(&workspace);
        println!(
            "{} {name}",
            if findings.is_empty() { "ok  " } else { "FAIL" }
        );
        for finding in &findings {
            println!("     {finding}");
        }
        broken += findings.len();
    }
    if broken == 0 {
        return ExitCode::SUCCESS;
    }
    println!("\n{broken} to mend");
    ExitCode::FAILURE
}
