//! Dossiers: how long one takes to make, what it weighs, what verifying it costs offline.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Result, ensure};
use zhao_ledger::sequence::{Cosigner, Sequencer};
use zhao_ledger::store::files::Directory;
use zhao_ledger::witness::{LocalWitness, Witness};
use zhao_spec::credential::Licence;
use zhao_spec::file::Dossier;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::NoteSigner;
use zhao_spec::wire::UnixMillis;
use zhao_verifier::{Status, TrustPolicy, verify};

use crate::figure::Figure;
use crate::ledger::{Ledger, at_work, config};
use crate::machine::strict_on_one;
use crate::office::{START, TYPE, UNIT, secret};
use crate::printed::{self, Installed};
use crate::qr::Forms;
use crate::statistics::{float, median, percentile};
use crate::workload::ORIGIN;

/// Cosigners of the head the dossiers stand on.
const WITNESSES: [&str; 2] = ["w1", "w2"];
/// Dossiers between two measurements of the machine.
const BESIDE: usize = 200;
/// When dossiers are made and judged: after everything recorded.
const NOW: UnixMillis = UnixMillis(START.0 + 3_600_000);

/// Has two witnesses cosign the newest head, and gives what a verifier needs.
fn cosigned(ledger: &mut Ledger) -> Result<Installed> {
    let log = NoteSigner::new(ORIGIN, secret("log"))?.vkey().clone();
    let (mut lines, mut cosigners) = (String::new(), Vec::<Box<dyn Cosigner>>::new());
    for name in WITNESSES {
        let files = Arc::new(Directory::open(&ledger.place.folder().join(name))?);
        let key_name = format!("{name}.example");
        let witness = Witness::new(&key_name, secret(name), vec![log.clone()], files)?;
        lines.push_str(&format!("witness {name} {}\n", witness.vkey().format()));
        let clock = Arc::new(|| UnixSeconds(NOW.0 / 1_000));
        let witness = Arc::new(Mutex::new(witness));
        cosigners.push(Box::new(LocalWitness::new(witness, ORIGIN, clock)));
    }
    let policy = format!(
        "{lines}group both all {}\nquorum both\n",
        WITNESSES.join(" ")
    );
    let config = config(&policy, cosigners)?;
    let genesis = ledger.workload.office.genesis().hash().to_base64();
    let trust = format!(
        "administrator {ORIGIN} {genesis}\nauditors none\nmax-age 1d\nmax-lag 1h\n\
         pack-max-age 30d\nskew 5m\ninclusion-bound 1d\n"
    );
    let policy = format!("log {}\n{policy}", log.format());
    let (mut sequencer, _) = Sequencer::open(
        Arc::clone(&ledger.store),
        ledger.place.files()?,
        config,
        NOW,
    )?;
    ensure!(sequencer.heartbeat(NOW)?, "the witnesses cosign");
    ledger.pipeline = at_work(sequencer, START)?;
    let one = |name: &str| BTreeSet::from([name.to_owned()]);
    let pack = ledger
        .reader()
        .latest()?
        .issuer_pack(&one(UNIT), &one(TYPE))?;
    Ok(Installed {
        policy,
        trust,
        pack: pack.bytes(),
        at: NOW,
    })
}

/// Signatures a verifier must check: the proof, the log's, the witnesses', and those of the events
/// by which registry and unit came to be.
fn signatures(dossier: &Dossier) -> usize {
    let steps = dossier.authorities.iter().flat_map(|authorities| {
        let units = authorities.issuers.iter().flat_map(|unit| &unit.history);
        authorities.registry.history.iter().chain(units)
    });
    let events: usize = steps.map(|step| step.event.signatures.len()).sum();
    2 + WITNESSES.len() + events
}

/// Makes and verifies the dossier of every real credential, and prints the QR forms of so many.
pub(crate) fn figures(ledger: &mut Ledger, printed: usize) -> Result<Vec<Figure>> {
    let installed = cosigned(ledger)?;
    let trust = TrustPolicy::load(&installed.policy, &installed.trust)?;
    let reader = ledger.reader();
    let (mut built, mut verified, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    let mut checked = 0;
    let (mut forms, mut strict) = (Forms::default(), Vec::new());
    for (at, real) in ledger.workload.credentials.all().iter().enumerate() {
        if at % BESIDE == 0 {
            strict.push(strict_on_one());
        }
        let start = Instant::now();
        let view = reader.latest()?;
        let licence = Licence::parse(&real.bytes)?;
        let dossier = view.dossier(&licence, true)?;
        let file = dossier.bytes();
        built.push(start.elapsed().as_secs_f64() * 1e3);
        forms.add(&view.dossier(&licence, false)?)?;
        drop(view);
        let start = Instant::now();
        let verdict = verify(black_box(&file), &trust, None, NOW, None);
        verified.push(start.elapsed().as_secs_f64() * 1e3);
        // Some were put on hold by the workload: the verdict then says so, and all was checked.
        let judged = matches!(verdict.status(), Status::Valid | Status::NotUsable);
        ensure!(judged, "a dossier is {:?}", verdict.reasons());
        bytes.push(float(file.len()));
        checked = signatures(&dossier);
    }
    let floor = float(checked) * 1e3 / median(strict);
    let what = format!("{checked} signatures");
    let mut figures = vec![
        Figure::new(
            "dossier-build",
            "JSON dossier built, median",
            "生成 JSON 卷宗，中位",
            median(built.clone()),
            "ms",
        )
        .at_most(1.0),
        Figure::new(
            "dossier-build-p99",
            "JSON dossier built, p99",
            "生成 JSON 卷宗，p99",
            percentile(built, 99),
            "ms",
        ),
        Figure::new(
            "dossier-verify",
            "offline verification of a dossier",
            "离线核验卷宗",
            median(verified),
            "ms",
        )
        .against(&what, floor)
        .at_most(2.0),
        Figure::new(
            "dossier-bytes",
            "JSON dossier with authorities, median",
            "JSON 卷宗（含授权），中位",
            median(bytes),
            "B",
        ),
    ];
    let some: Vec<_> = forms.all().iter().take(printed).cloned().collect();
    figures.extend(forms.figures());
    figures.extend(printed::figures(&some, &installed, ledger.place.folder())?);
    Ok(figures)
}
