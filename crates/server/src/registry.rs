//! THE list of engines: what is not here can not be mounted.

use coffer_auth::approle::AppRole;
use coffer_auth::aws::Aws;
use coffer_auth::cert::Cert;
use coffer_auth::gcp::Gcp;
use coffer_auth::jwt::Jwt;
use coffer_auth::kubernetes::Kubernetes;
use coffer_auth::ldap::Ldap;
use coffer_auth::userpass::Userpass;
use coffer_engine::{Class, Kind};
use coffer_secrets::cubbyhole::Cubbyhole;
use coffer_secrets::database::Database;
use coffer_secrets::kms::Kms;
use coffer_secrets::kv;
use coffer_secrets::transit::Transit;

use crate::error::Error;

/// Every engine of this binary. A table with a fault in it refuses to start.
pub fn kinds() -> Result<Vec<Kind>, Error> {
    let kinds = vec![
        Kind::versioned::<kv::V1>(Class::Secret, "1").or::<kv::V2>("2"),
        Kind::new::<Cubbyhole>(Class::Secret),
        Kind::new::<Database>(Class::Secret),
        Kind::new::<Transit>(Class::Secret),
        Kind::new::<Kms>(Class::Secret),
        Kind::new::<AppRole>(Class::Auth),
        Kind::new::<Cert>(Class::Auth),
        Kind::new::<Jwt>(Class::Auth),
        Kind::new::<Jwt>(Class::Auth).named("oidc"),
        Kind::new::<Ldap>(Class::Auth),
        Kind::new::<Aws>(Class::Auth),
        Kind::new::<Gcp>(Class::Auth),
        Kind::new::<Kubernetes>(Class::Auth),
        Kind::new::<Userpass>(Class::Auth),
    ];
    let faults: Vec<String> = kinds.iter().flat_map(Kind::faults).collect();
    match faults.is_empty() {
        true => Ok(kinds),
        false => Err(Error::Registry(faults.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_table_is_free_of_faults() {
        super::kinds().unwrap();
    }
}
