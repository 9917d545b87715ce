//! Judging an answer: the open licences of one enterprise, and that nothing was left out.

use zhao_spec::file::Answer;
use zhao_spec::life::record::{Record, next_enterprise};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::map;
use zhao_spec::wire::Hash;

use crate::check::{Check, Stop, ensure};
use crate::facts::ItemVerdict;
use crate::licence::{self, Case};
use crate::reason::{Reason, words};
use crate::report::FragmentName;
use crate::steps::s07_authority::{self, Source};
use crate::steps::{Whose, s03_log, s05_place, s08_times};
use crate::verdict::Verdict;
use crate::{Context, Progress};

/// What is asked of it.
const ASKED: &[FragmentName] = &[
    FragmentName::Authority,
    FragmentName::Standing,
    FragmentName::Witnesses,
    FragmentName::Schema,
];

/// The verdict on an answer. That it is valid says that it is whole; what each licence is worth
/// is among the facts.
pub(crate) fn judge(answer: &Answer, context: &Context<'_>) -> Verdict {
    let mut progress = Progress::of_decoded(ASKED);
    let outcome = steps(answer, context, &mut progress);
    if outcome.is_ok() {
        progress.facts.items = Some(items(answer, context));
    }
    progress.concluded(outcome)
}

fn steps(answer: &Answer, context: &Context<'_>, progress: &mut Progress) -> Result<(), Stop> {
    let head = &answer.head;
    s03_log::known(Whose::File, head, context.policy)?;
    s05_place::epoch(Whose::File, head)?;
    let quorum_time = progress.vouch(head, context)?;
    let source = Source {
        authorities: &answer.authorities,
        head,
        from_pack: false,
    };
    s07_authority::registry(source, context.policy)?;
    progress.draft.answered(FragmentName::Authority);
    s08_times::check(head, quorum_time, context)?;
    enterprise(answer)?;
    complete(answer)?;
    for (item, own) in answer.items.iter().enumerate() {
        s05_place::record(
            Check::ItemNotInMap,
            head,
            &own.subject,
            &own.placed.record_hash(),
            &own.placed.path,
            |problem| Reason::ItemNotInMap { item, problem },
        )?;
    }
    progress.draft.answered(FragmentName::Standing);
    Ok(())
}

/// The enterprise's record is at its key, or nothing is.
fn enterprise(answer: &Answer) -> Result<(), Stop> {
    let own = &answer.enterprise;
    let origin = &answer.head.checkpoint().origin;
    let key = subject_key(origin, Kind::Enterprise, answer.uscc.as_str());
    let hash = own
        .record
        .as_ref()
        .map(|record| Record::Enterprise(record.clone()).hash());
    let placed = map::check(&answer.head.epoch.map_root, &key, hash.as_ref(), &own.path);
    ensure(Check::EnterpriseNotInMap, placed.is_ok(), || {
        Reason::EnterpriseNotInMap {
            problem: placed.err().map_or_else(String::new, |error| words(&error)),
        }
    })
}

/// The items' keys, in order, give the count and chain of the record.
fn complete(answer: &Answer) -> Result<(), Stop> {
    let actual = answer.items.len();
    let (count, chain) = match &answer.enterprise.record {
        Some(record) => (record.count, record.chain),
        None => (0, Hash([0; 32])),
    };
    let start = Hash([0; 32]);
    let shown = answer
        .items
        .iter()
        .fold(start, |chain, item| next_enterprise(&chain, &item.subject));
    let whole = u64::try_from(actual) == Ok(count) && shown == chain;
    ensure(Check::AnswerIncomplete, whole, || {
        Reason::AnswerIncomplete {
            expected: count,
            actual,
        }
    })
}

/// Each item with a credential, judged as a dossier of its own.
fn items(answer: &Answer, context: &Context<'_>) -> Vec<ItemVerdict> {
    let judge = |item: &zhao_spec::file::AnswerItem| ItemVerdict {
        subject: item.subject,
        judged: item.credential.as_ref().map(|credential| {
            let verdict = licence::judge(
                Case {
                    authorities: Some(&answer.authorities),
                    credential,
                    head: &answer.head,
                    placed: &item.placed,
                },
                context,
            );
            (verdict.status(), verdict.reasons().to_vec())
        }),
    };
    answer.items.iter().map(judge).collect()
}
