//! The contexts that are known. No other is, and none is fetched.
