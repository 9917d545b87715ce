//! The tables of `spec/lifecycle.md` sections 2 and 3 as code. The test compares them cell by cell.

use super::refusal::Refusal;
use crate::life::data::Relation;
use crate::life::record::{LicenceRecord, State, Suspension};
use crate::life::verb::Verb;

/// A column of the table: what a licence is before the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// It does not exist.
    Absent,
    /// Active, not suspended.
    Active,
    /// Active, with this suspension.
    Suspended(Suspension),
    /// A terminal state.
    Terminal(State),
}

/// What a cell says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The suspension is added.
    Add(Suspension),
    /// The state becomes this.
    Become(State),
    /// Refused.
    Refuse(Refusal),
    /// Only flags change.
    Stays,
    /// The suspension is taken away.
    Take(Suspension),
}

impl Column {
    /// The columns a licence stands in: several when it has several suspensions.
    #[must_use]
    pub fn of(record: &LicenceRecord) -> Vec<Self> {
        match record.state {
            State::Active if record.suspensions.is_empty() => vec![Self::Active],
            State::Active => record
                .suspensions
                .iter()
                .map(|s| Self::Suspended(*s))
                .collect(),
            state => vec![Self::Terminal(state)],
        }
    }
}

/// The suspension a verb lifts.
fn lifts(verb: Verb) -> Option<Suspension> {
    match verb {
        Verb::LiftWithholding => Some(Suspension::Withheld),
        Verb::LiftHold => Some(Suspension::OnHold),
        Verb::WithdrawLoss => Some(Suspension::ReportedLost),
        _ => None,
    }
}

/// Section 2: one verb on one column. Verbs of other subjects have no column and are refused as
/// `wrong_kind` before this is asked.
#[must_use]
pub fn cell(verb: Verb, column: Column) -> Cell {
    if verb == Verb::Issued {
        return match column {
            Column::Absent => Cell::Become(State::Active),
            _ => Cell::Refuse(Refusal::SubjectExists),
        };
    }
    let suspension = match column {
        Column::Absent => return Cell::Refuse(Refusal::SubjectAbsent),
        Column::Terminal(state) => {
            return Cell::Refuse(Refusal::Terminal {
                state: state.as_str(),
            });
        }
        Column::Active => None,
        Column::Suspended(suspension) => Some(suspension),
    };
    if let Some(own) = lifts(verb) {
        return if suspension == Some(own) {
            Cell::Take(own)
        } else {
            Cell::Refuse(Refusal::NotSuspended)
        };
    }
    let add = |own: Suspension| {
        if suspension == Some(own) {
            Cell::Refuse(Refusal::AlreadySuspended { by: own.as_str() })
        } else {
            Cell::Add(own)
        }
    };
    match (verb, suspension) {
        (Verb::Withhold, _) => add(Suspension::Withheld),
        (Verb::Hold, _) => add(Suspension::OnHold),
        (Verb::ReportLost, _) => add(Suspension::ReportedLost),
        (Verb::Mortgage | Verb::Pledge, Some(by))
        | (Verb::Cancel, Some(by @ Suspension::Withheld)) => {
            Cell::Refuse(Refusal::Suspended { by: by.as_str() })
        }
        (Verb::Cancel, _) => Cell::Become(State::Cancelled),
        (Verb::Revoke, _) => Cell::Become(State::Revoked),
        (Verb::Annul, _) => Cell::Become(State::Annulled),
        (Verb::Abolish, _) => Cell::Become(State::Abolished),
        _ => Cell::Stays,
    }
}

/// Section 2 on a whole record: a lifting verb looks at its own suspension only, any other is
/// refused when one of the columns refuses it.
pub(super) fn cell_of(verb: Verb, record: &LicenceRecord) -> Cell {
    let columns = Column::of(record);
    if let Some(own) = lifts(verb)
        && columns.contains(&Column::Suspended(own))
    {
        return Cell::Take(own);
    }
    worst(columns.into_iter().map(|column| cell(verb, column)))
}

/// Section 3: what a new version does to its predecessor.
#[must_use]
pub fn relation_cell(relation: Relation, column: Column) -> Cell {
    match (relation, column) {
        (_, Column::Absent) => Cell::Refuse(Refusal::PredecessorAbsent),
        (Relation::Corrected, Column::Terminal(state)) if state != State::Superseded => Cell::Stays,
        (_, Column::Terminal(state)) => Cell::Refuse(Refusal::Terminal {
            state: state.as_str(),
        }),
        (_, Column::Active)
        | (Relation::Corrected, Column::Suspended(_))
        | (Relation::Reissued, Column::Suspended(Suspension::ReportedLost)) => {
            Cell::Become(State::Superseded)
        }
        (_, Column::Suspended(by)) => Cell::Refuse(Refusal::Suspended { by: by.as_str() }),
    }
}

/// Section 3 on a whole record.
pub(super) fn relation_cell_of(relation: Relation, record: &LicenceRecord) -> Cell {
    worst(
        Column::of(record)
            .into_iter()
            .map(|column| relation_cell(relation, column)),
    )
}

/// The first refusal, else the first cell; there is always one column.
fn worst(cells: impl Iterator<Item = Cell>) -> Cell {
    let mut first = None;
    for cell in cells {
        if matches!(cell, Cell::Refuse(_)) {
            return cell;
        }
        first.get_or_insert(cell);
    }
    first.unwrap_or(Cell::Refuse(Refusal::SubjectAbsent))
}
