//! JSON Schemas of credentials (VC JSON Schema, draft 2020-12).
