//! Each rule of deciding by itself, then all of them against a plain implementation.

mod deciding;
mod explaining;
mod texts;
mod tree;

use coffer_wire::{Timestamp, Verb};
use serde_json::{Map, Value};

use super::*;

const NOW: Timestamp = Timestamp::EPOCH;

fn acl(texts: &[&str]) -> Acl {
    let named = texts.iter().enumerate();
    let policies: Vec<Policy> = named
        .map(|(number, text)| Policy::parse(&format!("p{number}"), text).unwrap())
        .collect();
    Acl::compile(&policies, NOW)
}

/// A policy of `path capability…` lines.
fn rules(lines: &[&str]) -> String {
    let rule = |line: &&str| {
        let mut words = line.split(' ');
        let path = words.next().unwrap();
        let held: Vec<String> = words.map(|word| format!("{word:?}")).collect();
        format!("path {path:?} {{ capabilities = [{}] }}\n", held.join(", "))
    };
    lines.iter().map(rule).collect()
}

fn held(lines: &[&str], path: &str) -> String {
    acl(&[&rules(lines)]).capabilities(path).join(" ")
}

fn question<'a>(path: &'a str, verb: Verb, body: &'a Map<String, Value>) -> Question<'a> {
    Question {
        path,
        verb,
        creates: false,
        body,
        wrap_ttl: None,
        sudo_path: false,
    }
}

fn allows(acl: &Acl, verb: Verb, path: &str) -> bool {
    acl.decide(&question(path, verb, &Map::new())).allowed
}

fn refused(text: &str) -> String {
    Policy::parse("p", text).unwrap_err().to_string()
}
