//! What an issuer's and a holder's instance make: credentials, presentations, status lists.

use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{UnixMillis, clip};
use zhao_vc::jose::Challenge;
use zhao_vc::model::{self, Enveloped, Version};
use zhao_vc::status::{ENTRY_TYPE, entries};
use zhao_vc::time::date_time_stamp;

use super::engine::{Wording, encoded, of_model, of_status};
use super::json::{each, object, set, text};
use super::lists::Purpose;
use super::request::{Options, Request};
use super::trouble::{Trouble, What};
use super::{Instance, Method};

/// What `POST /credentials/issue` may say in `options`.
///
/// `type` and `cryptosuite` are what earlier drafts had and clients still send; they must say what
/// the instance does anyway.
const ISSUE: &[&str] = &[
    "created",
    "credentialId",
    "credentialStatus",
    "cryptosuite",
    "type",
];
/// What `POST /presentations` may say in `options`.
const PRESENT: &[&str] = &[
    "challenge",
    "created",
    "cryptosuite",
    "domain",
    "proofPurpose",
    "type",
    "verificationMethod",
];
/// Data Integrity's context, which credentials of version 1.1 need for their proof.
const DATA_INTEGRITY: &str = "https://w3id.org/security/data-integrity/v2";

impl Instance {
    /// A credential, issued by this instance's DID whoever it named: the catalogue is open, the
    /// issuer is not.
    ///
    /// # Errors
    /// No credential of the data model, terms that no context defines, unknown options.
    pub(super) fn issue(&self, request: &Request, now: UnixMillis) -> Result<Foreign, Trouble> {
        let credential = request.object("credential")?;
        let options = request.options(ISSUE)?;
        let shape = model::unsecured(credential).map_err(|error| of_model(&error))?;
        let did = self.engine.for_whom(shape.issuer.id);
        self.must_do(options, &did)?;
        if let Some(given) = credential.member("credentialStatus") {
            entries(given).map_err(|error| of_status(&error))?;
        }
        let mut made = credential.clone();
        set(&mut made, "issuer", named(shape.issuer.value, &did));
        let id = options.text("credentialId")?.or(shape.id);
        if shape.version == Version::V2 {
            if shape.statuses.is_empty() {
                let purpose = purpose(options)?;
                // Nothing is given away before it is known that the credential can be issued.
                self.engine.defined(&made)?;
                let entry = self.lists.allot(purpose, id)?;
                set(&mut made, "credentialStatus", entry);
            }
        } else {
            with_context(&mut made, shape.contexts.as_slice());
        }
        let wording = Wording {
            did: &did,
            purpose: "assertionMethod",
            created: &created(options, now)?,
            ..Wording::default()
        };
        let issued = self.secured(&made, wording)?;
        if let Some(id) = id {
            self.credentials.put(id, &issued);
        }
        Ok(issued)
    }

    /// A presentation of this instance's DID, with an authentication proof.
    ///
    /// # Errors
    /// No presentation of the data model, another holder, unknown options.
    pub(super) fn present(&self, request: &Request, now: UnixMillis) -> Result<Foreign, Trouble> {
        let presentation = request.object("presentation")?;
        let options = request.options(PRESENT)?;
        let shape =
            model::unsecured_presentation(presentation).map_err(|error| of_model(&error))?;
        let holder = shape.holder.as_ref().map_or("", |holder| holder.id);
        let did = self.engine.for_whom(holder);
        self.must_do(options, &did)?;
        let mut made = presentation.clone();
        match &shape.holder {
            Some(holder) if holder.id != did => {
                let detail = format!("holder {} is not this instance's DID", clip(holder.id));
                return Err(Trouble::new(What::Malformed, "holder-other", detail));
            }
            Some(_) => {}
            None => set(&mut made, "holder", text(&*did)),
        }
        if shape.version == Version::V1 {
            with_context(&mut made, shape.contexts.as_slice());
        }
        let purpose = options.text("proofPurpose")?.unwrap_or("authentication");
        if purpose != "authentication" && purpose != "assertionMethod" {
            let detail = format!("options.proofPurpose {} is not known here", clip(purpose));
            return Err(Trouble::new(What::Malformed, "option-value", detail));
        }
        let created = created(options, now)?;
        let (domain, challenge) = (options.text("domain")?, options.text("challenge")?);
        if self.method == Method::Jose
            && (purpose != "authentication" || domain.is_some() != challenge.is_some())
        {
            let detail = "options: an enveloped presentation is for an authentication, with both \
                          domain and challenge or with neither";
            return Err(Trouble::new(What::Malformed, "option-value", detail));
        }
        let wording = Wording {
            did: &did,
            purpose,
            created: &created,
            domain,
            challenge,
        };
        let presented = self.secured(&made, wording)?;
        if let Some(id) = shape.id {
            self.presentations.put(id, &presented);
        }
        Ok(presented)
    }

