//! Administrators on machines of their own, and the keys of an office: as typed.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

mod support;

use support::{Ran, command, finish, office, zhao};

const UNIT: &str = "11420600DEM0001107";

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// A run with passphrases of one's own.
fn with(dir: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut run = command(dir, arguments);
    for (name, value) in variables {
        run.env(name, value);
    }
    finish(&mut run)
}

/// Two of the administrators' keys that `zhao init` makes, in a directory each.
fn apart(dir: &Path, places: [(&str, &str); 2]) {
    for (place, number) in places {
        let name = format!("administrator-{number}");
        let file = format!("{place}.age");
        let carried = [("ZHAO_NEW_PASSPHRASE", "on the way")];
        let export = ["keys", "office-admin", "export", &name, "-o", &file];
        with(dir, &carried, &export).code(0);
        let own = [("ZHAO_NEW_PASSPHRASE", place)];
        with(dir, &own, &["admin", "new", place, "--name", "own"]).code(0);
        let open = [
            ("ZHAO_PASSPHRASE", place),
            ("ZHAO_FILE_PASSPHRASE", "on the way"),
        ];
        let import = ["keys", place, "import", &file, "--purpose", "administrator"];
        with(dir, &open, &import).code(0);
    }
}

fn id(dir: &Path, file: &str) -> String {
    let shown = zhao(dir, &["admin", "show", file, "--json"]).code(0);
    json(&shown)["id"].as_str().unwrap().to_owned()
}

/// As the administrator of `place`, whose passphrase is the place's name.
fn sign(dir: &Path, place: &str, file: &str, id: &str, output: &str) -> Ran {
    let arguments = [
        "admin",
        "sign",
        file,
        "--id",
        id,
        "--admin-dir",
        place,
        "--trust",
        "office/trust.txt",
        "-o",
        output,
    ];
    with(dir, &[("ZHAO_PASSPHRASE", place)], &arguments)
}

#[test]
fn adm_12_administrators_sign_apart_and_what_is_wrong_on_the_way_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    apart(dir, [("a", "1"), ("b", "2")]);
    fs::rename(dir.join("office-admin"), dir.join("away")).unwrap();

    let propose = ["admin", "propose", "office", "add-unit", UNIT, "-o", "p"];
    let made = zhao(dir, &propose).code(0);
    assert!(
        made.stdout
            .contains(&format!("Make {UNIT} an issuing unit")),
        "{}",
        made.stdout
    );
    let error = zhao(dir, &propose).code(2);
    assert_eq!(error.error(), "p exists already");
    let shown = zhao(dir, &["admin", "show", "p", "--trust", "office/trust.txt"]).code(0);
    assert!(
        shown.stdout.contains("began as your trust file says"),
        "{}",
        shown.stdout
    );
    let chinese = zhao(dir, &["--lang", "zh", "admin", "show", "p"]).code(0);
    assert!(
        chinese.stdout.contains(&format!("设立签发单位 {UNIT}")),
        "{}",
        chinese.stdout
    );
    let whole = id(dir, "p");

    // Shown one, given another: nothing is signed, nothing is written.
    let other = [
        "admin",
        "propose",
        "office",
        "retire-type",
        "food-operation",
        "-o",
        "q",
    ];
    zhao(dir, &other).code(0);
    let swapped = sign(dir, "a", "q", &whole, "q1").code(1);
    assert!(
        swapped.error().starts_with("the file holds proposal"),
        "{}",
        swapped.stderr
    );
    assert!(!dir.join("q1").exists());
    let bad = sign(dir, "a", "p", "abc", "p1").code(2);
    assert!(bad.error().contains("no proposal's id"), "{}", bad.stderr);
    fs::write(dir.join("cut"), &fs::read(dir.join("p")).unwrap()[..200]).unwrap();
    sign(dir, "a", "cut", &whole, "p1").code(1);
    let locked = with(
        dir,
        &[("ZHAO_PASSPHRASE", "x")],
        &["admin", "sign", "p", "--id", &whole, "--admin-dir", "a"],
    );
    assert!(locked.code(2).error().contains("wrong passphrase"));

    sign(dir, "a", "p", &whole, "p1").code(0);
    let again = sign(dir, "a", "p1", &whole, "p1").code(1);
    assert!(
        again.error().contains("has signed this proposal already"),
        "{}",
        again.stderr
    );
    let submit = |files: &[&str], name: bool| {
        let mut words = vec!["admin", "submit", "office"];
        words.extend(files);
        if name {
            words.extend(["--unit-name", "襄阳市示例局"]);
        }
        zhao(dir, &words)
    };
    let few = submit(&["p1", "p1"], true).code(1);
    assert_eq!(few.error(), "1 administrators signed, 2 must");
    sign(dir, "b", "p", &whole, "p2").code(0);
    let mixed = submit(&["p1", "q", "p2"], true).code(1);
    assert!(
        mixed.error().starts_with("file 2 is of another proposal"),
        "{}",
        mixed.stderr
    );
    let unnamed = submit(&["p1", "p2"], false).code(2);
    assert_eq!(unnamed.error(), "the new unit's name is missing");
    submit(&["p1", "p2"], true).code(0);
    let replayed = submit(&["p1", "p2"], true).code(1);
    assert!(
        replayed
            .error()
            .starts_with("the log has carried it out already")
    );
    let units = zhao(dir, &["unit", "office", "list"]).code(0);
    assert!(units.stdout.contains(UNIT) && units.stdout.contains("襄阳市示例局"));
    // The pack for verifiers has the new unit.
    let pack = fs::read_to_string(dir.join("office/issuer-pack.json")).unwrap();
    assert!(pack.contains(UNIT));
}

