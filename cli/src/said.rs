//! What the office's refusals are called and how they are said, in either language.

use zhao_issuer::intake::{Fault, Problem, Remark, RowError};
use zhao_issuer::office::{IssueError, OfficeError, ProposalError, UnitError};

use crate::failure::{Failure, args};
use crate::messages::{Argument, Messages};
use crate::values::show_time;

/// One refusal: a key of the catalogue, its arguments, and the column it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    key: String,
    arguments: Vec<Argument>,
    column: Option<String>,
    /// What only the program's own words say, for reasons that have a sentence of their own.
    detail: Option<String>,
}

impl Said {
    fn new(key: &str, arguments: Vec<Argument>) -> Self {
        Self {
            key: key.to_owned(),
            arguments,
            column: None,
            detail: None,
        }
    }

    /// A refusal by the ledger, with the life cycle's code.
    pub(crate) fn refusal(code: &str, detail: &str) -> Self {
        Self {
            key: format!("refusal.{code}"),
            arguments: Vec::new(),
            column: None,
            detail: Some(detail.to_owned()),
        }
    }

    /// The stable code: the last part of the key.
    pub(crate) fn code(&self) -> &str {
        self.key.rsplit('.').next().unwrap_or(&self.key)
    }

    /// The sentence.
    pub(crate) fn text(&self, messages: &Messages) -> String {
        let mut text = match messages.find(&self.key) {
            Some(_) => messages.fill(&self.key, &self.arguments),
            // A ledger of a later version may have codes that this catalogue does not know.
            None => self.code().to_owned(),
        };
        if let Some(column) = &self.column {
            text = format!("{column}: {text}");
        }
        match &self.detail {
            Some(detail) if !detail.is_empty() => format!("{text} ({detail})"),
            _ => text,
        }
    }
}

/// Everything that is wrong with one row or licence; never empty.
pub(crate) fn issue(error: &IssueError) -> Vec<Said> {
    let one = |key: &str, arguments| vec![Said::new(key, arguments)];
    match error {
        IssueError::CatalogueVersion {
            type_code,
            here,
            published,
        } => one("issue.catalogue-version", args![type_code, here, published]),
        IssueError::Credential(cause) => one("issue.credential", args![cause]),
        IssueError::FirstNotIssued { reference } => one("issue.first-not-issued", args![reference]),
        IssueError::Identifier(cause) => one("issue.identifier", args![cause]),
        IssueError::Ledger { code, detail } => vec![Said::refusal(code, detail)],
        IssueError::NumberTaken { number, identifier } => {
            one("issue.number-taken", args![number, identifier])
        }
        IssueError::Pattern(cause) => one("issue.pattern", args![cause]),
        IssueError::Row(row) => row.faults.iter().map(fault).collect(),
        IssueError::TypeNotGranted { unit, type_code } => {
            one("issue.type-not-granted", args![unit, type_code])
        }
        IssueError::TypeNotPublished { type_code } => {
            one("issue.type-not-published", args![type_code])
        }
        IssueError::Unit(error) => vec![unit(error)],
        other => one("issue.other", args![cause = other]),
    }
}

/// Everything that is wrong with a row, as one line.
pub(crate) fn row_text(error: &RowError, messages: &Messages) -> String {
    let texts = error.faults.iter().map(|one| fault(one).text(messages));
    texts.collect::<Vec<_>>().join("; ")
}

/// What is to be known of a licence that was issued all the same.
pub(crate) fn remark(remark: &Remark) -> Said {
    fault(&Fault {
        column: Some(remark.column.clone()),
        problem: remark.problem.clone(),
    })
}

fn fault(fault: &Fault) -> Said {
    let said = match &fault.problem {
        Problem::Again { row } => Said::new("row.again", args![row]),
        Problem::NotAsRegistered {
            register,
            code,
            source_name,
        } => Said::new("row.registered", args![register, code, source_name]),
        Problem::NotInRegister {
            register,
            source_name,
        } => Said::new("row.unregistered", args![register, source_name]),
        Problem::Origin { actual, start } => Said::new("row.origin", args![actual, start]),
        Problem::RegisterUnreachable { register, cause } => {
            Said::new("row.register", args![register, cause])
        }
        Problem::Id(cause) => Said::new("row.number", args![cause]),
        Problem::InFuture { actual, today } => Said::new("row.future", args![actual, today]),
        Problem::IndividualBusiness => Said::new("row.individual-business", args![]),
        Problem::InspectionPast { due } => Said::new("row.inspection-past", args![due]),
        Problem::Json(cause) => Said::new("row.json", args![cause]),
        Problem::Missing => Said::new("row.missing", args![]),
        Problem::NotInteger { actual } => Said::new("row.integer", args![actual]),
        Problem::NotHolder { expected, actual } => Said::new("row.holder", args![expected, actual]),
        Problem::NotObject { actual } => Said::new("row.object", args![actual]),
        Problem::NotOneOf { expected, actual } => Said::new("row.choice", args![expected, actual]),
        Problem::Pattern { expected, actual } => Said::new("row.form", args![expected, actual]),
        Problem::Quote => Said::new("row.quote", args![]),
        Problem::Read(cause) => Said::new("row.unreadable", args![cause]),
        Problem::RowTooLong => Said::new("row.too-long", args![]),
        Problem::Term(cause) => Said::new("row.term", args![cause]),
        Problem::Text(cause) => Said::new("row.text", args![cause]),
        Problem::Time { actual, source } => Said::new("row.date", args![actual, cause = source]),
        Problem::TooFewCells { expected, actual } | Problem::TooManyCells { expected, actual } => {
            Said::new("row.cells", args![expected, actual])
        }
        Problem::TooManyColumns => Said::new("row.columns", args![]),
        Problem::UnknownField => Said::new("row.unknown-field", args![]),
        Problem::UnknownType { actual } => Said::new("row.unknown-type", args![actual]),
        Problem::Utf8 => Said::new("row.utf8", args![]),
        Problem::WrongKind { expected, actual } => Said::new("row.kind", args![expected, actual]),
        other => Said::new("row.other", args![cause = other]),
    };
    Said {
        column: fault.column.clone(),
        ..said
    }
}

