//! Drives two servers in turn with the same load on this machine and prints what each needed, side by side.
//!
//! `cargo run --release -p coffer-benches -- --server target/release/coffer --peer bao`
//!
//! Rounds are interleaved (A B, then B A, …) so that what else the machine does hits both alike; the table holds
//! medians over the rounds. Only numbers of one run may be compared with each other.

mod connection;
mod issuer;
mod load;
mod logins;
mod options;
mod postgres;
mod process;
mod report;
mod round;
mod transit;

use clap::Parser;
use tokio::task::LocalSet;

use crate::options::Options;
use crate::postgres::Postgres;
use crate::report::Report;

/// What can go wrong here ends the run, so a text is enough.
type Failure = Box<dyn std::error::Error + Send + Sync>;

// One thread: the driver must leave the other cores to the server it measures.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let narrow = options.only_logins || options.only_transit;
    let postgres = if options.credentials == 0 || narrow {
        None
    } else {
        Some(Postgres::start(&options)?)
    };
    let mut report = Report::new(&options);
    for number in 0..options.rounds {
        let mut sides = options.sides();
        if number % 2 == 1 {
            sides.reverse();
        }
        for side in sides {
            eprintln!("round {} of {}: {}", number + 1, options.rounds, side.label);
            let measured = round::run(&options, &side, postgres.as_ref());
            let measured = LocalSet::new().run_until(measured).await?;
            report.add(&side, measured);
        }
    }
    println!("{}", report.markdown());
    Ok(())
}
