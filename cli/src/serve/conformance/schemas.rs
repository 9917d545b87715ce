//! The JSON Schemas that are at hand: those of the licence types that come with the program, by
//! their addresses here, and those that stand in the credential itself as a `data:` URL.

use std::cell::Cell;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use zhao_issuer::catalogue::Catalogue;
use zhao_spec::wire::binary::decode_base64;
use zhao_vc::model::Credential;
use zhao_vc::schema::{Conformity, Schema, SchemaError, Schemas, check_credential};

use super::trouble::{Trouble, What};

/// Schemas that are checked for one request: each may take a second.
pub(super) const SCHEMAS: usize = 16;
/// What a schema in a `data:` URL may be called.
const MEDIA: [&str; 2] = ["application/json", "application/schema+json"];

/// The schemas that come with the program.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// By address.
    by_url: BTreeMap<String, Schema>,
    /// By the slug of the licence type, as bytes.
    bytes: BTreeMap<String, Vec<u8>>,
}

impl Shelf {
    /// Served below `base`.
    pub(super) fn new(base: &str) -> Self {
        let mut shelf = Self::default();
        for entry in Catalogue::embedded().iter().flat_map(Catalogue::public) {
            let bytes = entry.schema();
            if let Ok(schema) = Schema::parse(&bytes) {
                let url = format!("{base}/schemas/{}", entry.slug);
                shelf.by_url.insert(url, schema);
                shelf.bytes.insert(entry.slug.clone(), bytes);
            }
        }
        shelf
    }

    /// The schema of a licence type.
    pub(super) fn of(&self, slug: &str) -> Option<&[u8]> {
        self.bytes.get(slug).map(Vec::as_slice)
    }

    /// Checks a credential against each of its schemas: an error for one that it does not fit, a
    /// warning for each that is not at hand or says more than is read here. Of those at hand at
    /// most `left` are checked; what is left after them stands there afterwards.
    ///
    /// # Errors
    /// As said; more schemas at hand than are checked.
    pub(super) fn look(
        &self,
        credential: &Credential<'_>,
        left: &Cell<usize>,
    ) -> Result<Vec<Trouble>, Trouble> {
        let at_hand = credential.schemas.iter().filter_map(|part| part.id);
        let at_hand = at_hand.filter(|id| id.starts_with("data:") || self.by_url.contains_key(*id));
        let Some(rest) = left.get().checked_sub(at_hand.count()) else {
            let detail = format!("credentialSchema: more than {SCHEMAS} schemas to check");
            return Err(Trouble::new(What::Malformed, "too-many-schemas", detail));
        };
        left.set(rest);
        let enclosed = credential.schemas.iter().filter_map(|part| part.id);
        let mut unread = BTreeMap::new();
        let mut own = BTreeMap::new();
        for id in enclosed {
            match enclosed_in(id) {
                Some(Ok(schema)) => {
                    own.insert(id.to_owned(), schema);
                }
                Some(Err(trouble)) => {
                    unread.insert(id.to_owned(), trouble);
                }
                None => {}
            }
        }
        let all = All { shelf: self, own };
        let mut warnings = Vec::new();
        for (id, conformity) in check_credential(credential, &all) {
            match conformity {
                Conformity::Pass => {}
                Conformity::Fail(error) => {
                    let what = What::Malformed;
                    return Err(Trouble::new(what, error.code(), error.to_string()));
                }
                Conformity::Undetermined(error) => {
                    let unread = unread.get(id).cloned();
                    warnings.push(unread.unwrap_or_else(|| undetermined(&error)));
                }
            }
        }
        Ok(warnings)
    }
}

fn undetermined(error: &SchemaError) -> Trouble {
    let (code, detail) = match error {
        SchemaError::Unknown { .. } => (
            "schema-not-here",
            "credentialSchema is not at hand and is not fetched, so nothing was compared with it"
                .to_owned(),
        ),
        other => (other.code(), other.to_string()),
    };
    Trouble::new(What::Malformed, code, detail)
}

struct All<'a> {
    shelf: &'a Shelf,
    own: BTreeMap<String, Schema>,
}

impl Schemas for All<'_> {
    fn schema(&self, id: &str) -> Option<&Schema> {
        self.own.get(id).or_else(|| self.shelf.by_url.get(id))
    }
}

/// The schema that a `data:` URL is, or why it is none. Nothing for other URLs.
fn enclosed_in(url: &str) -> Option<Result<Schema, Trouble>> {
    let rest = url.strip_prefix("data:")?;
    let unread = |detail: String| Trouble::new(What::Malformed, "schema-data", detail);
    let wrong = |detail: &str| Some(Err(unread(format!("credentialSchema.id: {detail}"))));
    let Some((kind, data)) = rest.split_once(',') else {
        return wrong("a data: URL without data");
    };
    let (media, encoded) = match kind.strip_suffix(";base64") {
        Some(media) => (media, true),
        None => (kind, false),
    };
    if !MEDIA.iter().any(|known| known.eq_ignore_ascii_case(media)) {
        return wrong("a data: URL that is no JSON");
    }
    let bytes = if encoded {
        match decode_base64(data) {
            Ok(bytes) => bytes,
            Err(_) => return wrong("a data: URL that is not base64"),
        }
    } else {
        percent_decode_str(data).collect()
    };
    let schema = Schema::parse(&bytes);
    Some(schema.map_err(|error| Trouble::new(What::Malformed, error.code(), error.to_string())))
}