#[test]
fn administrators_come_and_go_and_announced_keys_show_the_time_left() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    apart(dir, [("a", "1"), ("c", "3")]);
    let own = [("ZHAO_NEW_PASSPHRASE", "d")];
    let made = with(dir, &own, &["admin", "new", "d"]).code(0);
    let new = made.stdout.trim().to_owned();
    let before = json(&zhao(dir, &["admin", "list", "office", "--json"]).code(0));
    let keys = before["keys"].as_array().unwrap().clone();
    let c = json(&zhao(dir, &["keys", "c", "show", "administrator-3", "--json"]).code(0));
    let gone = c["key"].as_str().unwrap();
    assert!(keys.iter().any(|key| key == gone));

    let known = [
        "admin",
        "propose",
        "office",
        "administrators",
        "--add",
        gone,
        "-o",
        "x",
    ];
    assert!(
        zhao(dir, &known)
            .code(2)
            .error()
            .contains("is an administrator already")
    );
    let unknown = [
        "admin",
        "propose",
        "office",
        "administrators",
        "--remove",
        &new,
        "-o",
        "x",
    ];
    assert!(
        zhao(dir, &unknown)
            .code(2)
            .error()
            .contains("is no administrator")
    );
    let nothing = ["admin", "propose", "office", "administrators", "-o", "x"];
    assert_eq!(zhao(dir, &nothing).code(2).error(), "nothing would change");

    let change = [
        "admin",
        "propose",
        "office",
        "administrators",
        "--add",
        &new,
        "--remove",
        gone,
        "-o",
        "p",
    ];
    let shown = zhao(dir, &change).code(0).stdout;
    assert!(shown.contains("Comes") && shown.contains("Goes"), "{shown}");
    let whole = id(dir, "p");
    // The new one does not vote for himself.
    assert!(
        sign(dir, "d", "p", &whole, "p9")
            .code(1)
            .error()
            .contains("no key of an")
    );
    sign(dir, "a", "p", &whole, "p").code(0);
    sign(dir, "c", "p", &whole, "p").code(0);
    zhao(dir, &["admin", "submit", "office", "p"]).code(0);
    let after = json(&zhao(dir, &["admin", "list", "office", "--json"]).code(0));
    let has = |key: &str| after["keys"].as_array().unwrap().iter().any(|k| k == key);
    assert!(has(&new) && !has(gone));

    // Two directories, each with its passphrase, sign a command; the removed one does not count.
    for place in ["a", "c", "d"] {
        fs::write(dir.join(format!("{place}.pass")), place).unwrap();
    }
    let suspend = |places: [&str; 2]| {
        let files = places.map(|place| format!("{place}.pass"));
        let mut words = vec!["unit", "office", "suspend", "11320400DEM0001293"];
        for (place, file) in places.iter().zip(&files) {
            words.extend(["--admin-dir", place, "--admin-passphrase-file", file]);
        }
        let unit = json(&zhao(dir, &["unit", "office", "list", "--json"]).code(0));
        let uscc = unit[0]["uscc"].as_str().unwrap().to_owned();
        words[3] = &uscc;
        zhao(dir, &words)
    };
    let few = suspend(["a", "c"]).code(1);
    assert_eq!(few.error(), "1 administrators' keys are here, 2 must sign");
    suspend(["a", "a"]).code(1);
    suspend(["a", "d"]).code(0);

    let unit = json(&zhao(dir, &["unit", "office", "list", "--json"]).code(0));
    let uscc = unit[0]["uscc"].as_str().unwrap();
    let announce = ["admin", "propose", "office", "propose-key", uscc, "-o", "k"];
    zhao(dir, &announce).code(0);
    let whole = id(dir, "k");
    sign(dir, "a", "k", &whole, "k").code(0);
    sign(dir, "d", "k", &whole, "k").code(0);
    zhao(dir, &["admin", "submit", "office", "k"]).code(0);
    let listed = zhao(dir, &["admin", "list", "office"]).code(0).stdout;
    assert!(
        listed.contains("Announced key") && listed.contains("6 d 23 h"),
        "{listed}"
    );
    let value = json(&zhao(dir, &["admin", "list", "office", "--json"]).code(0));
    let key = value["announced"][0]["key"].as_str().unwrap().to_owned();
    let confirm = [
        "admin",
        "propose",
        "office",
        "confirm-key",
        uscc,
        &key,
        "-o",
        "f",
    ];
    zhao(dir, &confirm).code(0);
    let whole = id(dir, "f");
    sign(dir, "a", "f", &whole, "f").code(0);
    sign(dir, "d", "f", &whole, "f").code(0);
    let early = zhao(dir, &["admin", "submit", "office", "f"]).code(1);
    assert!(
        early.error().contains("[delay_not_over]"),
        "{}",
        early.stderr
    );
}

