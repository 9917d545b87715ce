//! The auditor's desk, and the third person's: policy, judging, and what verdicts must say.

use std::sync::{Arc, Mutex};

use zhao_ledger::audit::compare::{CompareError, Seen};
use zhao_ledger::audit::{AuditError, Auditor, Finding, LeafSource};
use zhao_ledger::store::memory::Memory;
use zhao_spec::file::Evidence;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::{KeyKind, Vkey};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::UnixMillis;
use zhao_verifier::{Reason, Status, TrustPolicy, Verdict, verify};

use crate::operator::{ORIGIN, OTHER, Operator, genesis, secret, signer};

/// The auditor's name in the trust file.
pub(crate) const AUDITOR: &str = "a1";
/// The trust file's bound for including an event.
pub(crate) const BOUND: u64 = 2 * 3_600_000;

/// The leaves a log serves, which may change.
#[derive(Clone, Default)]
pub(crate) struct Served(Arc<Mutex<Vec<Vec<u8>>>>);

impl LeafSource for Served {
    fn leaves(&self, from: LeafIndex, limit: u64) -> Result<Vec<Vec<u8>>, String> {
        let leaves = self.0.lock().unwrap();
        let from = usize::try_from(from.0).unwrap();
        // Never all at once, so that whoever fetches has to go on.
        let limit = usize::try_from(limit).unwrap().min(3);
        Ok(leaves.iter().skip(from).take(limit).cloned().collect())
    }
}

/// An auditor and what it is served.
pub(crate) struct Desk {
    pub(crate) auditor: Auditor,
    served: Served,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let served = Served::default();
        let auditor = Auditor::new(
            "auditor.example",
            secret("auditor"),
            signer(ORIGIN).vkey().clone().into(),
            genesis(ORIGIN).hash(),
            Arc::new(Memory::new().store().unwrap()),
            Arc::new(served.clone()),
        );
        Self {
            auditor: auditor.unwrap(),
            served,
        }
    }

    /// A desk that has cosigned the newest head of this log.
    pub(crate) fn of(log: &Operator) -> Self {
        let mut desk = Self::new();
        desk.show(log).unwrap();
        desk
    }

    pub(crate) fn serve(&self, leaves: Vec<Vec<u8>>) {
        *self.served.0.lock().unwrap() = leaves;
    }

    /// Serves the log and asks for a cosignature on its newest head.
    pub(crate) fn show(&mut self, log: &Operator) -> Result<String, AuditError> {
        self.serve(log.leaves.clone());
        self.auditor.cosign(&log.note(), UnixSeconds(1_790_000_000))
    }

    /// What the auditor finds when it is shown this log.
    pub(crate) fn finding(&mut self, log: &Operator) -> Finding {
        match self.show(log) {
            Err(AuditError::Diverged(finding)) => *finding,
            other => panic!("no finding but {other:?}"),
        }
    }

    pub(crate) fn compare(&self, seen: &[u8]) -> Seen {
        let known = self.auditor.known().unwrap().expect("a head was cosigned");
        let compared: Result<Seen, CompareError> = known.compare(seen);
        compared.unwrap()
    }
}

/// The policy of the third person: two logs, no witnesses, one auditor.
pub(crate) fn policy() -> TrustPolicy {
    let auditor = Vkey::new(
        "auditor.example",
        KeyKind::Cosignature,
        secret("auditor").public(),
    );
    let mut logs = String::new();
    let mut trust = String::new();
    for origin in [ORIGIN, OTHER] {
        logs.push_str(&format!("log {}\n", signer(origin).vkey().format()));
        let hash = genesis(origin).hash().to_base64();
        trust.push_str(&format!("administrator {origin} {hash}\n"));
    }
    trust.push_str(&format!(
        "auditor {AUDITOR} {}\nauditors none\n",
        auditor.unwrap().format()
    ));
    trust.push_str("max-age 7d\nmax-lag 10m\nskew 2m\ninclusion-bound 2h\npack-max-age 30d\n");
    TrustPolicy::load(&format!("{logs}quorum none\n"), &trust).unwrap()
}

fn judge(bytes: &[u8]) -> Verdict {
    verify(bytes, &policy(), None, UnixMillis(1_800_000_000_000), None)
}

/// The evidence makes this claim and holds, as bytes, with anyone who has the policy.
#[track_caller]
pub(crate) fn holds(evidence: &Evidence, claim: &str) {
    assert_eq!(evidence.claim(), claim);
    let bytes = evidence.bytes();
    assert_eq!(Evidence::parse(&bytes).as_ref(), Ok(evidence));
    let verdict = judge(&bytes);
    assert_eq!(verdict.reasons(), [], "{claim}");
    assert_eq!(verdict.status(), Status::Valid);
}

/// The evidence does not hold, because of exactly this.
#[track_caller]
pub(crate) fn fails(evidence: &Evidence, expected: &str) {
    let verdict = judge(&evidence.bytes());
    let [Reason::EvidenceDoesNotHold { condition }] = verdict.reasons() else {
        panic!("{:?} {:?}", verdict.status(), verdict.reasons());
    };
    assert!(
        condition.contains(expected),
        "{condition:?} is not about {expected:?}"
    );
    assert_eq!(verdict.status(), Status::Invalid);
}

/// A third person whose policy does not know the log decides nothing.
#[test]
fn evidence_against_a_log_unknown_to_the_policy_is_not_judged() {
    let origin = "zhao.example/nowhere";
    let log = Operator::founded(origin);
    let mut other = Operator::founded(origin);
    other.revoke(1);
    other.close();
    let parse = |text: &str| zhao_spec::log::note::SignedNote::parse(text).unwrap();
    let evidence = Evidence::TwoHeads(zhao_spec::file::TwoHeads {
        consistency: Vec::new(),
        first: parse(&log.note()),
        root: other.tree.root(),
        second: parse(&other.note()),
    });
    let verdict = judge(&evidence.bytes());
    assert_eq!(
        verdict.reasons(),
        [Reason::LogUnknown {
            origin: origin.to_owned()
        }]
    );
    assert_eq!(verdict.status(), Status::Undetermined);
}

/// The pieces of evidence, each of which must hold with the claim named.
#[track_caller]
pub(crate) fn convicts(seen: Seen, claims: &[&str]) -> Vec<Evidence> {
    let Seen::Evidence(found) = seen else {
        panic!("no evidence but {seen:?}");
    };
    assert_eq!(
        found.iter().map(Evidence::claim).collect::<Vec<_>>(),
        claims
    );
    for (piece, claim) in found.iter().zip(claims) {
        holds(piece, claim);
    }
    found
}
