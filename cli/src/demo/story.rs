//! The honest part of the demo: an office is made, issues, changes, proves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;
use zhao_issuer::catalogue::Catalogue;
use zhao_issuer::keys::{Keyring, Purpose, WorkFactor};
use zhao_issuer::office::{Act, Grant};
use zhao_spec::credential::Licence;
use zhao_spec::file::Dossier;
use zhao_spec::id::{LicenceTypeCode, RegionCode, Uscc};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, SecretKey};
use zhao_verifier::Status;

use crate::command::init::{self, Plan, fictional_unit};
use crate::command::issue::{Batch, open_batch};
use crate::command::office::{Desk, settled, write_pack, wrong};
use crate::command::sample::Request;
use crate::failure::{Failure, args, because};
use crate::files;
use crate::home::Home;
use crate::session::Session;

use super::day::{Work, count, pool};

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
        operator: None,
        passphrase: Zeroizing::new(PASSPHRASE.to_owned()),
        admin_passphrase: Zeroizing::new(PASSPHRASE.to_owned()),
        // The demo's keys protect nothing; a real office's have the full work factor.
        work: WorkFactor::new(10).map_err(because("keys", args![]))?,
    };
    let home = init::make(session, &plan)?;
    let first = plan.unit.1.clone();
    let (name, second) = fictional_unit(&region, 2);
    let mut desk = open(session, &home)?;
    let signers = administrators(&home)?;
    let types: Vec<LicenceTypeCode> = desk
        .office
        .catalogue()
        .entries()
        .map(|entry| entry.type_code.clone())
        .collect();
    let key_name = crate::command::unit::key_name(&second, 1);
    let grant = Grant {
        key_name: &key_name,
        types: &types,
        unit: &second,
    };
    let now = session.host.now()?;
    let mut rng = session.host.generator()?;
    settled(
        desk.office
            .add_unit(&name, grant, &signers, now, &mut rng)
            .map_err(wrong)?,
        &mut desk.office,
        now,
    )?;
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
    let keys = keyring
        .secrets(Purpose::Administrator)
        .map_err(because("keys", args![]))?;
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
    let request = Request {
        count,
        seed,
        today,
        units: units.to_vec(),
    };
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
    let output = dir.join("licences");
    let batch = Batch {
        file: open_batch(sample)?,
        path: sample,
        licence_type: None,
        unit: None,
        output: &output,
        lines: false,
        dry_run: false,
        compared: false,
        again: false,
    };
    let report = batch.issue(session, &mut desk)?;
    if report.refused + report.pending + report.repeated > 0 {
        let count = report.refused + report.pending;
        return Err(Failure::usage(
            "demo-batch",
            args![count, path = output.display()],
        ));
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
    let per_type = work
        .pool
        .iter()
        .map(|(slug, all)| (slug.clone(), count(all.len())))
        .collect();
    let plain = work.take_of(OPEN_TYPE)?;
    let (plain, _) = work.credential(plain)?;
    let victim = work.take_of(OPEN_TYPE)?;
    let (licence, subject) = work.credential(victim)?;
    let old_dossier = work.dossier(&licence)?;
    let mut held = vec![(
        "checkpoint of yesterday".to_owned(),
        work.note()?.into_bytes(),
    )];
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
        work.act(
            &other,
            &Act::Plain(Verb::MarkObjection),
            "持证人对登记事项提出异议",
        )?;
        work.expected
            .push((other, Status::ValidWithNotice, "objection"));
    }
    work.desk.office.client().heartbeat(session.host.now()?)?;
    write_pack(&work.desk.home, &work.desk.office)?;
    held.push(("checkpoint of today".to_owned(), work.note()?.into_bytes()));
    Ok(Story {
        home: home.clone(),
        dir: dir.to_owned(),
        units,
        expected: work.expected,
        victim: Victim {
            licence,
            subject,
            old_dossier,
            index,
        },
        per_type,
        changes: work.changes,
        plain,
        untouched: work.pool.into_values().flatten().collect(),
        held,
    })
}
