//! The library ssi: eddsa-rdfc-2022 alone, because it has no eddsa-jcs-2022.

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use ssi::JWK;
use ssi::claims::VerificationParameters;
use ssi::claims::data_integrity::{
    AnyDataIntegrity, AnySuite, CryptographicSuite as _, ProofOptions,
};
use ssi::claims::vc::v2::JsonCredential;
use ssi::dids::{AnyDidMethod, VerificationMethodDIDResolver};
use ssi::verification_methods::{AnyMethod, SingleSecretSigner};
use zhao_spec::wire::SecretKey;

type Resolver = VerificationMethodDIDResolver<AnyDidMethod, AnyMethod>;
/// A credential with its proof.
pub(crate) type Issued = AnyDataIntegrity<JsonCredential>;

/// One document and what it takes to sign it.
pub(crate) struct Spruce {
    credential: JsonCredential,
    key: JWK,
    method: String,
    resolver: Resolver,
}

impl Spruce {
    /// `document` is a credential without proof, issued by the key's did:key.
    pub(crate) fn new(document: &Value, key: &SecretKey) -> Result<Self> {
        let jwk = json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": BASE64URL.encode(key.public().to_bytes()),
            "d": BASE64URL.encode(*key.to_seed()),
        });
        Ok(Self {
            credential: serde_json::from_value(document.clone())?,
            key: serde_json::from_value(jwk)?,
            method: key.public().verification_method(),
            resolver: Resolver::new(AnyDidMethod::default()),
        })
    }

    /// Issues it.
    pub(crate) fn issue(&self) -> Result<Issued> {
        let method: ssi::json_ld::IriBuf = self.method.parse().context("an address")?;
        let options = ProofOptions::from_method(method.into());
        let signer = SingleSecretSigner::new(self.key.clone()).into_local();
        let signing =
            AnySuite::EdDsaRdfc2022.sign(self.credential.clone(), &self.resolver, signer, options);
        pollster::block_on(signing).map_err(|error| anyhow!("ssi signs nothing: {error}"))
    }

    /// Verifies one.
    pub(crate) fn verify(&self, issued: &Issued) -> bool {
        let parameters = VerificationParameters::from_resolver(&self.resolver);
        pollster::block_on(issued.verify(parameters)).is_ok_and(|answer| answer.is_ok())
    }

    /// Reads somebody else's.
    pub(crate) fn read(&self, text: &str) -> Result<Issued> {
        ssi::claims::data_integrity::from_json_str(text)
            .map_err(|error| anyhow!("ssi does not read it: {error}"))
    }
}