    /// The credential of a status list, as it is now.
    ///
    /// # Errors
    /// A fault of ours: it cannot be secured.
    pub(super) fn list(&self, purpose: Purpose, now: UnixMillis) -> Result<Foreign, Trouble> {
        let url = self.lists.url(purpose);
        let did = self.engine.did();
        let encoded = encoded(self.lists.bits(purpose))?;
        let list = object([
            ("@context", Foreign::Array(vec![text(model::BASE_V2)])),
            ("id", text(&*url)),
            (
                "type",
                Foreign::Array(vec![
                    text("VerifiableCredential"),
                    text("BitstringStatusListCredential"),
                ]),
            ),
            ("issuer", text(&*did)),
            ("validFrom", text(seconds(now))),
            (
                "credentialSubject",
                object([
                    ("id", text(format!("{url}#list"))),
                    ("type", text("BitstringStatusList")),
                    ("statusPurpose", text(purpose.as_str())),
                    ("encodedList", text(encoded)),
                ]),
            ),
        ]);
        let wording = Wording {
            did: &did,
            purpose: "assertionMethod",
            created: &seconds(now),
            ..Wording::default()
        };
        self.secured(&list, wording)
    }

    /// `POST /credentials/status`: sets one status. Gives the entry's index.
    ///
    /// # Errors
    /// No such credential or entry here, another type, a malformed request.
    pub(super) fn update(&self, request: &Request) -> Result<(Purpose, usize, bool), Trouble> {
        let id = request.text("credentialId")?.ok_or_else(|| {
            let detail = "the request has no credentialId";
            Trouble::new(What::Malformed, "request-missing", detail)
        })?;
        let entry = request.object("credentialStatus")?;
        let known = [
            "id",
            "type",
            "statusPurpose",
            "statusListIndex",
            "statusListCredential",
        ];
        if let Foreign::Object(members) = entry
            && let Some((name, _)) = members
                .iter()
                .find(|(name, _)| !known.contains(&name.as_str()))
        {
            let detail = format!("credentialStatus.{} is not known here", clip(name));
            return Err(Trouble::new(What::Malformed, "request-member", detail));
        }
        let kind = entry.member("type").and_then(Foreign::as_text);
        if kind != Some(ENTRY_TYPE) {
            let detail = format!("credentialStatus.type is not {ENTRY_TYPE}");
            return Err(Trouble::new(What::Malformed, "status-type", detail));
        }
        let purpose = entry.member("statusPurpose").and_then(Foreign::as_text);
        let purpose = purpose.and_then(Purpose::of).ok_or_else(|| {
            let detail = "credentialStatus.statusPurpose is revocation or suspension";
            Trouble::new(What::Malformed, "status-purpose", detail)
        })?;
        // The draft demands it; clients of earlier drafts mean true by leaving it out.
        let status = request.flag("status")?.unwrap_or(true);
        let url = self.lists.url(purpose);
        let index = self.lists.index(purpose, id)?;
        let same = |name: &str, value: &str| {
            let said = entry.member(name);
            said.is_none_or(|said| said.as_text() == Some(value))
        };
        if !same("statusListCredential", &url) || !same("statusListIndex", &index.to_string()) {
            let detail = "credentialStatus names another entry than the credential's";
            return Err(Trouble::new(What::Malformed, "status-other", detail));
        }
        self.lists.set(purpose, index, status);
        Ok((purpose, index, status))
    }

