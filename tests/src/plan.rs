//! What the office does, batch after batch: the same in every process of the same seed, so that a
//! process which comes back submits again exactly what its predecessor did.

use crate::dice::Dice;
use crate::machine::ORIGIN;
use crate::office::{Chain, Office};
use zhao_spec::life::data::{
    Action, InspectionResult, Note, ObjectionResult, Predecessor, Relation,
};
use zhao_spec::life::event::Event;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::Hash;

/// Events of the largest batch.
const BATCH: u64 = 12;

/// What may be done to a licence next. One thing at a time is open, so every event is admitted.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    Held,
    Lost,
    Withheld,
    Mortgage(Mark),
    Pledge(Mark),
    Objection(Mark),
    Ended,
}

/// An event that a later one names by its index, known once its batch is answered.
#[derive(Clone, Copy)]
struct Mark {
    id: Hash,
    batch: usize,
}

#[derive(Clone)]
struct Licence {
    n: u64,
    chain: Chain,
    open: Open,
}

/// The batches of one seed, one after the other.
#[derive(Clone)]
pub struct Plan {
    office: Office,
    dice: Dice,
    licences: Vec<Licence>,
    /// Batches made.
    made: usize,
}

impl Plan {
    /// Before the first batch.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            office: Office::new(ORIGIN),
            dice: Dice::new(seed),
            licences: Vec::new(),
            made: 0,
        }
    }

    /// The next batch. `index_of` knows where the events of all earlier batches are.
    pub fn next(&mut self, index_of: &dyn Fn(&Hash) -> LeafIndex) -> Vec<Event> {
        let batch = self.made;
        self.made += 1;
        if batch == 0 {
            return self.office.founding();
        }
        let count = 1 + self.dice.roll(BATCH);
        (0..count).map(|_| self.event(batch, index_of)).collect()
    }

    fn event(&mut self, batch: usize, index_of: &dyn Fn(&Hash) -> LeafIndex) -> Event {
        let rolled = self.dice.roll(10);
        if self.licences.is_empty() || rolled < 4 {
            return self.issue(None);
        }
        let at = self.dice.place(self.licences.len());
        if rolled == 4 && matches!(self.licences[at].open, Open::Nothing) {
            return self.issue(Some(at));
        }
        let Some((action, open)) = self.change(at, batch, index_of) else {
            return self.issue(None);
        };
        let licence = &mut self.licences[at];
        let subject = self.office.licence(licence.n);
        let event = self.office.by_unit(subject, Some(licence.chain), action);
        licence.chain = Chain::after(&event);
        let mark = Mark {
            id: event.id(),
            batch,
        };
        licence.open = match open {
            Open::Mortgage(_) => Open::Mortgage(mark),
            Open::Pledge(_) => Open::Pledge(mark),
            Open::Objection(_) => Open::Objection(mark),
            other => other,
        };
        event
    }

    /// A new licence, or a new version of an old one.
    fn issue(&mut self, old: Option<usize>) -> Event {
        let n = u64::try_from(self.licences.len()).expect("few licences");
        let predecessor = old.map(|at| {
            let old = &self.licences[at];
            Predecessor {
                prev: old.chain.latest,
                relation: Relation::Amended,
                seq: old.chain.next,
                subject: self.office.licence(old.n),
            }
        });
        let action = self.office.issue(n, predecessor);
        let event = self.office.by_unit(self.office.licence(n), None, action);
        if let Some(at) = old {
            self.licences[at].open = Open::Ended;
        }
        let chain = Chain::after(&event);
        let open = Open::Nothing;
        self.licences.push(Licence { n, chain, open });
        event
    }

    /// What is done to a licence, and what is open then; nothing where nothing can be.
    fn change(
        &mut self,
        at: usize,
        batch: usize,
        index_of: &dyn Fn(&Hash) -> LeafIndex,
    ) -> Option<(Action, Open)> {
        let note = Note::default();
        let plain = |verb| Action::Plain(verb, Note::default());
        let unknown = Mark {
            id: Hash([0; 32]),
            batch,
        };
        // A mark of this very batch has no index before the answer.
        let known = |mark: Mark| (mark.batch < batch).then(|| index_of(&mark.id));
        Some(match self.licences[at].open {
            Open::Nothing => match self.dice.roll(9) {
                0 => (plain(Verb::Hold), Open::Held),
                1 => (plain(Verb::ReportLost), Open::Lost),
                2 => (plain(Verb::Withhold), Open::Withheld),
                3 | 4 => (plain(Verb::Mortgage), Open::Mortgage(unknown)),
                5 => (plain(Verb::Pledge), Open::Pledge(unknown)),
                6 => (plain(Verb::MarkObjection), Open::Objection(unknown)),
                7 => {
                    let (due, result) = (None, InspectionResult::Passed);
                    (Action::Inspect { due, note, result }, Open::Nothing)
                }
                _ => (plain(Verb::Cancel), Open::Ended),
            },
            Open::Held => (plain(Verb::LiftHold), Open::Nothing),
            Open::Lost => (plain(Verb::WithdrawLoss), Open::Nothing),
            Open::Withheld => (plain(Verb::LiftWithholding), Open::Nothing),
            Open::Mortgage(mark) => {
                let of = known(mark)?;
                let release = Action::Release(Verb::ReleaseMortgage, of, note);
                (release, Open::Nothing)
            }
            Open::Pledge(mark) => {
                let of = known(mark)?;
                (
                    Action::Release(Verb::ReleasePledge, of, note),
                    Open::Nothing,
                )
            }
            Open::Objection(mark) => {
                let (of, result) = (known(mark)?, ObjectionResult::Rejected);
                (Action::ClearObjection { note, of, result }, Open::Nothing)
            }
            Open::Ended => return None,
        })
    }
}
