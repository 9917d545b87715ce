//! The office with a key in a token, and every way in which a token lets one down.

use std::sync::{Arc, Mutex};

use zhao_spec::life::verb::Verb;
use zhao_spec::wire::{PublicKey, Signature, SignatureError, Signer, SignerError};

use super::*;

/// What the token does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// Signs with another key than it says.
    AnotherKey,
    /// Signs something else.
    AnotherMessage,
    Busy,
    Gone,
    /// Answers bytes that are no signature of anything.
    Noise,
    Refuses,
    Signs,
}

/// A token in memory.
struct Token {
    key: SecretKey,
    mood: Mutex<Mood>,
}

impl Token {
    fn new(n: u8) -> Arc<Self> {
        Arc::new(Self {
            key: SecretKey::from_seed([n; 32]),
            mood: Mutex::new(Mood::Signs),
        })
    }

    fn turn(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

impl Signer for Token {
    fn public(&self) -> PublicKey {
        self.key.public()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let key = Box::new(self.key.public());
        let detail = "slot 0".to_owned();
        match *self.mood.lock().unwrap() {
            Mood::AnotherKey => Ok(SecretKey::from_seed([99; 32]).sign(message)),
            Mood::AnotherMessage => Ok(self.key.sign(&[message, b"!"].concat())),
            Mood::Busy => Err(SignerError::Busy { key, detail }),
            Mood::Gone => Err(SignerError::Gone { key, detail }),
            Mood::Noise => Ok(Signature([0xff; 64])),
            Mood::Refuses => Err(SignerError::Refused { key, detail }),
            Mood::Signs => Ok(self.key.sign(message)),
        }
    }
}

const FAILING: [Mood; 6] = [
    Mood::AnotherKey,
    Mood::AnotherMessage,
    Mood::Busy,
    Mood::Gone,
    Mood::Noise,
    Mood::Refuses,
];

#[track_caller]
fn is_of(mood: Mood, error: &SignerError) {
    let fits = match (mood, error) {
        (Mood::AnotherKey | Mood::AnotherMessage, SignerError::WrongSignature { source, .. }) => {
            *source == SignatureError::Mismatch
        }
        (Mood::Noise, SignerError::WrongSignature { source, .. }) => {
            *source != SignatureError::Mismatch
        }
        (Mood::Busy, SignerError::Busy { .. })
        | (Mood::Gone, SignerError::Gone { .. })
        | (Mood::Refuses, SignerError::Refused { .. }) => true,
        _ => false,
    };
    assert!(fits, "{mood:?}: {error}");
}

/// A desk whose unit's present key is in a token.
fn desk() -> (Desk, Arc<Token>) {
    let mut desk = Desk::new();
    let token = Token::new(50);
    let code = unit();
    let types: Vec<_> = desk
        .office
        .catalogue
        .entries()
        .map(|e| e.type_code.clone())
        .collect();
    // The token's key is granted as any other; here its public part comes by an import.
    let keys = desk.office.keys_mut();
    keys.store("token-1", Purpose::Unit, token.key.clone(), NOW)
        .unwrap();
    std::fs::remove_file(desk.dir.path().join("keys/token-1.age")).unwrap();
    let key = token.key.public();
    let subject = subject_key(ORIGIN, Kind::Issuer, UNIT);
    let (_, end) = desk.office.chain_end(&subject).unwrap();
    let grant = zhao_spec::life::data::KeyGrant {
        key,
        types: types.iter().map(|code| code.as_str().to_owned()).collect(),
    };
    let mut statement = |action, now, end| {
        let statement = Statement {
            action,
            effective: now,
            subject,
        };
        let event = sign(ORIGIN, statement, None, &desk.administrators, end).unwrap();
        let transaction = desk.office.records.begin().unwrap();
        transaction.say(&event, &[], now).unwrap();
        let key = crate::records::UnitKey {
            name: "token-1".to_owned(),
            public: key,
        };
        transaction
            .add_unit_key(code.as_str(), &key, UnixMillis(NOW.0 + 1))
            .unwrap();
        transaction.commit().unwrap();
        desk.office.deliver(now).unwrap();
        desk.office.chain_end(&subject).unwrap().1
    };
    let mut sorted = grant;
    sorted.types.sort_unstable();
    let end = statement(Action::ProposeKey(sorted), NOW, end);
    statement(Action::ConfirmKey(key), UnixMillis(NOW.0 + 1000), end);
    let foreign: crate::keys::ForeignSigner = token.clone();
    let keys = desk.office.keys_mut();
    keys.attach("token-1", Purpose::Unit, foreign).unwrap();
    (desk, token)
}

#[test]
fn a_token_signs_credentials_and_events() {
    let (mut desk, token) = desk();
    let issued = desk.issue_one(food(1, &[]));
    let record = desk.office.licence_record(&issued.licence.subject).unwrap();
    assert_eq!(record.issued_by, token.key.public().thumbprint());
}

#[test]
fn a_token_that_fails_stops_issuing_and_leaves_nothing() {
    let (mut desk, token) = desk();
    for mood in FAILING {
        token.turn(mood);
        let before = desk.office.client.lock().log.len();
        let defaults = Defaults {
            licence_type: Some("food-operation".to_owned()),
            today: NOW.beijing_date(),
            unit: Some(unit()),
        };
        let mut rows = vec![food(1, &[]), food(2, &[])].into_iter().map(Ok);
        let office = &mut desk.office;
        let rng = &mut desk.rng;
        let error = office
            .issue(&mut rows, &defaults, NOW, rng, &mut |_, outcome, _| {
                panic!("{outcome:?}")
            })
            .unwrap_err();
        let OfficeError::Signer(error) = error else {
            panic!("{mood:?}: {error}")
        };
        is_of(mood, &error);
        assert_eq!(desk.office.client.lock().log.len(), before, "{mood:?}");
        assert_eq!(desk.office.records.pending_count().unwrap(), 0, "{mood:?}");
    }
    token.turn(Mood::Signs);
    desk.issue_one(food(3, &[]));
}

#[test]
fn a_token_that_fails_declares_nothing() {
    let (mut desk, token) = desk();
    let issued = desk.issue_one(food(1, &[]));
    let key = desk.office.records.unit_keys(UNIT).unwrap()[0].public;
    for mood in FAILING {
        token.turn(mood);
        let act = Act::Plain(Verb::Hold);
        let grounds = Grounds::default();
        let subject = issued.licence.subject;
        let office = &mut desk.office;
        let error = office
            .act(&subject, &act, &grounds, None, NOW, &mut desk.rng)
            .unwrap_err();
        let OfficeError::Signer(error) = error else {
            panic!("{mood:?}: {error}")
        };
        is_of(mood, &error);
        let by: By<'_> = By::Unit;
        let error = desk.office.retire_key(&unit(), &key, by, NOW).unwrap_err();
        assert!(matches!(error, OfficeError::Signer(_)), "{mood:?}: {error}");
        assert_eq!(desk.office.records.pending_count().unwrap(), 0, "{mood:?}");
    }
}

#[test]
fn an_administrators_token_that_fails_signs_no_proposal() {
    let mut desk = Desk::new();
    let token = Token::new(1);
    let key = SigningKey::Foreign(token.clone());
    let measure = Measure::SuspendUnit(&unit());
    let mut proposal = desk
        .office
        .propose(measure, NOW, NOW, &mut desk.rng)
        .unwrap();
    let shown = proposal.event.id();
    let before = proposal.clone();
    for mood in FAILING {
        token.turn(mood);
        let error = countersign(&mut proposal, &key, &shown, None, NOW).unwrap_err();
        let OfficeError::Signer(error) = error else {
            panic!("{mood:?}: {error}")
        };
        is_of(mood, &error);
        assert_eq!(proposal, before, "{mood:?}");
        let keys = [key.clone()];
        let error = desk
            .office
            .suspend_unit(&unit(), true, &keys, NOW)
            .unwrap_err();
        assert!(matches!(error, OfficeError::Signer(_)), "{mood:?}: {error}");
    }
    token.turn(Mood::Signs);
    countersign(&mut proposal, &key, &shown, None, NOW).unwrap();
}

#[test]
fn a_token_takes_no_other_keys_name() {
    let mut desk = Desk::new();
    let token: crate::keys::ForeignSigner = Token::new(50);
    let keys = desk.office.keys_mut();
    let error = keys
        .attach("unit-1", Purpose::Unit, token.clone())
        .unwrap_err();
    assert!(
        matches!(error, crate::keys::KeyError::NameTaken { .. }),
        "{error}"
    );
    let error = keys
        .attach("../x", Purpose::Unit, token.clone())
        .unwrap_err();
    assert!(
        matches!(error, crate::keys::KeyError::Name { .. }),
        "{error}"
    );
    keys.attach("new", Purpose::Unit, token).unwrap();
    let error = keys.signing("new", Purpose::Administrator).unwrap_err();
    assert!(
        matches!(error, crate::keys::KeyError::Purpose { .. }),
        "{error}"
    );
}
