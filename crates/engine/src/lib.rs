//! The seam: what a secrets engine or auth method is, and everything it may use.
