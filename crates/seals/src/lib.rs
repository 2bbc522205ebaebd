//! Who keeps the root key of a server that opens by itself: one module for each keeper.
