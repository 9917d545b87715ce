//! What was found, fragment by fragment.
