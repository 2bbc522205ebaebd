//! What people see in their browser.

use coffer_crypto::Zeroizing;
use coffer_engine::{Body, Reply};

use super::flows::Flow;

/// It is done.
pub(super) fn done(text: &str) -> Reply {
    page("Signed in", &escaped(text))
}

/// It failed.
pub(super) fn failure(why: &str) -> Reply {
    page("The sign-in failed", &escaped(why)).status(400)
}

/// Whether it was they who began. The answer goes back where it came from, with a word that only who sees this knows.
pub(super) fn question(flow: &Flow, word: &str) -> Reply {
    let client = flow
        .client
        .map_or("this machine".to_owned(), |client| client.to_string());
    let text = format!(
        "Somebody at <b>{}</b> wants to log in with the role <b>{}</b>. \
         Go on only if that is you; close this page if it is not, for they would have your rights.</p>\
         <form method=\"get\" action=\"callback\"><input type=\"hidden\" name=\"state\" value=\"{}\">\
         <input type=\"hidden\" name=\"confirmation\" value=\"{}\"><button>It is me: sign in</button></form><p>",
        escaped(&client),
        escaped(&flow.role),
        escaped(&flow.state),
        escaped(word),
    );
    page("Was it you who began?", &text)
}

fn page(title: &str, text: &str) -> Reply {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><h1>{title}</h1><p>{text}</p></body></html>\n"
    );
    Reply {
        body: Body::Raw {
            media_type: "text/html; charset=utf-8".to_owned(),
            bytes: Zeroizing::new(html.into_bytes()),
        },
        ..Reply::default()
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
