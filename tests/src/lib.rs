//! Black-box suites that start the real binary.
