//! What happens on the server, as it happens.
//!
//! ```no_run
//! # async fn example(client: coffer_client::Client) -> Result<(), coffer_client::Error> {
//! use coffer_client::events::Delivery;
//!
//! let mut stream = client.events().subscribe("kv-v2/*").filter("operation == \"data-write\"").start();
//! loop {
//!     match stream.next().await? {
//!         Delivery::Event(event) => println!("{} {}", event.kind, event.path()),
//!         Delivery::Lost { .. } => { /* read again whatever you keep a copy of */ }
//!         Delivery::Broken { .. } => {} // it comes back on its own
//!     }
//! }
//! # }
//! ```

mod event;
mod message;
mod stream;
mod subscribe;

pub use event::Event;
pub use stream::{Delivery, Subscription};
pub use subscribe::{Events, Subscribe};
