//! The auth methods: ways in, each of which says who somebody is. The kernel makes the token.

mod address;
pub mod approle;
pub mod aws;
pub mod cert;
pub mod gcp;
mod glob;
mod issuer;
pub mod jwt;
pub mod kubernetes;
pub mod ldap;
mod names;
mod networks;
mod token_fields;
pub mod userpass;
