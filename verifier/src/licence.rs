//! Judging a dossier: the ten steps, in order.

use zhao_spec::credential::Licence;
use zhao_spec::file::{Authorities, EmbeddedCredential, Head, Placed};
use zhao_spec::life::record::LicenceRecord;
use zhao_spec::life::subject::{Kind, subject_key};

use crate::check::{Check, Findings, Stop};
use crate::facts::Holder;
use crate::reason::Reason;
use crate::report::FragmentName;
use crate::steps::s07_authority::Source;
use crate::steps::{
    Whose, s01_decode, s02_proof, s03_log, s04_record, s05_place, s07_authority, s08_times,
    s09_validity, s10_standing,
};
use crate::verdict::{Verdict, VerifiedLicence};
use crate::{Context, Progress};

/// What is judged: a dossier, or an item of an answer with the answer's head and authorities.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) authorities: Option<&'a Authorities>,
    pub(crate) credential: &'a EmbeddedCredential,
    pub(crate) head: &'a Head,
    pub(crate) placed: &'a Placed<LicenceRecord>,
}

/// The verdict on a licence.
pub(crate) fn judge(case: Case<'_>, context: &Context<'_>) -> Verdict {
    let mut progress = Progress::of(FragmentName::ALL);
    match steps(case, context, &mut progress) {
        Err(stop) => progress.stopped(stop),
        Ok((findings, licence)) => {
            let as_of = case.head.epoch.time;
            let licence = VerifiedLicence::new(licence, case.placed.record.clone(), as_of);
            progress.finished(findings, Some(licence))
        }
    }
}

fn steps(
    case: Case<'_>,
    context: &Context<'_>,
    progress: &mut Progress,
) -> Result<(Findings, Licence), Stop> {
    let Case {
        authorities,
        credential,
        head,
        placed,
    } = case;
    let record = &placed.record;

    // 1: shapes and limits; the file around the credential is decoded already.
    let licence = s01_decode::credential(credential)?;
    progress.draft.answered(FragmentName::Schema);

    // 2: the issuer's key signed it.
    let key = s02_proof::check(&licence)?;
    progress.draft.answered(FragmentName::Integrity);

    // 3: in which log its standing is to be found.
    let origin = licence.status.origin.as_str();
    s03_log::known(Whose::File, head, context.policy)?;
    s03_log::origin(Whose::File, head, origin)?;

    // 4: the record speaks of this credential.
    s04_record::check(record, credential, &licence, &key)?;

    // 5: the record is in the map of the log's last leaf.
    let subject = subject_key(origin, Kind::Licence, &licence.id);
    s05_place::record(
        Check::RecordNotInMap,
        head,
        &subject,
        &placed.record_hash(),
        &placed.path,
        |problem| Reason::RecordNotInMap { problem },
    )?;
    s05_place::epoch(Whose::File, head)?;

    // 6: the log, the witnesses and the auditors say so.
    let quorum_time = progress.vouch(head, context)?;

    // 7: the key may issue such a licence, by a chain from genesis.
    let pack;
    let source = match authorities {
        Some(authorities) => Source {
            authorities,
            head,
            from_pack: false,
        },
        None => {
            pack = s07_authority::pack(context)?;
            s07_authority::check_pack(&pack, record, origin, context)?;
            Source {
                authorities: &pack.authorities,
                head: &pack.head,
                from_pack: true,
            }
        }
    };
    let (issuer, licence_type) =
        s07_authority::check(source, &licence, record, &key, context.policy)?;
    let facts = &mut progress.facts;
    facts.holder = Some(Holder {
        code: licence.subject.holder_code.clone(),
        name: licence.subject.holder_name.clone(),
    });
    facts.issued_by = Some(record.issued_by);
    facts.issued_index = Some(record.issued_index);
    facts.unit = Some(issuer.unit.clone());
    facts.type_code = Some(licence_type.type_code.clone());
    facts.state = Some(record.state);
    facts.effective = Some(record.effective);
    facts.recorded = Some(record.recorded);
    facts.subject = Some(subject);

    // 8: all that is as of a believable and recent time.
    s08_times::check(head, quorum_time, context)?;

    // 9 and 10: what date and life cycle say; all of it is told.
    let mut findings = Findings::default();
    s09_validity::collect(&licence, context.at, &mut findings);
    progress.draft.answered(FragmentName::Validity);
    s10_standing::collect(record, issuer, licence_type, context.at, &mut findings);
    progress.draft.answered(FragmentName::Authority);
    progress.draft.answered(FragmentName::Standing);
    Ok((findings, licence))
}
