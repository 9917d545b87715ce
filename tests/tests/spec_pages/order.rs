//! The order of checks is part of the algorithm: the first that fails is the only reason.

use super::{cells, pages};

#[test]
fn the_checks_stand_on_the_page_in_the_order_in_which_they_are_made() {
    let pages = pages();
    let page = pages.iter().find(|page| page.name == "verify.md");
    let text = &page.expect("the page of verifying").text;
    let mut rest = zhao_verifier::Check::ALL
        .iter()
        .map(|check| check.code())
        .peekable();
    for (line, header, cell) in cells(text) {
        if header != "code" {
            continue;
        }
        for span in cell.split('`').skip(1).step_by(2) {
            match span.strip_suffix('…') {
                // One or more checks whose codes begin so.
                Some(prefix) => {
                    let mut found = 0;
                    while rest.next_if(|code| code.starts_with(prefix)).is_some() {
                        found += 1;
                        // The next row of this family has a line of its own.
                        let own = |code: &&str| text.contains(&format!("| `{code}` |"));
                        if rest.peek().is_some_and(own) {
                            break;
                        }
                    }
                    assert!(found > 0, "spec/verify.md:{line}: no check for {span}");
                }
                None => assert_eq!(rest.next(), Some(span), "spec/verify.md:{line}"),
            }
        }
    }
    // What is left is made on other files than dossiers, in the order of each file's paragraph.
    let (_, others) = text.split_once("## Other files").expect("the section");
    for code in rest {
        assert!(
            others.contains(&format!("`{code}`")),
            "{code} is not on the page"
        );
    }
}
