use serde_json::{Value, json};

use super::*;
use crate::log::cosignature::UnixSeconds;
use crate::log::vectors;
use crate::wire::signature::SecretKey;

fn time_text(time: QuorumTime) -> String {
    match time {
        QuorumTime::NotRequired => "not-required".to_owned(),
        QuorumTime::NotReached => "not-reached".to_owned(),
        QuorumTime::Reached(time) => time.to_string(),
    }
}

fn cosigned(case: &Value) -> Vec<(PublicKey, UnixSeconds)> {
    let each = |item: &Value| {
        let key: [u8; 32] = vectors::bytes(item, "key").try_into().unwrap();
        let time = UnixSeconds(vectors::number(item, "time"));
        (PublicKey::from_bytes(&key).unwrap(), time)
    };
    case["cosigned"]
        .as_array()
        .unwrap()
        .iter()
        .map(each)
        .collect()
}

#[test]
fn policy_vectors() {
    vectors::run("policy", |case| {
        let policy = Policy::parse(vectors::text(case, "policy"));
        let policy = policy.map_err(|e| (e.code().to_owned(), e.line))?;
        match vectors::text(case, "op") {
            "parse" => Ok(json!({
                "logs": policy.logs().len(),
                "witnesses": policy.witnesses().len(),
                "requiresWitnesses": policy.requires_witnesses(),
            })),
            "quorum" => {
                let cosigned = cosigned(case);
                let time = time_text(policy.quorum_timestamp(&cosigned));
                Ok(json!({"met": policy.quorum_met(&cosigned), "time": time}))
            }
            "open" => {
                let opened = policy.open(vectors::text(case, "note"));
                let opened = opened.map_err(|e| vectors::error(e.code()))?;
                let names: Vec<_> = opened.cosigned.iter().map(|each| &each.name).collect();
                Ok(json!({
                    "origin": opened.checkpoint.origin,
                    "size": opened.checkpoint.size.to_string(),
                    "cosigned": names,
                    "time": time_text(opened.quorum),
                }))
            }
            other => panic!("unknown op {other}"),
        }
    });
}

fn witnesses(count: u8) -> (Vec<PublicKey>, String) {
    let mut keys = Vec::new();
    let mut text = String::new();
    for i in 1..=count {
        let key = SecretKey::from_seed([i; 32]).public();
        let vkey = Vkey::new("w.example", KeyKind::Cosignature, key).unwrap();
        text.push_str(&format!("witness {i} {}\n", vkey.format()));
        keys.push(key);
    }
    (keys, text)
}

/// The rule says: accepted exactly when no two disjoint sets of witnesses meet the quorum. Tried
/// for every pair of sets, over many shapes of groups.
#[test]
fn accepted_policies_are_those_without_disjoint_quorums() {
    let (keys, text) = witnesses(6);
    let met = |policy: &Policy, set: u32| {
        let present: Vec<_> = (0..6)
            .filter(|i| set >> i & 1 == 1)
            .map(|i| (keys[i], UnixSeconds(0)))
            .collect();
        policy.quorum_met(&present)
    };
    let (mut accepted, mut refused) = (0, 0);
    for (a, b, c) in
        (1..=3).flat_map(|a| (1..=3).flat_map(move |b| (1..=3).map(move |c| (a, b, c))))
    {
        for shape in ["x y", "x y 6", "x 4 5 6", "1 2 3 4 5 6"] {
            if c > shape.split(' ').count() {
                continue;
            }
            let groups = match shape {
                "x y" => format!("group x {a} 1 2 3\ngroup y {b} 4 5 6\n"),
                "x y 6" if b < 3 => format!("group x {a} 1 2 3\ngroup y {b} 4 5\n"),
                "x 4 5 6" => format!("group x {a} 1 2 3\n"),
                "1 2 3 4 5 6" => String::new(),
                _ => continue,
            };
            let text = format!("{text}{groups}group top {c} {shape}\nquorum top\n");
            // The same groups without the rule, to try the sets on.
            let without = text.replace("quorum top", "quorum none");
            let mut free = Policy::parse(&without).unwrap();
            free.quorum = Some(Member::Group(free.groups.len() - 1));
            let disjoint = (0..64_u32).any(|one| met(&free, one) && met(&free, !one & 63));
            match Policy::parse(&text) {
                Ok(_) => {
                    assert!(!disjoint, "{text}");
                    accepted += 1;
                }
                Err(error) => {
                    assert_eq!(error.code(), "quorum_not_majority");
                    assert!(disjoint, "{text}");
                    refused += 1;
                }
            }
        }
    }
    assert!(accepted > 10 && refused > 10, "{accepted} {refused}");
}

#[test]
fn too_many_parties_are_refused() {
    let (_, text) = witnesses(1);
    let groups: String = (0..1_023)
        .map(|i| format!("group g{i} all g{i}x\n"))
        .collect();
    let error = Policy::parse(&format!("{text}{groups}")).unwrap_err();
    assert_eq!((error.line, error.code()), (Some(2), "unknown_name"));
    // A chain of groups, each of the one before: deep, allowed up to the limit, and no recursion.
    let chain = |count: usize| {
        let mut chain = format!("{text}group g0 all 1\n");
        for i in 1..count {
            chain.push_str(&format!("group g{i} all g{}\n", i - 1));
        }
        chain + &format!("quorum g{}\n", count - 1)
    };
    assert!(Policy::parse(&chain(1_023)).unwrap().requires_witnesses());
    let error = Policy::parse(&chain(1_024)).unwrap_err();
    assert_eq!((error.line, error.code()), (Some(1_025), "party_limit"));
    assert_eq!(
        error.to_string(),
        "policy line 1025: more than 1024 logs, witnesses and groups"
    );
}
