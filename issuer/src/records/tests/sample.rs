//! Records with licences in them, for the other tests.

use zhao_spec::life::data::{Action, Note};
use zhao_spec::life::event::Event;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, SecretKey, UnixMillis};

use super::super::*;

pub(super) const ORIGIN: &str = "zhao.example/records";
pub(super) const UNIT: &str = "11320400DEM0001293";
pub(super) const TYPE: &str = "11100000000013338W032";
pub(super) const NOW: UnixMillis = UnixMillis(1_795_327_200_000);

/// A licence of a person, every text its own.
pub(super) struct Person {
    pub(super) code: String,
    pub(super) credential: String,
    pub(super) credential_id: String,
    pub(super) identifier: String,
    pub(super) name: String,
    pub(super) number: String,
    pub(super) reason: String,
    pub(super) reference: String,
    pub(super) serial: String,
}

impl Person {
    pub(super) fn new(n: u32) -> Self {
        let serial = format!("2026{n:07}");
        let code = format!("32040219000101{n:04}");
        let name = format!("示例𠮷{n:05}氏");
        let number = format!("JY1320400{n:07}号");
        Self {
            credential: format!(
                r#"{{"holderName":"{name}","holderCode":"{code}","licenceNumber":"{number}"}}"#
            ),
            credential_id: format!("urn:uuid:00000000-0000-4000-8000-{n:012}"),
            identifier: identifier(&serial, 1),
            reason: format!("因{name}歇业"),
            reference: format!("常审〔2026〕第{n:06}号"),
            code,
            name,
            number,
            serial,
        }
    }

    /// What must stand nowhere in clear.
    pub(super) fn texts(&self) -> [&str; 9] {
        [
            &self.code,
            &self.credential,
            &self.credential_id,
            &self.identifier,
            &self.name,
            &self.number,
            &self.reason,
            &self.reference,
            &self.serial,
        ]
    }

    pub(super) fn subject(&self) -> Hash {
        subject_key(ORIGIN, Kind::Licence, &self.credential_id)
    }

    pub(super) fn licence(&self) -> NewLicence<'_> {
        NewLicence {
            credential: self.credential.as_bytes(),
            credential_id: &self.credential_id,
            holder_code: &self.code,
            holder_code_type: "111",
            holder_name: &self.name,
            identifier: &self.identifier,
            number: &self.number,
            origin: Origin::Legacy,
            predecessor: None,
            reference: Some(&self.reference),
            serial: &self.serial,
            subject: self.subject(),
            type_code: TYPE,
            unit: UNIT,
            version: 1,
        }
    }

    pub(super) fn words(&self) -> Vec<Words> {
        vec![Words {
            kind: "reason",
            salt: [5; 32],
            text: self.reason.clone(),
        }]
    }

    pub(super) fn event(&self) -> Event {
        event(self.subject(), 0)
    }
}

/// The identifier of a serial and version.
pub(super) fn identifier(serial: &str, version: u16) -> String {
    let type_code = zhao_spec::id::LicenceTypeCode::parse(TYPE).unwrap();
    let unit = zhao_spec::id::Uscc::parse(UNIT).unwrap();
    let identifier = zhao_spec::id::LicenceIdentifier::new(type_code, unit, serial, version);
    identifier.unwrap().to_string()
}

/// A signed event about `subject`.
pub(super) fn event(subject: Hash, seq: u64) -> Event {
    let mut event = Event {
        action: Action::Plain(Verb::Hold, Note::default()),
        effective: NOW,
        origin: ORIGIN.to_owned(),
        prev: (seq > 0).then_some(Hash([1; 32])),
        seq,
        signatures: Vec::new(),
        signer: Some(Hash([2; 32])),
        subject,
    };
    event.sign(&SecretKey::from_seed([3; 32]));
    event
}

/// A receipt as a ledger's is: the event, what is common to an epoch, the path.
pub(super) fn receipt(event: &Event, index: u64) -> Standing {
    let event = String::from_utf8(event.bytes()).unwrap();
    let head = "epoch and checkpoint ".repeat(40);
    let path = format!("{index:064}").repeat(8);
    let opening = format!(r#"{{"event":{event},"format":"zhao/v1 receipt","head":"{head}""#);
    let receipt = format!(r#"{opening},"index":{index},"proof":"{path}{head}"}}"#);
    Standing::Receipted {
        index: LeafIndex(index),
        receipt: receipt.into_bytes(),
    }
}

pub(super) fn create(dir: &tempfile::TempDir, secrets: &Secrets) -> Records {
    let mut records = Records::create(&super::path(dir), ORIGIN, b"genesis", secrets).unwrap();
    let transaction = records.begin().unwrap();
    let unit = Unit {
        name: "示例局".to_owned(),
        uscc: UNIT.to_owned(),
    };
    transaction.put_unit(&unit, NOW).unwrap();
    transaction.commit().unwrap();
    records
}

/// Writes people's licences and settles them: every third stays pending, every third is refused.
pub(super) fn fill(records: &mut Records, people: &[Person]) {
    for (n, person) in people.iter().enumerate() {
        let transaction = records.begin().unwrap();
        let event = person.event();
        let row = transaction.say(&event, &person.words(), NOW).unwrap();
        transaction
            .add_licence(&person.licence(), row, NOW)
            .unwrap();
        let standing = match n % 3 {
            0 => receipt(&event, u64::try_from(n).unwrap()),
            1 => Standing::Pending,
            _ => Standing::Refused {
                code: "unit-suspended".to_owned(),
                detail: "the unit is suspended".to_owned(),
            },
        };
        transaction.settle(row, &standing, NOW).unwrap();
        transaction.commit().unwrap();
    }
}

pub(super) fn people(count: u32) -> Vec<Person> {
    (1..=count).map(Person::new).collect()
}

/// That everything [`fill`] wrote is there.
pub(super) fn check(records: &Records, people: &[Person]) {
    for (n, person) in people.iter().enumerate() {
        let licence = records.licence(&person.subject()).unwrap().unwrap();
        assert_eq!(licence.credential, person.credential.as_bytes());
        assert_eq!(licence.credential_id, person.credential_id);
        assert_eq!(licence.identifier, person.identifier);
        assert_eq!(licence.number, person.number);
        assert_eq!(licence.serial, person.serial);
        assert_eq!(licence.reference.as_ref(), Some(&person.reference));
        let state = [
            LicenceState::Issued,
            LicenceState::Issuing,
            LicenceState::Refused,
        ][n % 3];
        assert_eq!(licence.state, state);
        let event = person.event();
        let said = records.said(licence.outbox).unwrap();
        match said.standing {
            Standing::Receipted { .. } => {
                assert_eq!(said.standing, receipt(&event, u64::try_from(n).unwrap()));
            }
            Standing::Pending => assert_eq!(state, LicenceState::Issuing),
            Standing::Refused { code, .. } => assert_eq!(code, "unit-suspended"),
        }
        assert_eq!(records.words(&event.id()).unwrap(), person.words());
        let holder = records.holder(licence.holder).unwrap().unwrap();
        assert_eq!(
            (holder.code, holder.name),
            (person.code.clone(), person.name.clone())
        );
        for text in [&person.credential_id, &person.identifier, &person.number] {
            let found = records.find_licence(text).unwrap();
            assert_eq!(found.as_ref(), Some(&licence), "{text}");
        }
    }
}
