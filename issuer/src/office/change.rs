//! What befalls a licence after it is issued: one signed event each.

use rand::CryptoRng;
use zhao_spec::id::Uscc;
use zhao_spec::life::data::{Action, InspectionResult, ObjectionResult, TypeRef};
use zhao_spec::life::record::LicenceRecord;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Date, Hash, UnixMillis};

use super::{Declared, Grounds, LedgerClient, Office, OfficeError, Statement};
use crate::catalogue::Entry;

/// What befalls the licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// An objection is answered.
    ClearObjection {
        /// Leaf index of the mark.
        of: LeafIndex,
        /// How.
        result: ObjectionResult,
    },
    /// 年检, 年审.
    Inspect {
        /// Last day by which the next is due; none: by the type's cycle, if it was passed.
        due: Option<Date>,
        /// How it ended.
        result: InspectionResult,
    },
    /// A verb that says no more than its reasons: withhold, hold, report-lost and what lifts
    /// them, mortgage, pledge, mark-objection, cancel, revoke, annul, abolish, reaffirm.
    Plain(Verb),
    /// The mortgage of this leaf index is released.
    ReleaseMortgage(LeafIndex),
    /// The pledge of this leaf index is released.
    ReleasePledge(LeafIndex),
    /// Another unit controls the licence from now on.
    Transfer(Uscc),
}

impl<C: LedgerClient> Office<C> {
    /// Declares what befalls a licence, signed by the unit that controls it.
    ///
    /// `effective` is when it takes legal effect; none: now. How far back it may lie is the
    /// ledger's to say.
    ///
    /// # Errors
    /// No such licence, one that another office controls, grounds that are refused, a verb that is
    /// not plain or does not apply to the type, the records, the keys or the ledger.
    pub fn act(
        &mut self,
        licence: &Hash,
        act: &Act,
        grounds: &Grounds,
        effective: Option<UnixMillis>,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Declared, OfficeError> {
        if let Act::Plain(verb) = act
            && !is_plain(*verb)
        {
            let verb = verb.as_str();
            return Err(OfficeError::NotPlain { verb });
        }
        let record = self.licence_record(licence)?;
        // The ledger would refuse the code, but it would have seen it by then.
        if grounds.code.is_some() && matches!(record.type_ref, TypeRef::Commitment(_)) {
            return Err(OfficeError::CodeNotAllowed);
        }
        let unit = self.controlling_unit(&record)?;
        let signer = self.signer(&unit, None)?;
        self.check_applies(licence, &record, act.verb())?;
        let due = self.next_inspection(licence, act, now)?;
        let (note, words) = grounds.digest(rng)?;
        let action = match act {
            Act::ClearObjection { of, result } => Action::ClearObjection {
                note,
                of: *of,
                result: *result,
            },
            Act::Inspect { result, .. } => Action::Inspect {
                due,
                note,
                result: *result,
            },
            Act::Plain(verb) => Action::Plain(*verb, note),
            Act::ReleaseMortgage(of) => Action::Release(Verb::ReleaseMortgage, *of, note),
            Act::ReleasePledge(of) => Action::Release(Verb::ReleasePledge, *of, note),
            Act::Transfer(unit) => {
                let origin = self.records.origin();
                let controller = subject_key(origin, Kind::Issuer, unit.as_str());
                Action::Transfer { controller, note }
            }
        };
        let effective = effective.unwrap_or(now);
        let statement = Statement {
            action,
            effective,
            subject: *licence,
        };
        let secrets = [signer.secret];
        self.declare(
            statement,
            Some(signer.subject),
            &secrets,
            &words,
            now,
            |_, _| Ok(()),
        )
    }

    /// The USCC of the unit of this office that controls the licence.
    pub(super) fn controlling_unit(&self, record: &LicenceRecord) -> Result<String, OfficeError> {
        let origin = self.records.origin();
        self.records
            .units()?
            .into_iter()
            .map(|unit| unit.uscc)
            .find(|uscc| subject_key(origin, Kind::Issuer, uscc) == record.controller)
            .ok_or(OfficeError::Controller {
                controller: record.controller,
            })
    }

    /// Whether the verb applies to licences of the type, as the catalogue says. The log judges this
    /// too, but not where it has only a commitment to the type.
    fn check_applies(
        &self,
        licence: &Hash,
        record: &LicenceRecord,
        verb: Verb,
    ) -> Result<(), OfficeError> {
        let code = match (&record.type_ref, self.records.licence(licence)?) {
            (TypeRef::Code(code), _) => code.clone(),
            (TypeRef::Commitment(_), Some(row)) => row.type_code,
            // It came by transfer, and nothing here says of which type it is.
            (TypeRef::Commitment(_), None) => return Ok(()),
        };
        applies(self.catalogue.entry(&code)?, verb)
    }

    /// When the next inspection is due after this act: as said, or by the type's cycle.
    fn next_inspection(
        &self,
        licence: &Hash,
        act: &Act,
        now: UnixMillis,
    ) -> Result<Option<UnixMillis>, OfficeError> {
        let Act::Inspect { due, result } = act else {
            return Ok(None);
        };
        let by_cycle = || -> Result<Option<Date>, OfficeError> {
            // A licence that came by transfer is not in the records, nor is its type then.
            let Some(row) = self.records.licence(licence)? else {
                return Ok(None);
            };
            let cycle = self
                .catalogue
                .entry(&row.type_code)?
                .inspection
                .cycle_months;
            Ok(cycle.and_then(|months| now.beijing_date().add_months(months)))
        };
        let day = match (due, result) {
            (Some(day), _) => Some(*day),
            (None, InspectionResult::Passed) => by_cycle()?,
            (None, InspectionResult::Failed) => None,
        };
        Ok(day.map(|day| day.end_beijing()))
    }
}

impl Act {
    fn verb(&self) -> Verb {
        match self {
            Self::ClearObjection { .. } => Verb::ClearObjection,
            Self::Inspect { .. } => Verb::Inspect,
            Self::Plain(verb) => *verb,
            Self::ReleaseMortgage(_) => Verb::ReleaseMortgage,
            Self::ReleasePledge(_) => Verb::ReleasePledge,
            Self::Transfer(_) => Verb::Transfer,
        }
    }
}

/// Whether the type's entry names the verb.
fn applies(entry: &Entry, verb: Verb) -> Result<(), OfficeError> {
    // Control and reaffirmation are between units and keys, whatever the type.
    let always = matches!(verb, Verb::Transfer | Verb::Reaffirm);
    if always || entry.verbs.contains(&verb) {
        return Ok(());
    }
    Err(OfficeError::NotApplicable {
        type_code: entry.type_code.as_str().to_owned(),
        verb: verb.as_str(),
    })
}

/// Whether the verb's data is nothing but its reasons.
fn is_plain(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Withhold
            | Verb::LiftWithholding
            | Verb::Hold
            | Verb::LiftHold
            | Verb::ReportLost
            | Verb::WithdrawLoss
            | Verb::Mortgage
            | Verb::Pledge
            | Verb::MarkObjection
            | Verb::Cancel
            | Verb::Revoke
            | Verb::Annul
            | Verb::Abolish
            | Verb::Reaffirm
    )
}