#[test]
fn adm_12_keys_are_listed_shown_changed_carried_and_looked_over() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    let listed = json(&zhao(dir, &["keys", "office", "list", "--json"]).code(0));
    let purposes: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|k| &k["purpose"])
        .collect();
    assert_eq!(purposes, ["auditor", "witness", "log", "records", "unit"]);
    let old = zhao(dir, &["keys", "office", "list", "--old", "0s"]);
    assert!(
        old.stderr.contains("local-witness, log, records-"),
        "{}",
        old.stderr
    );
    let policy = fs::read_to_string(dir.join("office/policy.txt")).unwrap();
    for name in ["log", "local-witness"] {
        let vkey = zhao(dir, &["keys", "office", "show", name, "--form", "vkey"]).code(0);
        assert!(
            policy.contains(vkey.stdout.trim()),
            "{name}: {}",
            vkey.stdout
        );
    }
    let pem = zhao(dir, &["keys", "office", "show", "log", "--form", "pem"]).code(0);
    assert!(
        pem.stdout
            .starts_with("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA")
    );
    zhao(dir, &["keys", "office", "show", "none"]).code(1);
    zhao(dir, &["keys", "nowhere", "list"]).code(2);

    zhao(dir, &["keys", "office", "check"]).code(0);
    let new = [("ZHAO_NEW_PASSPHRASE", "another one")];
    let change = ["keys", "office", "passphrase"];
    let wrong = with(dir, &[("ZHAO_PASSPHRASE", "x"), new[0]], &change).code(2);
    assert!(
        wrong.error().contains("wrong passphrase"),
        "{}",
        wrong.stderr
    );
    zhao(dir, &change).code(2);
    with(dir, &new, &change).code(0);
    zhao(dir, &["keys", "office", "check"]).code(2);
    let now = [("ZHAO_PASSPHRASE", "another one")];
    with(dir, &now, &["keys", "office", "check"]).code(0);
    with(dir, &now, &["cosign", "office", "-o", "head"]).code(0);
    // The administrators' directory is another one, with a passphrase of its own.
    zhao(dir, &["keys", "office-admin", "check"]).code(0);
    with(dir, &new, &["keys", "office-admin", "passphrase"]).code(0);
    with(dir, &now, &["keys", "office-admin", "check"]).code(0);

    let unit = listed[4]["name"].as_str().unwrap();
    let uscc = unit.split('-').nth(1).unwrap().to_uppercase();
    with(dir, &now, &["keys", "office", "rotate", &uscc]).code(0);
    let listed = json(&zhao(dir, &["keys", "office", "list", "--json"]).code(0));
    assert_eq!(listed.as_array().unwrap().len(), 6);

    let export = ["keys", "office", "export", unit, "-o", "u.age"];
    let both = [now[0], ("ZHAO_NEW_PASSPHRASE", "carried")];
    with(dir, &both, &export).code(0);
    assert_eq!(
        with(dir, &both, &export).code(2).error(),
        "u.age exists already"
    );
    let import = |purpose: &str, passphrase: &str| {
        let variables = [now[0], ("ZHAO_FILE_PASSPHRASE", passphrase)];
        let words = [
            "keys",
            "office-admin",
            "import",
            "u.age",
            "--purpose",
            purpose,
        ];
        with(dir, &variables, &words)
    };
    let other = import("administrator", "carried").code(1);
    assert!(
        other
            .error()
            .contains("is for unit, expected administrator"),
        "{}",
        other.stderr
    );
    assert!(
        import("unit", "wrong")
            .code(1)
            .error()
            .contains("wrong passphrase")
    );
    assert!(import("clerk", "carried").code(2).error().contains("clerk"));
    fs::set_permissions(dir.join("u.age"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(import("unit", "carried").code(1).error().contains("0644"));
    fs::set_permissions(dir.join("u.age"), fs::Permissions::from_mode(0o600)).unwrap();
    import("unit", "carried").code(0);
    assert!(
        import("unit", "carried")
            .code(1)
            .error()
            .contains("here already")
    );

    fs::set_permissions(
        dir.join("office/keys/log.age"),
        fs::Permissions::from_mode(0o640),
    )
    .unwrap();
    let found = with(dir, &now, &["keys", "office", "check", "--json"]).code(1);
    assert_eq!(json(&found)[0]["code"], "broken");
}
