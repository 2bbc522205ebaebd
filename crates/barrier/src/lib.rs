//! The encrypted barrier: a sealed key ring over a store, typed views, the seal.
