//! The honest part of the demo: an office is made, issues, changes, proves.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;
use zhao_issuer::catalogue::Catalogue;
use zhao_issuer::keys::{Keyring, Purpose, WorkFactor};
use zhao_issuer::office::{Act, By, Grant, Grounds, Outcome, Replacement};
use zhao_issuer::records::Standing;
use zhao_spec::credential::Licence;
use zhao_spec::file::Dossier;
use zhao_spec::id::{LicenceTypeCode, RegionCode, Uscc};
use zhao_spec::life::data::{InspectionResult, ObjectionResult, Relation};
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, SecretKey, UnixMillis};
use zhao_verifier::Status;

use crate::command::init::{self, Plan, fictional_unit};
use crate::command::issue::{Batch, Report};
use crate::command::office::{Desk, settled, write_pack, wrong};
use crate::command::sample::Request;
use crate::failure::{Failure, args, because};
use crate::files;
use crate::home::Home;
use crate::session::Session;

/// Opens every key of the demo; printed, so that a newcomer can go on with the directory.
pub(crate) const PASSPHRASE: &str = "demo";
/// An open type whose licences stand in the public index.
const OPEN_TYPE: &str = "food-operation";
/// Milliseconds of an hour.
const HOUR: u64 = 3_600_000;
/// The story begins so long ago: yesterday, and further back than a proof may be old.
const BEGIN: u64 = 30 * HOUR;