    /// Options that say how: they must say what is done.
    fn must_do(&self, options: Options<'_>, did: &str) -> Result<(), Trouble> {
        let method = self.engine.method(did);
        let (kind, suite) = match self.method {
            Method::Proof(suite) => ("DataIntegrityProof", suite.as_str()),
            Method::Jose => ("EnvelopedVerifiableCredential", "EdDSA"),
        };
        for (name, value) in [
            ("type", kind),
            ("cryptosuite", suite),
            ("verificationMethod", method.as_str()),
        ] {
            if options.text(name)?.is_some_and(|said| said != value) {
                let detail = format!("options.{name}: this instance does {value}");
                return Err(Trouble::new(What::Malformed, "option-value", detail));
            }
        }
        Ok(())
    }

    fn secured(&self, document: &Foreign, wording: Wording<'_>) -> Result<Foreign, Trouble> {
        self.engine.defined(document)?;
        match self.method {
            Method::Proof(suite) => self.engine.secure(document, suite, wording),
            Method::Jose if wording.purpose == "authentication" => {
                let asked = wording.domain.zip(wording.challenge);
                let challenge = asked.map(|(audience, nonce)| Challenge { audience, nonce });
                let holds = Enveloped::Presentation;
                self.engine.envelop(document, wording.did, holds, challenge)
            }
            Method::Jose => {
                let holds = Enveloped::Credential;
                self.engine.envelop(document, wording.did, holds, None)
            }
        }
    }
}

/// The issuer as it was given, with this DID.
fn named(given: &Foreign, did: &str) -> Foreign {
    match given {
        Foreign::Object(_) => {
            let mut issuer = given.clone();
            set(&mut issuer, "id", text(did));
            issuer
        }
        _ => text(did),
    }
}

/// When the proof says it was made: now, unless it is said.
fn created(options: Options<'_>, now: UnixMillis) -> Result<String, Trouble> {
    match options.text("created")? {
        None => Ok(seconds(now)),
        Some(said) if date_time_stamp(said).is_some() => Ok(said.to_owned()),
        Some(said) => {
            let detail = format!("options.created {} is no dateTimeStamp", clip(said));
            Err(Trouble::new(What::Malformed, "option-value", detail))
        }
    }
}

/// A time as credentials write it, to the second.
pub(super) fn seconds(at: UnixMillis) -> String {
    let text = UnixMillis(at.0 - at.0 % 1_000).to_string();
    text.replace(".000Z", "Z")
}

/// Of which kind the status entry is to be.
fn purpose(options: Options<'_>) -> Result<Purpose, Trouble> {
    let Some(asked) = options.value("credentialStatus") else {
        return Ok(Purpose::Revocation);
    };
    let wrong = || {
        let detail = "options.credentialStatus is one object whose statusPurpose is revocation or \
                      suspension";
        Trouble::new(What::Malformed, "option-value", detail)
    };
    let [one] = each(asked) else {
        return Err(wrong());
    };
    let kind = one.member("type");
    if kind.is_some_and(|kind| kind.as_text() != Some(ENTRY_TYPE)) {
        return Err(wrong());
    }
    let purpose = one.member("statusPurpose").and_then(Foreign::as_text);
    purpose.and_then(Purpose::of).ok_or_else(wrong)
}

/// A document of version 1.1 with Data Integrity's context, which has the terms of its proof.
fn with_context(document: &mut Foreign, contexts: &[&Foreign]) {
    let has = |url: &str| contexts.iter().any(|one| one.as_text() == Some(url));
    if !has(DATA_INTEGRITY) {
        let mut all: Vec<Foreign> = contexts.iter().map(|&one| one.clone()).collect();
        all.push(text(DATA_INTEGRITY));
        set(document, "@context", Foreign::Array(all));
    }
}
