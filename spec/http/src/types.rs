//! What requests and answers hold. Files (dossier, receipt, history, answer) are as their own pages
//! say, and stand in these types byte for byte.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

/// A file of `spec/dossier.md`, verbatim.
pub type Verbatim = Box<RawValue>;

/// What a key may be used for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Read the office's records.
    Read,
    /// Issue licences and new versions of them.
    Issue,
    /// Say what befell a licence; submit signed events.
    Change,
    /// Everything.
    Admin,
}

impl Scope {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Issue => "issue",
            Self::Change => "change",
            Self::Admin => "admin",
        }
    }
}

/// The server lives.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
}

/// Whether the server takes work.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Ready {
    /// `ready`.
    pub status: String,
    /// The log's name.
    pub origin: String,
    /// Leaves under the published head.
    pub size: u64,
    /// When the published head's epoch was recorded, RFC 3339.
    pub time: String,
}

/// The record of one subject, and the proof that the map has it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Standing {
    /// As of when: epoch leaf, inclusion proof, checkpoint with its signatures, as in a dossier.
    #[schema(value_type = Object)]
    pub head: Verbatim,
    /// From the record's leaf to the map root, as in a dossier.
    #[schema(value_type = Object)]
    pub path: Verbatim,
    /// The record.
    #[schema(value_type = Object)]
    pub record: Verbatim,
    /// The subject key.
    pub subject: String,
}

/// A moment in the past.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// As of when: `2026-11-22` or RFC 3339. Absent: now.
    pub at: Option<String>,
}

/// A moment in the past, by the name that Bitstring Status List §3.2 gives it.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Timestamp {
    /// The list as it stood then, RFC 3339. Absent: now.
    pub timestamp: Option<String>,
}

/// What is handed in, for the document only: events have a reader of their own, which is strict.
#[derive(Debug)]
pub struct Events;

impl ToSchema for Events {}

impl utoipa::PartialSchema for Events {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Type};
        let event = || ObjectBuilder::new().schema_type(Type::Object).build();
        let several = ArrayBuilder::new()
            .items(event())
            .min_items(Some(1))
            .max_items(Some(super::limits::EVENTS))
            .build();
        OneOfBuilder::new().item(event()).item(several).into()
    }
}

/// What became of one event.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EventAnswer {
    /// `receipted`, `pending` or `refused`.
    pub status: String,
    /// The event's identity.
    pub event: String,
    /// Its leaf index, once receipted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The log's receipt, once receipted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub receipt: Option<Verbatim>,
    /// Stable code of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The refusal in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What became of events, in their order.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EventsAnswer {
    /// One each.
    pub answers: Vec<EventAnswer>,
}

/// A licence as the office has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
pub struct LicenceView {
    /// The credential's id.
    pub id: String,
    /// Licence identifier.
    pub identifier: String,
    /// Licence number.
    pub number: String,
    /// `issuing`, `issued` or `refused`. Nobody may be given a licence that is not issued.
    pub state: String,
    /// Subject key.
    pub subject: String,
    /// Type code.
    #[serde(rename = "type")]
    pub type_code: String,
    /// The issuing unit's code.
    pub unit: String,
}

/// A licence with its credential and its standing.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LicenceAnswer {
    /// The credential, once the licence is issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub credential: Option<Verbatim>,
    /// What whoever gets it must keep to, as its type's entry says (member `useConditions` there).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub conditions: Option<Verbatim>,
    /// As the office has it.
    pub licence: LicenceView,
    /// As the log has it, with proof, once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// The version that took over, for a licence that was superseded: its licence identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<LicenceView>,
}

/// Which licences. One of the first four, or none: all, by the order in which they were signed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// Exactly this licence number.
    #[param(max_length = 128)]
    pub number: Option<String>,
    /// Exactly this licence identifier.
    #[param(max_length = 128)]
    pub identifier: Option<String>,
    /// Exactly this holder's code.
    #[param(max_length = 128)]
    pub holder: Option<String>,
    /// Exactly this holder's name.
    #[param(max_length = 128)]
    pub name: Option<String>,
    /// After this row: `next` of the page before.
    #[param(minimum = 0)]
    pub after: Option<i64>,
    /// At most so many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<usize>,
}

/// A licence in a list: enough to choose it, too little to copy.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
pub struct LicenceSummary {
    /// The holder's code, masked.
    pub holder_code: String,
    /// The holder's name: an organisation's whole, a person's masked.
    pub holder_name: String,
    /// Licence identifier, masked.
    pub identifier: String,
    /// Licence number, masked.
    pub number: String,
    /// `issuing`, `issued` or `refused`. Nobody may be given a licence that is not issued.
    pub state: String,
    /// Subject key.
    pub subject: String,
    /// Type code.
    #[serde(rename = "type")]
    pub type_code: String,
    /// The issuing unit's code.
    pub unit: String,
    /// The identifier's version.
    pub version: u16,
}

