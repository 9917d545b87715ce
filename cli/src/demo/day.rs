//! One day of the office's work: every verb at least once.

use std::collections::BTreeMap;
use std::path::Path;

use rand_chacha::ChaCha20Rng;
use zhao_issuer::office::{Act, By, Grounds, LedgerClient as _, Outcome, Replacement};
use zhao_issuer::records::Standing;
use zhao_spec::credential::Licence;
use zhao_spec::file::Dossier;
use zhao_spec::id::Uscc;
use zhao_spec::life::data::{InspectionResult, InspectionRule, ObjectionResult, Relation};
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, PublicKey, SecretKey, UnixMillis};
use zhao_verifier::Status;

use crate::command::issue::Report;
use crate::command::office::{Desk, settled, wrong};
use crate::failure::{Failure, args, because};
use crate::files;
use crate::session::Session;

/// The office at work, with what is left to draw from.
pub(super) struct Work<'a> {
    pub(super) session: &'a Session,
    pub(super) desk: Desk,
    pub(super) rng: ChaCha20Rng,
    pub(super) now: UnixMillis,
    /// Subject keys not touched yet, by type slug.
    pub(super) pool: BTreeMap<String, Vec<Hash>>,
    pub(super) expected: Vec<(Hash, Status, &'static str)>,
    pub(super) changes: u64,
}

/// What a batch issued, by type slug; what came first is last.
///
/// # Errors
/// The records.
pub(super) fn pool(desk: &Desk, report: &Report) -> Result<BTreeMap<String, Vec<Hash>>, Failure> {
    let mut pool: BTreeMap<String, Vec<Hash>> = BTreeMap::new();
    for subject in report.subjects.iter().rev() {
        let row = desk
            .office
            .records()
            .licence(subject)
            .map_err(|cause| wrong(cause.into()))?;
        let Some(row) = row else { continue };
        let entry = desk.office.catalogue().entry(&row.type_code);
        let slug = entry
            .map_err(because("catalogue-entry", args![]))?
            .slug
            .clone();
        pool.entry(slug).or_default().push(*subject);
    }
    Ok(pool)
}

