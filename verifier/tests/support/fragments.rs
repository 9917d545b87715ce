//! The fragments a case must get, from its verdict and reasons: the tables of `spec/verify.md`
//! once more, written from the page and not from the code.

use super::vectors::Case;

const ALL: &str = "integrity authority validity standing witnesses schema";

/// One fragment: its name, and its outcome with its codes as one text.
pub type Fragment = (String, String);

/// The fragment of a code.
fn fragment_of(code: &str) -> &'static str {
    let is = |codes: &str| codes.split(' ').any(|own| own == code);
    if is("malformed credential_malformed") {
        "schema"
    } else if is("proof_key_not_issuer proof_signature event_signature") {
        "integrity"
    } else if is("cosignature_invalid witness_quorum auditor_quorum") {
        "witnesses"
    } else if is("not_yet_valid expired") {
        "validity"
    } else if code.starts_with("issuer_pack_")
        || is("genesis_mismatch registry_invalid registry_not_in_map issuer_missing grant_invalid")
        || is("issuer_not_in_map type_missing type_not_in_map type_openness")
        || is("enterprise_mismatch key_not_authorised type_not_granted")
        || is("key_compromised issuer_suspended type_retired")
    {
        "authority"
    } else {
        "standing"
    }
}

/// The questions of a kind of file.
fn asked(format: &str) -> &'static str {
    match format {
        "receipt" => "integrity standing witnesses schema",
        "answer" | "issuer-pack" => "authority standing witnesses schema",
        "history" => "standing witnesses schema",
        "evidence" => "standing schema",
        _ => ALL,
    }
}

/// What is answered when the code stops: steps 1 to 8, or their like of another file.
fn answered(format: &str, code: &str, witnessed: bool) -> &'static str {
    let is = |codes: &str| codes.split(' ').any(|own| own == code);
    let head = is("log_unknown origin_mismatch epoch_not_last epoch_not_in_log log_signature")
        || is("log_key_retired cosignature_invalid witness_quorum auditor_quorum");
    let times = is("epoch_time_implausible as_of_in_future too_old");
    match format {
        _ if code == "malformed" => "",
        "dossier" => match fragment_of(code) {
            "schema" => "",
            "integrity" => "schema",
            "authority" => "schema integrity witnesses",
            "standing" if times => "schema integrity witnesses",
            _ => "schema integrity",
        },
        "receipt" => match code {
            "event_signature" => "schema witnesses standing",
            "receipt_heads_differ" => "schema witnesses",
            _ if witnessed => "schema witnesses",
            _ => "schema",
        },
        "answer" if head => "schema",
        "answer" if fragment_of(code) == "authority" => "schema witnesses",
        "answer" => "schema witnesses authority",
        "history" if head && !witnessed => "schema",
        "history" => "schema witnesses",
        "issuer-pack" if head => "schema",
        "issuer-pack" => "schema witnesses standing",
        "evidence" => "schema",
        other => panic!("no file of ours: {other}"),
    }
}

/// The fragments of a case.
pub fn expected(case: &Case) -> Vec<Fragment> {
    let value: serde_json::Value = serde_json::from_slice(&case.file).unwrap_or_default();
    let format = value["format"].as_str().unwrap_or_default();
    let malformed = case.reasons == ["malformed"];
    let format = match format.strip_prefix("zhao/v1 ") {
        Some(format) if !malformed => format,
        _ => "",
    };
    let stops = case.verdict == "undetermined" || !step_9_or_10(case.reasons.first());
    let one = |name: &str| {
        let own: Vec<&str> = case
            .reasons
            .iter()
            .map(String::as_str)
            .filter(|code| fragment_of(code) == name)
            .collect();
        let outcome = match case.reasons.first() {
            Some(code) if stops && own.is_empty() => {
                let passed = answered(format, code, case.witnessed);
                if passed.split(' ').any(|passed| passed == name) {
                    "pass"
                } else {
                    "undetermined not_checked"
                }
            }
            Some(_) if stops && case.verdict == "undetermined" => "undetermined",
            Some(_) if stops => "fail",
            _ => found(&own, &case.verdict),
        };
        let text = [&[outcome], own.as_slice()].concat().join(" ");
        (name.to_owned(), text)
    };
    asked(format).split(' ').map(one).collect()
}

fn step_9_or_10(code: Option<&String>) -> bool {
    code.is_none_or(|code| !step_9_or_10_of(code).is_empty())
}

/// What the tables of steps 9 and 10 make of a code; nothing for one of another step.
fn step_9_or_10_of(code: &str) -> &'static str {
    match code {
        "expired" | "superseded" | "cancelled" | "revoked" | "annulled" | "abolished" => "fail",
        "not_yet_valid" | "key_compromised" | "changed_by_compromised_key" => "fail",
        "on_hold" | "reported_lost" | "withheld" => "fail",
        "inspection_failed" | "inspection_overdue" => "as the type says",
        "mortgaged" | "pledged" | "objection" | "issuer_suspended" | "type_retired" => "pass",
        _ => "",
    }
}

/// The outcome of a fragment of a dossier that was looked at to the end.
fn found(own: &[&str], verdict: &str) -> &'static str {
    let outcomes: Vec<_> = own.iter().map(|code| step_9_or_10_of(code)).collect();
    if outcomes.contains(&"fail") {
        return "fail";
    }
    if !outcomes.contains(&"as the type says") {
        return "pass";
    }
    match verdict {
        "valid_with_notice" => "pass",
        "not_usable" => "fail",
        other => panic!("an inspection beside {other}: say by hand which it is"),
    }
}