/// The licence types of the office.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct TypeList {
    /// Entries of the catalogue, without their secret fields.
    #[schema(value_type = Vec<Object>)]
    pub types: Vec<Verbatim>,
}

/// A page of licences.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
pub struct LicenceList {
    /// The licences, in the order in which they were signed.
    pub licences: Vec<LicenceSummary>,
    /// `after` of the next page, if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// What became of one licence that was to be issued.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Issued {
    /// Which row, from 1.
    pub row: u64,
    /// `issued`, `repeated`, `pending` or `refused`.
    pub status: String,
    /// The licence, unless refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<LicenceView>,
    /// The credential, once issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub credential: Option<Verbatim>,
    /// The log's receipt, for `issued`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub receipt: Option<Verbatim>,
    /// Why not, for `refused`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<super::Fault>,
    /// What is to be known of it, though it was not refused for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<super::Fault>,
}

/// What holds for a batch of any length.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BulkQuery {
    /// Type code or slug, for rows that do not say otherwise.
    #[serde(rename = "type")]
    #[param(max_length = 128)]
    pub licence_type: Option<String>,
    /// The issuing unit's code, for rows that do not say otherwise.
    #[param(max_length = 128)]
    pub unit: Option<String>,
    /// `true`: only say what would become of the rows.
    pub dry_run: Option<bool>,
}

/// A line of the answer to a batch of any length.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BulkLine {
    /// What became of the next row, without the receipt. `possible` in a dry run.
    Row(Box<Issued>),
    /// The last line. An answer without it was broken off.
    End(BulkEnd),
}

/// How a batch ended.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct BulkEnd {
    /// Issued; in a dry run, possible.
    pub issued: u64,
    /// Not in the log yet.
    pub pending: u64,
    /// Issued before under the same reference.
    pub repeated: u64,
    /// Refused.
    pub refused: u64,
    /// Why later rows were not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Box<super::Problem>>,
}

/// What became of a batch, row by row.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BatchAnswer {
    /// In order of the rows.
    pub rows: Vec<Issued>,
}

/// What holds for rows that do not say otherwise.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RowDefaults {
    /// Type code or slug.
    #[serde(rename = "type")]
    #[param(max_length = 128)]
    pub licence_type: Option<String>,
    /// The issuing unit's code.
    #[param(max_length = 128)]
    pub unit: Option<String>,
}

/// A licence once more, in a form that other people's software reads.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FormRequest {
    /// `dc+sd-jwt`, `eddsa-rdfc-2022`, `vc+cose` or `vc+jwt`.
    pub form: String,
    /// The holder's key, a did:key; `dc+sd-jwt` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// The office's own public URL, under whose name the unit states. Absent: under the did:key
    /// that issued the licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
}

/// Something befalls a licence.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActRequest {
    /// What: a verb of `spec/event.md` for licences.
    pub verb: String,
    /// Why, in words. Only a salted digest of it enters the log.
    pub reason: String,
    /// Reason code in clear, for open types only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The document this rests on. Only a salted digest of it enters the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// When it takes legal effect, RFC 3339. Absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<String>,
    /// Leaf index of the mortgage, pledge or objection that this ends. Absent: the only open one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// `inspect`: `passed` or `failed`; `clear-objection`: `upheld` or `rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// `inspect`: when the next is due, RFC 3339 or a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// `transfer`: the code of the unit that controls the licence from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What became of an act.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ActAnswer {
    /// `receipted` or `pending`.
    pub status: String,
    /// The event's identity.
    pub event: String,
    /// Its leaf index, once receipted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The log's receipt, once receipted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub receipt: Option<Verbatim>,
    /// The licence's standing under the head that shows the act, once receipted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// A new version of a licence.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionRequest {
    /// `amended`, `renewed`, `reissued` or `corrected`.
    pub relation: String,
    /// Fields that differ, as in a row; an empty text takes an optional field away.
    #[schema(value_type = Object)]
    pub changes: Verbatim,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Reason code in clear, for open types only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The document this rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
}

/// A unit of the office.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct UnitView {
    /// Its name.
    pub name: String,
    /// Subject key.
    pub subject: String,
    /// Its code.
    pub uscc: String,
    /// Its record in the log, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub record: Option<Verbatim>,
}

/// The office's units.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct UnitList {
    /// By code.
    pub units: Vec<UnitView>,
}

/// How a dossier is made.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DossierQuery {
    /// As of when: `2026-11-22` or RFC 3339. Absent: now.
    pub at: Option<String>,
    /// `false`: for verifiers that have the issuer pack.
    pub authorities: Option<bool>,
}

/// Which enterprise.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EnterpriseName {
    /// Its whole name, exactly.
    #[param(min_length = 2, max_length = 128)]
    pub name: String,
}

/// The open licences of every enterprise of one name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Enterprises {
    /// One answer (`spec/dossier.md`) each; none when nobody of this name has an open licence.
    #[schema(value_type = Vec<Object>)]
    pub answers: Vec<Verbatim>,
}