/// What the later parts need of the story.
pub(crate) struct Story {
    /// The office's directory.
    pub(crate) home: Home,
    /// Where the demo's files are.
    pub(crate) dir: PathBuf,
    /// The two units.
    pub(crate) units: [Uscc; 2],
    /// Licences whose standing is known, and what a verifier must say.
    pub(crate) expected: Vec<(Hash, Status, &'static str)>,
    /// The licence whose revocation the operator would like to undo.
    pub(crate) victim: Victim,
    /// How many licences of each type there are.
    pub(crate) per_type: BTreeMap<String, u64>,
    /// Events after issuing.
    pub(crate) changes: u64,
    /// An active licence of the first unit, untouched.
    pub(crate) plain: Licence,
    /// Untouched licences, by subject key.
    pub(crate) untouched: Vec<Hash>,
    /// What other people hold: receipts and checkpoints.
    pub(crate) held: Vec<crate::command::audit::Held>,
}

/// A licence that was valid yesterday and is revoked today.
pub(crate) struct Victim {
    /// The credential.
    pub(crate) licence: Licence,
    /// Its subject key.
    pub(crate) subject: Hash,
    /// The dossier its holder got yesterday.
    pub(crate) old_dossier: Dossier,
    /// Leaf index of the revocation.
    pub(crate) index: LeafIndex,
}

/// The office at work, with what is left to draw from.
struct Work<'a> {
    session: &'a Session,
    desk: Desk,
    rng: ChaCha20Rng,
    now: UnixMillis,
    /// Subject keys not touched yet, by type slug.
    pool: BTreeMap<String, Vec<Hash>>,
    expected: Vec<(Hash, Status, &'static str)>,
    changes: u64,
}

/// Makes the office with its two units, as of yesterday.
///
/// # Errors
/// The disk, or a part that refuses.
pub(crate) fn found(session: &Session, dir: &Path) -> Result<(Home, [Uscc; 2]), Failure> {
    session.host.clock.set_behind(BEGIN);
    let region = RegionCode::parse("320400").map_err(because("region", args![value = "320400"]))?;
    let plan = Plan {
        dir: dir.join("office"),
        admin_dir: dir.join("office-admin"),
        origin: "zhao.example/demo".to_owned(),
        unit: fictional_unit(&region, 1),
        region: region.clone(),
        administrators: 3,
        threshold: 2,
        key_delay: 7 * 24 * HOUR,
        passphrase: Zeroizing::new(PASSPHRASE.to_owned()),
        // The demo's keys protect nothing; a real office's have the full work factor.
        work: WorkFactor::new(10).map_err(because("keys", args![]))?,
    };
    let home = init::make(session, &plan)?;
    let first = plan.unit.1.clone();
    let (name, second) = fictional_unit(&region, 2);
    let mut desk = open(session, &home)?;
    let signers = administrators(&home)?;
    let types: Vec<LicenceTypeCode> =
        desk.office.catalogue().entries().map(|entry| entry.type_code.clone()).collect();
    let key_name = crate::command::unit::key_name(&second, 1);
    let grant = Grant { key_name: &key_name, types: &types, unit: &second };
    let now = session.host.now()?;
    let mut rng = session.host.generator()?;
    settled(desk.office.add_unit(&name, grant, &signers, now, &mut rng).map_err(wrong)?)?;
    Ok((home, [first, second]))
}

/// Opens the demo's office without asking for a passphrase.
///
/// # Errors
/// As [`Desk::with`].
pub(crate) fn open(session: &Session, home: &Home) -> Result<Desk, Failure> {
    let lock = home.lock()?;
    let keyring = keyring(&home.keys())?;
    Desk::with(session, home.clone(), lock, keyring)
}

/// Opens a key directory of the demo.
///
/// # Errors
/// The disk.
pub(crate) fn keyring(dir: &Path) -> Result<Keyring, Failure> {
    Keyring::open(dir, &Zeroizing::new(PASSPHRASE.to_owned())).map_err(because("keys", args![]))
}

fn administrators(home: &Home) -> Result<Vec<SecretKey>, Failure> {
    let mut keyring = keyring(&home.admin(None))?;
    let keys = keyring.secrets(Purpose::Administrator).map_err(because("keys", args![]))?;
    Ok(init::signers(&keys, 2))
}

/// Writes the sample of `count` rows.
///
/// # Errors
/// The disk.
pub(crate) fn sample(
    session: &Session,
    dir: &Path,
    count: u64,
    seed: u64,
    units: &[Uscc],
) -> Result<PathBuf, Failure> {
    let catalogue = Catalogue::embedded().map_err(because("catalogue-entry", args![]))?;
    let entries: Vec<_> = catalogue.entries().collect();
    let today = session.host.now()?.beijing_date();
    let request = Request { count, seed, today, units: units.to_vec() };
    let path = dir.join("licences.csv");
    files::replace(&path, &request.csv(&entries)?)?;
    Ok(path)
}

/// Issues the sample, and lives through a day: every verb once at least.
///
/// # Errors
/// Anything that does not go as it must.
pub(crate) fn live(
    session: &Session,
    home: &Home,
    dir: &Path,
    sample: &Path,
    units: [Uscc; 2],
) -> Result<Story, Failure> {
    let mut desk = open(session, home)?;
    let file = File::open(sample).map_err(|cause| Failure::file("read", sample, &cause))?;
    let output = dir.join("licences");
    let batch = Batch { file, licence_type: None, unit: None, output: &output };
    let report = batch.issue(session, &mut desk)?;
    if report.refused + report.pending + report.repeated > 0 {
        let count = report.refused + report.pending;
        return Err(Failure::usage("demo-batch", args![count, path = output.display()]));
    }
    write_pack(&desk.home, &desk.office)?;
    let mut work = Work {
        session,
        rng: session.host.generator()?,
        now: session.host.now()?,
        pool: pool(&desk, &report)?,
        expected: Vec::new(),
        changes: 0,
        desk,
    };
    let per_type = work.pool.iter().map(|(slug, all)| (slug.clone(), count(all.len()))).collect();
    let plain = work.take_of(OPEN_TYPE)?;
    let (plain, _) = work.credential(plain)?;
    let victim = work.take_of(OPEN_TYPE)?;
    let (licence, subject) = work.credential(victim)?;
    let old_dossier = work.dossier(&licence)?;
    let mut held = vec![("checkpoint of yesterday".to_owned(), work.note()?.into_bytes())];
    // Yesterday ends: the operator makes his backup, which he will come to need.
    drop(work.desk);
    files::copy_dir(&home.ledger(), &dir.join("backup").join("ledger"))?;
    files::copy_dir(&home.witness(), &dir.join("backup").join("witness"))?;
    session.host.clock.set_behind(0);
    work.desk = open(session, home)?;
    work.now = session.host.now()?;
    // The keys first: what a key signs after the index from which it is declared compromised
    // would not count.
    work.units(&units, &administrators(home)?)?;
    work.suspensions()?;
    work.encumbrances()?;
    work.ends()?;
    work.versions(dir)?;
    let (index, receipt) = work.act(&subject, &Act::Plain(Verb::Revoke), "无证经营情节严重")?;
    work.expected.push((subject, Status::Invalid, "revoked"));
    held.push(("receipt of the revocation".to_owned(), receipt));
    // The day goes on after it.
    for _ in 0..3 {
        let other = work.take(Verb::MarkObjection)?;
        work.act(&other, &Act::Plain(Verb::MarkObjection), "持证人对登记事项提出异议")?;
        work.expected.push((other, Status::ValidWithNotice, "objection"));
    }
    work.desk.office.client_mut().heartbeat(session.host.now()?)?;
    write_pack(&work.desk.home, &work.desk.office)?;
    held.push(("checkpoint of today".to_owned(), work.note()?.into_bytes()));
    Ok(Story {
        home: home.clone(),
        dir: dir.to_owned(),
        units,
        expected: work.expected,
        victim: Victim { licence, subject, old_dossier, index },
        per_type,
        changes: work.changes,
        plain,
        untouched: work.pool.into_values().flatten().collect(),
        held,
    })
}

fn pool(desk: &Desk, report: &Report) -> Result<BTreeMap<String, Vec<Hash>>, Failure> {
    let mut pool: BTreeMap<String, Vec<Hash>> = BTreeMap::new();
    for subject in report.subjects.iter().rev() {
        let row = desk.office.records().licence(subject).map_err(|cause| wrong(cause.into()))?;
        let Some(row) = row else { continue };
        let entry = desk.office.catalogue().entry(&row.type_code);
        let slug = entry.map_err(because("catalogue-entry", args![]))?.slug.clone();
        pool.entry(slug).or_default().push(*subject);
    }
    Ok(pool)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Work<'_> {
    /// The next untouched licence of a type.
    fn take_of(&mut self, slug: &str) -> Result<Hash, Failure> {
        let next = self.pool.get_mut(slug).and_then(Vec::pop);
        next.ok_or_else(|| Failure::usage("demo-pool", args![verb = slug]))
    }

    /// The next untouched licence, of a type that knows `verb`.
    fn take(&mut self, verb: Verb) -> Result<Hash, Failure> {
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

    fn credential(&self, subject: Hash) -> Result<(Licence, Hash), Failure> {
        let row = self.desk.office.records().licence(&subject);
        let row = row
            .map_err(|cause| wrong(cause.into()))?
            .ok_or_else(|| Failure::usage("demo-pool", args![verb = subject]))?;
        let licence = Licence::parse(&row.credential).map_err(because("office", args![]))?;
        Ok((licence, subject))
    }

    fn dossier(&self, licence: &Licence) -> Result<Dossier, Failure> {
        let reader = self.desk.office.client().reader();
        let view = reader.latest().map_err(because("ledger", args![]))?;
        view.dossier(licence, true).map_err(because("ledger", args![]))
    }

    fn note(&self) -> Result<String, Failure> {
        let reader = self.desk.office.client().reader();
        Ok(reader.latest().map_err(because("ledger", args![]))?.note().to_owned())
    }

    /// One act, in the log. Gives its leaf index and the receipt.
    fn act(
        &mut self,
        subject: &Hash,
        act: &Act,
        reason: &str,
    ) -> Result<(LeafIndex, Vec<u8>), Failure> {
        let grounds = Grounds { reason: Some(reason.to_owned()), ..Grounds::default() };
        self.now = self.session.host.now()?;
        let declared = self
            .desk
            .office
            .act(subject, act, &grounds, None, self.now, &mut self.rng)
            .map_err(wrong)
            .and_then(settled)?;
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
    fn suspensions(&mut self) -> Result<(), Failure> {
        for (verb, lift, code, reason) in [
            (Verb::Withhold, Verb::LiftWithholding, "withheld", "消防检查未通过"),
            (Verb::Hold, Verb::LiftHold, "on_hold", "材料复核"),
            (Verb::ReportLost, Verb::WithdrawLoss, "reported_lost", "持证人挂失"),
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
    fn encumbrances(&mut self) -> Result<(), Failure> {
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
        self.expected.push((stays, Status::ValidWithNotice, "objection"));
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
        let status = if suspends { Status::NotUsable } else { Status::ValidWithNotice };
        self.expected.push((failed, status, "inspection_failed"));
        Ok(())
    }

    /// Whether a failed inspection suspends licences of this one's type.
    fn suspends(&self, subject: Hash) -> Result<bool, Failure> {
        use zhao_spec::life::data::InspectionRule;
        let (licence, _) = self.credential(subject)?;
        let code = licence.subject.licence_type_code.as_str().to_owned();
        let entry = self.desk.office.catalogue().entry(&code);
        let entry = entry.map_err(because("catalogue-entry", args![]))?;
        Ok(entry.inspection.rule == InspectionRule::Suspends)
    }

    /// The four ends that are never one.
    fn ends(&mut self) -> Result<(), Failure> {
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
    fn versions(&mut self, dir: &Path) -> Result<(), Failure> {
        let output = dir.join("licences");
        for relation in [Relation::Amended, Relation::Renewed, Relation::Reissued] {
            let old = self.take(Verb::Withhold)?;
            if relation == Relation::Reissued {
                self.plain(&old, Verb::ReportLost, "证照遗失")?;
            }
            let grounds = Grounds { reason: Some("持证人申请".to_owned()), ..Grounds::default() };
            let replacement = Replacement { changes: Vec::new(), grounds, relation };
            self.now = self.session.host.now()?;
            let office = &mut self.desk.office;
            let outcome =
                office.replace(&old, &replacement, self.now, &mut self.rng).map_err(wrong)?;
            let Outcome::Issued(issued) = outcome else {
                return Err(Failure::usage("pending", args![cause = relation.as_str()]));
            };
            let name = crate::command::issue::file_name(&issued.licence.credential_id);
            files::replace(&output.join(name), &issued.licence.credential)?;
            self.changes += 1;
            self.expected.push((old, Status::Invalid, "superseded"));
            self.expected.push((issued.licence.subject, Status::Valid, ""));
        }
        Ok(())
    }

    /// The units: a key rotated, a unit suspended and resumed, a key declared compromised, a
    /// licence reaffirmed, another handed over.
    fn units(&mut self, units: &[Uscc; 2], administrators: &[SecretKey]) -> Result<(), Failure> {
        let [first, second] = units;
        let now = self.session.host.now()?;
        let name = |unit: &Uscc, number| crate::command::unit::key_name(unit, number);
        let (office, rng) = (&mut self.desk.office, &mut self.rng);
        settled(office.rotate_key(first, &name(first, 2), true, now, rng).map_err(wrong)?)?;
        settled(office.suspend_unit(second, true, administrators, now).map_err(wrong)?)?;
        settled(office.suspend_unit(second, false, administrators, now).map_err(wrong)?)?;
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
        settled(office.rotate_key(second, &name(second, 2), false, now, rng).map_err(wrong)?)?;
        let by = By::Administrators(administrators);
        settled(office.compromise_key(second, &old_key, from, by, now).map_err(wrong)?)?;
        self.changes += 5;
        self.expected.push((newest, Status::NotUsable, "key_compromised"));
        self.plain(&reaffirmed, Verb::Reaffirm, "经核实，该证照确由本单位签发")?;
        self.expected.push((reaffirmed, Status::Valid, ""));
        let moved = self.take(Verb::Transfer)?;
        let record = self.desk.office.licence_record(&moved).map_err(wrong)?;
        let to = if record.controller == second_subject { first } else { second };
        self.act(&moved, &Act::Transfer(to.clone()), "机构改革，职责划转")?;
        self.expected.push((moved, Status::Valid, ""));
        Ok(())
    }

    fn unit_subject(&self, unit: &Uscc) -> Hash {
        subject_key(&self.desk.home.config.origin, Kind::Issuer, unit.as_str())
    }

    fn first_key(&self, unit: &Uscc) -> Result<zhao_spec::wire::PublicKey, Failure> {
        use zhao_issuer::office::LedgerClient as _;
        let subject = self.unit_subject(unit);
        match self.desk.office.client().record(&subject).map_err(because("ledger", args![]))? {
            Some(Record::Issuer(record)) => record
                .keys
                .first()
                .map(|entry| entry.key)
                .ok_or_else(|| Failure::usage("demo-pool", args![verb = "rotate-key"])),
            _ => Err(Failure::usage("demo-pool", args![verb = "rotate-key"])),
        }
    }
}
