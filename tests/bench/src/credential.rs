//! Credentials: real ones for licences at random, and issuing and verifying beside the naive floor.

use std::collections::BTreeMap;
use std::hint::black_box;

use anyhow::{Result, ensure};
use rand::seq::index;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use zhao_spec::credential::{FaceValue, Issuer, Licence, Status, Subject, Unsigned, eddsa_jcs};
use zhao_spec::id::{HolderCodeType, LicenceIdentifier, LicenceTypeCode, Uscc};
use zhao_spec::wire::{Hash, Keys, UnixMillis};

use crate::figure::Figure;
use crate::office::{START, TYPE, UNIT, secret};
use crate::peers::naive::{Canonicaliser, Naive};
use crate::statistics::rate;
use crate::workload::ORIGIN;

/// Licences with a credential of their own, of which dossiers are made.
pub(crate) const CREDENTIALS: u64 = 1_000;
/// Face data of each: so many claims of so many random characters.
const CLAIMS: usize = 15;
const CLAIM_CHARS: usize = 12;
const YEAR_MILLIS: u64 = 365 * 86_400_000;

/// What the log needs to know of a credential.
pub(crate) struct Real {
    /// The credential's id.
    pub(crate) id: String,
    /// The holder's code.
    pub(crate) holder: String,
    /// Digest in the log.
    pub(crate) digest: Hash,
    /// Canonical bytes.
    pub(crate) bytes: Vec<u8>,
}

/// The credentials of licences drawn at random.
pub(crate) struct Credentials {
    real: Vec<Real>,
    /// Which of them a licence has, by the number of the licence.
    at: BTreeMap<u64, usize>,
}

impl Credentials {
    /// Signs them and spreads them over the first so many licences; the same seed, the same
    /// credentials.
    pub(crate) fn new(seed: u64, spread: usize) -> Self {
        let mut generator = ChaCha20Rng::seed_from_u64(seed ^ 0x7a68_616f);
        let key = secret("unit");
        let real: Vec<_> = (0..CREDENTIALS)
            .map(|n| {
                let unsigned = unsigned(n, &mut generator);
                let bytes = unsigned
                    .sign(&key, START)
                    .expect("the claims keep the profile");
                let licence = Licence::parse(&bytes).expect("it was checked when it was signed");
                Real {
                    digest: licence.digest(),
                    holder: unsigned.subject.holder_code,
                    id: unsigned.id,
                    bytes,
                }
            })
            .collect();
        let drawn = index::sample(&mut generator, spread.max(real.len()), real.len());
        let at = drawn.into_iter().enumerate();
        let at = at.filter_map(|(one, n)| Some((u64::try_from(n).ok()?, one)));
        let at = at.collect();
        Self { real, at }
    }

    /// That of the `n`th licence, if it has one.
    pub(crate) fn of(&self, n: u64) -> Option<&Real> {
        self.real.get(*self.at.get(&n)?)
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Real] {
        &self.real
    }
}

/// A random licence of a fictional office.
fn unsigned(n: u64, generator: &mut ChaCha20Rng) -> Unsigned {
    let hanzi = |generator: &mut ChaCha20Rng| -> String {
        (0..CLAIM_CHARS)
            .map(|_| generator.random_range('\u{4e00}'..='\u{9fa5}'))
            .collect()
    };
    let unit = Uscc::parse(UNIT).expect("the unit's code is good");
    let type_code = LicenceTypeCode::parse(TYPE).expect("the type's code is good");
    let holder = Uscc::with_checks("91320402", &format!("DEM{n:05}")).expect("digits are allowed");
    let serial = format!("2026{n:07}");
    let identifier = LicenceIdentifier::new(type_code.clone(), unit.clone(), &serial, 1)
        .expect("the serial is good");
    let face_data: BTreeMap<String, FaceValue> = (0..CLAIMS)
        .map(|at| (format!("item{at:02}"), FaceValue::Text(hanzi(generator))))
        .collect();
    let random: u128 = generator.random();
    // Version 4, variant 1 (RFC 9562 §5.4).
    let uuid = random & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{uuid:032x}");
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    Unsigned {
        id: format!("urn:uuid:{a}-{b}-{c}-{d}-{e}"),
        issuer: Issuer {
            name: "常州市示例市场监督管理局".to_owned(),
            unit: unit.clone(),
        },
        status: Status {
            origin: ORIGIN.to_owned(),
            type_salt: None,
        },
        subject: Subject {
            catalogue_version: 1,
            face_data,
            holder_code: holder.as_str().to_owned(),
            holder_code_type: HolderCodeType::parse("001").expect("a social credit code"),
            holder_name: hanzi(generator),
            issued_date: START.beijing_date(),
            issuing_authority_code: unit,
            issuing_authority_name: "常州市示例市场监督管理局".to_owned(),
            licence_identifier: identifier,
            licence_name: "营业执照".to_owned(),
            licence_number: format!("JY2026{n:06}"),
            licence_type_code: type_code,
        },
        valid_from: START,
        valid_until: Some(UnixMillis(START.0 + 5 * YEAR_MILLIS)),
    }
}

