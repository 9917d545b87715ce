//! Other people's JSON. Prose: `spec/json.md`.
