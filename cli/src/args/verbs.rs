//! The verbs of `zhao status`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use zhao_spec::life::verb::Verb;

/// A verb of a licence that `zhao status` can sign. Shells complete it.
pub(super) fn verb_parser() -> impl TypedValueParser<Value = Verb> {
    let words = STATUS_VERBS.map(|verb| verb.as_str());
    PossibleValuesParser::new(words).try_map(|word| {
        let verb = STATUS_VERBS.into_iter().find(|verb| verb.as_str() == word);
        verb.ok_or("unknown verb")
    })
}

/// The verbs of `zhao status`.
pub(crate) const STATUS_VERBS: [Verb; 19] = [
    Verb::Withhold,
    Verb::LiftWithholding,
    Verb::Hold,
    Verb::LiftHold,
    Verb::ReportLost,
    Verb::WithdrawLoss,
    Verb::Mortgage,
    Verb::ReleaseMortgage,
    Verb::Pledge,
    Verb::ReleasePledge,
    Verb::Inspect,
    Verb::MarkObjection,
    Verb::ClearObjection,
    Verb::Cancel,
    Verb::Revoke,
    Verb::Annul,
    Verb::Abolish,
    Verb::Transfer,
    Verb::Reaffirm,
];
