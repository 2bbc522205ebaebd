//! Lines beside what the reference wrote, and devices at work.

mod chain;
mod devices;
mod lines;
mod outlets;
mod secrecy;
