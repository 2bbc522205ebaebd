//! Lines beside what the reference wrote, and devices at work.

mod devices;
mod lines;
mod secrecy;
