use coffer_secrets::database::Database;
use coffer_secrets::kms::Kms;
use coffer_secrets::kv::{V1, V2};
use coffer_secrets::transit::Transit;

use super::*;

/// Whatever is asked, and in whichever field a secret is: it is in no event.
async fn nothing_is_let_out<E: Engine>(version: &str) {
    let bench = Bench::<E>::with_options(&[("version", version)]).await;
    let mut count = 0;
    // The second time all is there that the first has made.
    for _ in 0..2 {
        bench.ask_everything(MARK).await;
        count += told(&bench).len();
    }
    assert!(
        count > 1,
        "{} told so little that nothing is proved: {count}",
        E::NAME
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_of_any_request_is_in_an_event() {
    nothing_is_let_out::<V1>("1").await;
    nothing_is_let_out::<V2>("2").await;
    nothing_is_let_out::<Transit>("").await;
    nothing_is_let_out::<Kms>("").await;
    nothing_is_let_out::<Database>("").await;
}
