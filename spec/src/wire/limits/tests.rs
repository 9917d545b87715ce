#![allow(clippy::unwrap_used, reason = "a test may panic")]

/// Names and maxima of the table in `spec/limits.md`, from this module's own source.
#[test]
fn the_page_and_the_constants_are_one() {
    let root = env!("CARGO_MANIFEST_DIR");
    let page = std::fs::read_to_string(format!("{root}/limits.md")).unwrap();
    let mut rows = 0;
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`');
        let value: u64 = cells[2].replace(',', "").parse().unwrap();
        assert_eq!(constant(name), value, "{name}");
        rows += 1;
    }
    assert_eq!(
        rows,
        include_str!("../limits.rs").matches("\npub const ").count()
    );
}

/// The value of the constant `name` as written in the source.
fn constant(name: &str) -> u64 {
    let source = include_str!("../limits.rs");
    let line = source
        .lines()
        .find(|line| line.starts_with(&format!("pub const {name}:")))
        .unwrap();
    let expression = line
        .split('=')
        .nth(1)
        .unwrap()
        .trim()
        .trim_end_matches(';')
        .replace('_', "");
    if let Some((value, shift)) = expression.split_once("<<") {
        let shift: u32 = shift.trim().parse().unwrap();
        return value.trim().parse::<u64>().unwrap() << shift;
    }
    expression
        .split('*')
        .map(|factor| factor.trim().parse::<u64>().unwrap())
        .product()
}
