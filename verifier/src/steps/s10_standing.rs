//! Step 10: what the life cycle says.

use zhao_spec::life::data::{InspectionResult, InspectionRule};
use zhao_spec::life::record::{
    IssuerRecord, LicenceRecord, State, Suspension, TypeRecord, TypeState, UnitState,
};
use zhao_spec::wire::UnixMillis;

use crate::check::{Check, Findings};
use crate::reason::Reason;
use crate::report::Outcome;

/// Collects state, compromise, suspensions, inspection, encumbrances, unit and type, in order.
pub(crate) fn collect(
    record: &LicenceRecord,
    issuer: &IssuerRecord,
    licence_type: &TypeRecord,
    at: UnixMillis,
    findings: &mut Findings,
) {
    terminal(record, findings);
    compromise(record, issuer, findings);
    for (check, suspension, reason) in [
        (Check::OnHold, Suspension::OnHold, Reason::OnHold),
        (
            Check::ReportedLost,
            Suspension::ReportedLost,
            Reason::ReportedLost,
        ),
        (Check::Withheld, Suspension::Withheld, Reason::Withheld),
    ] {
        findings.note(check, record.suspensions.contains(&suspension), || reason);
    }
    inspection(record, licence_type.inspection, at, findings);
    let count = record.mortgages.len();
    findings.note(Check::Mortgaged, count > 0, || Reason::Mortgaged { count });
    let count = record.pledges.len();
    findings.note(Check::Pledged, count > 0, || Reason::Pledged { count });
    let count = record.objections.len();
    findings.note(Check::Objection, count > 0, || Reason::Objection { count });
    let suspended = issuer.state == UnitState::Suspended;
    findings.note(Check::IssuerSuspended, suspended, || {
        Reason::IssuerSuspended
    });
    let retired = licence_type.state == TypeState::Retired;
    findings.note(Check::TypeRetired, retired, || Reason::TypeRetired);
}

/// 换发, 注销, 吊销, 撤销, 废止: five things, five codes.
fn terminal(record: &LicenceRecord, findings: &mut Findings) {
    for (check, state) in [
        (Check::Superseded, State::Superseded),
        (Check::Cancelled, State::Cancelled),
        (Check::Revoked, State::Revoked),
        (Check::Annulled, State::Annulled),
        (Check::Abolished, State::Abolished),
    ] {
        if let Some(reason) = Reason::of_state(state) {
            findings.note(check, record.state == state, || reason);
        }
    }
}

/// A compromised key's acts do not count until the unit stands by them with a good key.
fn compromise(record: &LicenceRecord, issuer: &IssuerRecord, findings: &mut Findings) {
    let compromised = |thumbprint, index| {
        issuer
            .key_by_thumbprint(thumbprint)
            .filter(|key| key.compromised(index))
            .and_then(|key| key.compromised_from)
    };
    if let Some(from) = compromised(&record.issued_by, record.issued_index) {
        let reaffirmed = record.reaffirmed.is_some_and(|reaffirmed| {
            issuer
                .key_by_thumbprint(&reaffirmed.by)
                .is_some_and(|key| key.authorised(reaffirmed.index))
        });
        findings.note(Check::KeyCompromised, !reaffirmed, || {
            Reason::KeyCompromised {
                issued: record.issued_index,
                compromised: from,
            }
        });
    }
    if record.index != record.issued_index
        && let Some(from) = compromised(&record.latest_by, record.index)
    {
        findings.note(Check::ChangedByCompromisedKey, true, || {
            Reason::ChangedByCompromisedKey {
                index: record.index,
                compromised: from,
            }
        });
    }
}

/// What a failed or overdue inspection means is the type's to say.
fn inspection(
    record: &LicenceRecord,
    rule: InspectionRule,
    at: UnixMillis,
    findings: &mut Findings,
) {
    let outcome = match rule {
        InspectionRule::None => return,
        InspectionRule::Notice => Outcome::Pass,
        InspectionRule::Suspends => Outcome::Fail,
    };
    let Some(inspection) = record.inspection else {
        return;
    };
    let failed = inspection.result == Some(InspectionResult::Failed);
    findings.note_as(Check::InspectionFailed, outcome, failed, || {
        Reason::InspectionFailed
    });
    if let Some(due) = inspection.due {
        findings.note_as(Check::InspectionOverdue, outcome, at > due, || {
            Reason::InspectionOverdue { due }
        });
    }
}
