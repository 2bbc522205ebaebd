//! What travels between Coffer and its clients: envelopes, headers, lenient input types.