/// A length as a number.
pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Work<'_> {
    /// The next untouched licence of a type.
    pub(super) fn take_of(&mut self, slug: &str) -> Result<Hash, Failure> {
        let next = self.pool.get_mut(slug).and_then(Vec::pop);
        next.ok_or_else(|| Failure::usage("demo-pool", args![verb = slug]))
    }

    /// The next untouched licence, of a type that knows `verb`.
    pub(super) fn take(&mut self, verb: Verb) -> Result<Hash, Failure> {
        let slug = self.slug(verb);
        slug.and_then(|slug| self.pool.get_mut(&slug)?.pop())
            .ok_or_else(|| Failure::usage("demo-pool", args![verb]))
    }

    /// The type with most licences left among those that know the verb.
    fn slug(&self, verb: Verb) -> Option<String> {
        let entries = self.desk.office.catalogue().entries();
        let left = |slug: &str| self.pool.get(slug).map_or(0, Vec::len);
        entries
            .filter(|entry| entry.verbs.contains(&verb) && left(&entry.slug) > 0)
            .max_by_key(|entry| left(&entry.slug))
            .map(|entry| entry.slug.clone())
    }

    pub(super) fn credential(&self, subject: Hash) -> Result<(Licence, Hash), Failure> {
        let row = self.desk.office.records().licence(&subject);
        let row = row
            .map_err(|cause| wrong(cause.into()))?
            .ok_or_else(|| Failure::usage("demo-pool", args![verb = subject]))?;
        let licence = Licence::parse(&row.credential).map_err(because("office", args![]))?;
        Ok((licence, subject))
    }

    pub(super) fn dossier(&self, licence: &Licence) -> Result<Dossier, Failure> {
        let reader = self.desk.office.client().reader();
        let view = reader.latest().map_err(because("ledger", args![]))?;
        view.dossier(licence, true)
            .map_err(because("ledger", args![]))
    }

    pub(super) fn note(&self) -> Result<String, Failure> {
        let reader = self.desk.office.client().reader();
        Ok(reader
            .latest()
            .map_err(because("ledger", args![]))?
            .note()
            .to_owned())
    }

    /// One act, in the log. Gives its leaf index and the receipt.
    pub(super) fn act(
        &mut self,
        subject: &Hash,
        act: &Act,
        reason: &str,
    ) -> Result<(LeafIndex, Vec<u8>), Failure> {
        let grounds = Grounds {
            reason: Some(reason.to_owned()),
            ..Grounds::default()
        };
        self.now = self.session.host.now()?;
        let declared = self
            .desk
            .office
            .act(subject, act, &grounds, None, self.now, &mut self.rng)
            .map_err(wrong)?;
        let declared = settled(declared, &mut self.desk.office, self.now)?;
        self.changes += 1;
        match declared.standing {
            Standing::Receipted { index, receipt } => Ok((index, receipt)),
            _ => Err(Failure::usage("pending", args![cause = ""])),
        }
    }

    fn plain(&mut self, subject: &Hash, verb: Verb, reason: &str) -> Result<LeafIndex, Failure> {
        Ok(self.act(subject, &Act::Plain(verb), reason)?.0)
    }

    /// A suspension that stays, and one that is lifted, of each kind.
    pub(super) fn suspensions(&mut self) -> Result<(), Failure> {
        for (verb, lift, code, reason) in [
            (
                Verb::Withhold,
                Verb::LiftWithholding,
                "withheld",
                "消防检查未通过",
            ),
            (Verb::Hold, Verb::LiftHold, "on_hold", "材料复核"),
            (
                Verb::ReportLost,
                Verb::WithdrawLoss,
                "reported_lost",
                "持证人挂失",
            ),
        ] {
            let stays = self.take(verb)?;
            self.plain(&stays, verb, reason)?;
            self.expected.push((stays, Status::NotUsable, code));
            let lifted = self.take(verb)?;
            self.plain(&lifted, verb, reason)?;
            self.plain(&lifted, lift, "原因消除")?;
            self.expected.push((lifted, Status::Valid, ""));
        }
        Ok(())
    }

    /// Mortgages, pledges, objections and inspections.
    pub(super) fn encumbrances(&mut self) -> Result<(), Failure> {
        for (verb, code) in [(Verb::Mortgage, "mortgaged"), (Verb::Pledge, "pledged")] {
            let stays = self.take(verb)?;
            self.plain(&stays, verb, "借款担保")?;
            self.expected.push((stays, Status::ValidWithNotice, code));
            let released = self.take(verb)?;
            let of = self.plain(&released, verb, "借款担保")?;
            let release = match verb {
                Verb::Mortgage => Act::ReleaseMortgage(of),
                _ => Act::ReleasePledge(of),
            };
            self.act(&released, &release, "借款清偿")?;
            self.expected.push((released, Status::Valid, ""));
        }
        let stays = self.take(Verb::MarkObjection)?;
        self.plain(&stays, Verb::MarkObjection, "利害关系人提出异议")?;
        self.expected
            .push((stays, Status::ValidWithNotice, "objection"));
        for result in [ObjectionResult::Upheld, ObjectionResult::Rejected] {
            let cleared = self.take(Verb::MarkObjection)?;
            let of = self.plain(&cleared, Verb::MarkObjection, "利害关系人提出异议")?;
            self.act(&cleared, &Act::ClearObjection { of, result }, "核查终结")?;
            self.expected.push((cleared, Status::Valid, ""));
        }
        let passed = self.take(Verb::Inspect)?;
        let result = InspectionResult::Passed;
        self.act(&passed, &Act::Inspect { due: None, result }, "年审合格")?;
        self.expected.push((passed, Status::Valid, ""));
        let failed = self.take(Verb::Inspect)?;
        let result = InspectionResult::Failed;
        self.act(&failed, &Act::Inspect { due: None, result }, "年审不合格")?;
        let suspends = self.suspends(failed)?;
        let status = if suspends {
            Status::NotUsable
        } else {
            Status::ValidWithNotice
        };
        self.expected.push((failed, status, "inspection_failed"));
        Ok(())
    }

    /// Whether a failed inspection suspends licences of this one's type.
    fn suspends(&self, subject: Hash) -> Result<bool, Failure> {
        let (licence, _) = self.credential(subject)?;
        let code = licence.subject.licence_type_code.as_str().to_owned();
        let entry = self.desk.office.catalogue().entry(&code);
        let entry = entry.map_err(because("catalogue-entry", args![]))?;
        Ok(entry.inspection.rule == InspectionRule::Suspends)
    }

    /// The four ends that are never one.
    pub(super) fn ends(&mut self) -> Result<(), Failure> {
        for (verb, code, reason) in [
            (Verb::Cancel, "cancelled", "持证人申请注销"),
            (Verb::Revoke, "revoked", "行政处罚"),
            (Verb::Annul, "annulled", "以欺骗手段取得"),
            (Verb::Abolish, "abolished", "所依据的规章废止"),
        ] {
            let ended = self.take(verb)?;
            self.plain(&ended, verb, reason)?;
            self.expected.push((ended, Status::Invalid, code));
        }
        Ok(())
    }

    /// 变更, 延续, 补发: the old version ends in the step in which the new one begins.
    pub(super) fn versions(&mut self, dir: &Path) -> Result<(), Failure> {
        let output = dir.join("licences");
        for relation in [Relation::Amended, Relation::Renewed, Relation::Reissued] {
            let old = self.take(Verb::Withhold)?;
            if relation == Relation::Reissued {
                self.plain(&old, Verb::ReportLost, "证照遗失")?;
            }
            let grounds = Grounds {
                reason: Some("持证人申请".to_owned()),
                ..Grounds::default()
            };
            let replacement = Replacement {
                changes: Vec::new(),
                grounds,
                relation,
            };
            self.now = self.session.host.now()?;
            let office = &mut self.desk.office;
            let outcome = office
                .replace(&old, &replacement, self.now, &mut self.rng)
                .and_then(|outcome| office.finish_issue(outcome, self.now))
                .map_err(wrong)?;
            let Outcome::Issued(issued) = outcome else {
                return Err(Failure::usage("pending", args![cause = relation.as_str()]));
            };
            let name = crate::command::issue::file_name(&issued.licence.credential_id);
            files::replace(&output.join(name), &issued.licence.credential)?;
            self.changes += 1;
            self.expected.push((old, Status::Invalid, "superseded"));
            self.expected
                .push((issued.licence.subject, Status::Valid, ""));
        }
        Ok(())
    }

    /// The units: a key rotated, a unit suspended and resumed, a key declared compromised, a
    /// licence reaffirmed, another handed over.
    pub(super) fn units(
        &mut self,
        units: &[Uscc; 2],
        administrators: &[SecretKey],
    ) -> Result<(), Failure> {
        let [first, second] = units;
        let now = self.session.host.now()?;
        let name = |unit: &Uscc, number| crate::command::unit::key_name(unit, number);
        let (office, rng) = (&mut self.desk.office, &mut self.rng);
        settled(
            office
                .rotate_key(first, &name(first, 2), true, now, rng)
                .map_err(wrong)?,
            office,
            now,
        )?;
        settled(
            office
                .suspend_unit(second, true, administrators, now)
                .map_err(wrong)?,
            office,
            now,
        )?;
        settled(
            office
                .suspend_unit(second, false, administrators, now)
                .map_err(wrong)?,
            office,
            now,
        )?;
        // Two licences of the second unit that its first key issued last.
        let mut last: Vec<(LeafIndex, Hash)> = Vec::new();
        let all: Vec<Hash> = self.pool.values().flatten().copied().collect();
        let second_subject = self.unit_subject(second);
        for subject in all {
            let record = self.desk.office.licence_record(&subject).map_err(wrong)?;
            if record.issuer == second_subject {
                last.push((record.issued_index, subject));
            }
        }
        last.sort_unstable_by_key(|(index, _)| std::cmp::Reverse(*index));
        let [(_, newest), (from, reaffirmed), ..] = last[..] else {
            return Err(Failure::usage("demo-pool", args![verb = "compromise-key"]));
        };
        for list in self.pool.values_mut() {
            list.retain(|subject| *subject != newest && *subject != reaffirmed);
        }
        let old_key = self.first_key(second)?;
        let (office, rng) = (&mut self.desk.office, &mut self.rng);
        settled(
            office
                .rotate_key(second, &name(second, 2), false, now, rng)
                .map_err(wrong)?,
            office,
            now,
        )?;
        let by = By::Administrators(administrators);
        settled(
            office
                .compromise_key(second, &old_key, from, by, now)
                .map_err(wrong)?,
            office,
            now,
        )?;
        self.changes += 5;
        self.expected
            .push((newest, Status::NotUsable, "key_compromised"));
        self.plain(&reaffirmed, Verb::Reaffirm, "经核实，该证照确由本单位签发")?;
        self.expected.push((reaffirmed, Status::Valid, ""));
        let moved = self.take(Verb::Transfer)?;
        let record = self.desk.office.licence_record(&moved).map_err(wrong)?;
        let to = if record.controller == second_subject {
            first
        } else {
            second
        };
        self.act(&moved, &Act::Transfer(to.clone()), "机构改革，职责划转")?;
        self.expected.push((moved, Status::Valid, ""));
        Ok(())
    }

    fn unit_subject(&self, unit: &Uscc) -> Hash {
        subject_key(&self.desk.home.config.origin, Kind::Issuer, unit.as_str())
    }

    fn first_key(&self, unit: &Uscc) -> Result<PublicKey, Failure> {
        let subject = self.unit_subject(unit);
        match self
            .desk
            .office
            .client()
            .record(&subject)
            .map_err(because("ledger", args![]))?
        {
            Some(Record::Issuer(record)) => record
                .keys
                .first()
                .map(|entry| entry.key)
                .ok_or_else(|| Failure::usage("demo-pool", args![verb = "rotate-key"])),
            _ => Err(Failure::usage("demo-pool", args![verb = "rotate-key"])),
        }
    }
}
