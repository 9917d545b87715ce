//! Judging an issuer pack: everything in it is what the log says.

use zhao_spec::file::IssuerPack;

use crate::check::Stop;
use crate::report::FragmentName;
use crate::steps::s07_authority::{self, Source};
use crate::steps::{Whose, s03_log, s05_place};
use crate::verdict::Verdict;
use crate::{Context, Progress};

/// What is asked of it.
const ASKED: &[FragmentName] = &[
    FragmentName::Authority,
    FragmentName::Standing,
    FragmentName::Witnesses,
    FragmentName::Schema,
];

/// The verdict on an issuer pack.
pub(crate) fn judge(pack: &IssuerPack, context: &Context<'_>) -> Verdict {
    let mut progress = Progress::of_decoded(ASKED);
    let outcome = steps(pack, context, &mut progress);
    progress.concluded(outcome)
}

fn steps(pack: &IssuerPack, context: &Context<'_>, progress: &mut Progress) -> Result<(), Stop> {
    let head = &pack.head;
    s03_log::known(Whose::File, head, context.policy)?;
    s05_place::epoch(Whose::File, head)?;
    progress.vouch(head, context)?;
    progress.draft.answered(FragmentName::Standing);
    let source = Source {
        authorities: &pack.authorities,
        head,
        from_pack: false,
    };
    let registry = s07_authority::registry(source, context.policy)?;
    for issuer in &pack.authorities.issuers {
        s07_authority::unit(source, &registry, issuer)?;
    }
    for placed in &pack.authorities.licence_types {
        s07_authority::licence_type(source, placed)?;
    }
    progress.draft.answered(FragmentName::Authority);
    Ok(())
}
