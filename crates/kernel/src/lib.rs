//! The request pipeline, mounts, tokens, policies, leases, audit and the seal life-cycle.