/// Issuing and verifying one credential, ours and the naive way, on one thread.
pub(crate) fn measure(seed: u64) -> Result<Vec<Figure>> {
    let mut generator = ChaCha20Rng::seed_from_u64(seed);
    let (unsigned, key) = (unsigned(0, &mut generator), secret("unit"));
    let bytes = unsigned.sign(&key, START)?;
    let issue = rate(|| {
        black_box(unsigned.sign(&key, START).is_ok());
    });
    let verify = rate(|| {
        let licence = Licence::parse(black_box(&bytes)).expect("it is ours");
        assert!(licence.check_proof().is_ok());
    });
    let mut keys = Keys::new(1);
    let known = rate(|| {
        let licence = Licence::parse_with(black_box(&bytes), &mut keys).expect("it is ours");
        assert!(licence.check_proof_with(&mut keys).is_ok());
    });
    let mut floors: Vec<(&str, f64, f64)> = Vec::new();
    for (name, canonicaliser) in Canonicaliser::ALL {
        let naive = Naive::new(&bytes, &key, *canonicaliser)?;
        let signed = naive.issue()?;
        ensure!(
            eddsa_jcs::verify_foreign(&signed).is_ok(),
            "the naive floor signs something else"
        );
        ensure!(naive.verify(&bytes)?, "the naive floor refuses ours");
        let issued = rate(|| {
            black_box(naive.issue().is_ok());
        });
        let verified = rate(|| assert!(naive.verify(&bytes).is_ok_and(|good| good)));
        floors.push((name, issued, verified));
    }
    let best = |of: fn(&(&str, f64, f64)) -> f64| floors.iter().map(of).fold(f64::NAN, f64::max);
    let against = "the best naive floor";
    let mut figures = vec![
        Figure::new(
            "eddsa-jcs-issue",
            "eddsa-jcs-2022, issue a credential",
            "签发凭证（eddsa-jcs-2022）",
            issue,
            "/s",
        )
        .against(against, best(|floor| floor.1))
        .at_least(2.0),
        Figure::new(
            "eddsa-jcs-verify",
            "eddsa-jcs-2022, verify a credential",
            "核验凭证（eddsa-jcs-2022）",
            verify,
            "/s",
        )
        .against(against, best(|floor| floor.2))
        .note("of an issuer never met before: its key is decoded"),
        Figure::new(
            "eddsa-jcs-verify-known",
            "the same, of issuers met before",
            "同上，签发机关密钥已缓存",
            known,
            "/s",
        )
        .against(against, best(|floor| floor.2))
        .at_least(1.6),
    ];
    for (name, issued, verified) in floors {
        let id = format!("naive-issue-{name}");
        let (english, chinese) = (format!("naive issue, {name}"), format!("朴素签发，{name}"));
        figures.push(Figure::new(&id, &english, &chinese, issued, "/s"));
        let id = format!("naive-verify-{name}");
        let (english, chinese) = (format!("naive verify, {name}"), format!("朴素核验，{name}"));
        figures.push(Figure::new(&id, &english, &chinese, verified, "/s"));
    }
    figures.push(Figure::new(
        "credential-bytes",
        "credential of 15 claims of 12 Hanzi",
        "15 项 × 12 汉字的凭证",
        crate::statistics::float(bytes.len()),
        "B",
    ));
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_valid_distinct_and_seeded() {
        let (one, same, other) = (
            Credentials::new(1, 0),
            Credentials::new(1, 0),
            Credentials::new(2, 0),
        );
        assert_eq!(
            one.of(3).map(|real| real.digest),
            same.of(3).map(|real| real.digest)
        );
        assert_ne!(
            one.of(3).map(|real| real.digest),
            other.of(3).map(|real| real.digest)
        );
        assert_ne!(
            one.of(3).map(|real| &real.id),
            one.of(4).map(|real| &real.id)
        );
        assert!(one.of(CREDENTIALS).is_none());
        for real in one.all() {
            let licence = Licence::parse(&real.bytes).expect("it parses");
            assert!(licence.check_proof().is_ok());
        }
    }

    #[test]
    fn real_licences_are_spread_over_all() {
        let spread = Credentials::new(1, 100_000);
        let real: Vec<u64> = (0..100_000).filter(|n| spread.of(*n).is_some()).collect();
        assert_eq!(real.len(), spread.all().len(), "each has its own licence");
        let early = real.iter().filter(|n| **n < 50_000).count();
        assert!((450..550).contains(&early), "{early} are in the first half");
    }
}