fn unit(error: &UnitError) -> Said {
    match error {
        UnitError::NoKey { unit } => Said::new("unit.no-key", args![unit]),
        UnitError::Suspended { unit } => Said::new("unit.suspended", args![unit]),
        UnitError::Unknown { unit } => Said::new("unit.unknown", args![unit]),
        UnitError::Unlogged { unit } => Said::new("unit.unlogged", args![unit]),
        other => Said::new("issue.other", args![cause = other]),
    }
}

/// An office's refusal as a failure of the command.
pub(crate) fn office(error: OfficeError) -> Failure {
    match error {
        OfficeError::Issue(error) => Failure::said(issue(&error)),
        OfficeError::Unit(error) => Failure::said(vec![unit(&error)]),
        OfficeError::CodeNotAllowed => Failure::said(vec![Said::refusal("code_not_allowed", "")]),
        OfficeError::Controller { .. } => Failure::said(vec![Said::refusal("not_controller", "")]),
        OfficeError::NotApplicable { verb, .. } => {
            Failure::said(vec![Said::refusal("verb_not_applicable", verb)])
        }
        OfficeError::NotIssued { why } => Failure::refused("not-issued", args![why]),
        OfficeError::NoLicence { actual } => Failure::refused("no-licence", args![actual]),
        OfficeError::Administrators { expected, actual } => {
            Failure::usage("administrators", args![expected, actual])
        }
        OfficeError::Code { actual } => Failure::usage("reason-code", args![actual]),
        OfficeError::Grounds { what, source } => {
            Failure::usage("grounds", args![what, cause = source])
        }
        OfficeError::UnitName(cause) => Failure::usage("unit-name", args![cause]),
        OfficeError::Proposal(error) => proposal(error),
        OfficeError::Form(cause) => Failure::refused("form", args![cause]),
        OfficeError::Signer(cause) => Failure::usage("signer", args![cause]),
        OfficeError::Key(cause) => Failure::usage("keys", args![cause]),
        OfficeError::Client(cause) => Failure::usage("ledger", args![cause]),
        OfficeError::Catalogue(cause) => Failure::usage("catalogue-entry", args![cause]),
        other => Failure::usage("office", args![cause = other]),
    }
}

/// Why a proposal is not signed or not handed in.
fn proposal(error: ProposalError) -> Failure {
    let refused = Failure::refused;
    match error {
        ProposalError::Administrators { .. } => {
            refused("proposal-administrators", args![cause = error])
        }
        ProposalError::AlreadySigned { key } => refused("proposal-signed", args![key]),
        ProposalError::ClockBehind { proposed, now } => {
            let (proposed, now) = (show_time(proposed), show_time(now));
            refused("proposal-clock", args![proposed, now])
        }
        ProposalError::Executed { index } => refused("proposal-executed", args![index]),
        ProposalError::Expired { expires, .. } => {
            refused("proposal-expired", args![expires = show_time(expires)])
        }
        ProposalError::Foreign { key } => refused("proposal-foreign", args![key]),
        ProposalError::Genesis { expected, actual } => {
            refused("proposal-genesis", args![expected, actual])
        }
        ProposalError::KeyElsewhere { key } => refused("proposal-key-elsewhere", args![key]),
        ProposalError::Mixed {
            position,
            expected,
            actual,
        } => refused("proposal-mixed", args![position, expected, actual]),
        ProposalError::NotYet { effective, now } => {
            let (effective, now) = (show_time(effective), show_time(now));
            refused("proposal-not-yet", args![effective, now])
        }
        ProposalError::Origin { expected, actual } => {
            refused("proposal-origin", args![expected, actual])
        }
        ProposalError::Signature { key, source } => {
            refused("proposal-signature", args![key, cause = source])
        }
        ProposalError::Stale { expected, actual } => {
            refused("proposal-stale", args![expected, actual])
        }
        ProposalError::Swapped { expected, actual } => {
            refused("proposal-swapped", args![expected, actual])
        }
        ProposalError::TooFew { expected, actual } => {
            refused("proposal-few", args![expected, actual])
        }
        ProposalError::UnitName => Failure::usage("proposal-unit-name", args![]),
        other => Failure::usage("proposal", args![cause = other]),
    }
}
