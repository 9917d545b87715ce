//! What goes over HTTP between a served registry and whoever asks it.
//!
//! In scope: requests, answers, problems, limits, and with the feature `client` a typed client over
//! TCP or a Unix socket. Out of scope: the routes' work (`zhao serve`), and whether a file that is
//! answered is right (`zhao-verifier`: no verifier needs this crate). Prose: `spec/http.md`.
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
pub mod client;
pub mod limits;
mod problem;
mod types;

/// Header that names the person who acts: percent-encoded UTF-8. The caller vouches for it.
pub const OPERATOR: &str = "zhao-operator";

pub use problem::{Fault, KINDS, Kind, MEDIA_TYPE, Problem, TYPES};
pub use types::{
    ActAnswer, ActRequest, At, BatchAnswer, BulkEnd, BulkLine, BulkQuery, DossierQuery,
    EnterpriseName, Enterprises, EventAnswer, Events, EventsAnswer, Find, FormRequest, Health,
    Issued, LicenceAnswer, LicenceList, LicenceSummary, LicenceView, Ready, RowDefaults, Scope,
    Standing, Timestamp, TypeList, UnitList, UnitView, Verbatim, VersionRequest,
};
