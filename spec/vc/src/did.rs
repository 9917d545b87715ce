//! Decentralised identifiers: did:key, did:web, and what a resolver answers.
