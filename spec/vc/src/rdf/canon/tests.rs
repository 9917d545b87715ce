//! The canonical form is the one that everybody else has; what has none in time is refused.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use oxrdf::{BlankNode, Literal, NamedNode};
use proptest::prelude::*;

use super::*;

/// Reads the N-Quads of a vector: enough of them for what the vectors hold.
fn quads(text: &str) -> Vec<Quad> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(quad).collect()
}

fn quad(line: &str) -> Quad {
    let mut rest = line;
    let subject = match term(&mut rest).unwrap() {
        Term::NamedNode(node) => NamedOrBlankNode::NamedNode(node),
        Term::BlankNode(node) => NamedOrBlankNode::BlankNode(node),
        Term::Literal(_) => panic!("{line}"),
    };
    let Some(Term::NamedNode(predicate)) = term(&mut rest) else {
        panic!("{line}");
    };
    let object = term(&mut rest).unwrap();
    let graph = match term(&mut rest) {
        None => GraphName::DefaultGraph,
        Some(Term::NamedNode(node)) => GraphName::NamedNode(node),
        Some(Term::BlankNode(node)) => GraphName::BlankNode(node),
        Some(Term::Literal(_)) => panic!("{line}"),
    };
    Quad::new(subject, predicate, object, graph)
}

/// The next term of a line, or nothing at its full stop.
fn term<'a>(rest: &mut &'a str) -> Option<Term> {
    let text = rest.trim_start();
    let take = |rest: &mut &'a str, at: usize| {
        let (one, more) = text.split_at(at);
        *rest = more;
        one.to_owned()
    };
    match text.as_bytes()[0] {
        b'<' => {
            let iri = take(rest, text.find('>').unwrap() + 1);
            Some(NamedNode::new_unchecked(unescaped(&iri[1..iri.len() - 1])).into())
        }
        b'_' => {
            let name = take(rest, text.find(' ').unwrap());
            Some(BlankNode::new_unchecked(&name[2..]).into())
        }
        b'"' => {
            let mut end = 1;
            while text.as_bytes()[end] != b'"' {
                end += if text.as_bytes()[end] == b'\\' { 2 } else { 1 };
            }
            let value = unescaped(&take(rest, end + 1)[1..end]);
            let literal = if rest.starts_with("^^<") {
                let end = rest.find('>').unwrap();
                let datatype = NamedNode::new_unchecked(unescaped(&rest[3..end]));
                *rest = &rest[end + 1..];
                Literal::new_typed_literal(value, datatype)
            } else if rest.starts_with('@') {
                let end = rest.find(' ').unwrap();
                let language = rest[1..end].to_owned();
                *rest = &rest[end..];
                Literal::new_language_tagged_literal_unchecked(value, language)
            } else {
                Literal::new_simple_literal(value)
            };
            Some(literal.into())
        }
        _ => None,
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(one) = chars.next() {
        if one != '\\' {
            out.push(one);
            continue;
        }
        let digits = |chars: &mut std::str::Chars<'_>, count| {
            let digits: String = chars.take(count).collect();
            char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
        };
        out.push(match chars.next().unwrap() {
            't' => '\t',
            'b' => '\u{8}',
            'n' => '\n',
            'r' => '\r',
            'f' => '\u{c}',
            'u' => digits(&mut chars, 4),
            'U' => digits(&mut chars, 8),
            other => other,
        });
    }
    out
}

fn run(vectors: &str) -> usize {
    let file: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let found = canonical(&quads(case["input"].as_str().unwrap()));
        match case["expect"]["ok"].as_str() {
            Some(expected) => assert_eq!(found.as_deref(), Ok(expected), "{}", case["name"]),
            None => {
                assert_eq!(case["expect"]["error"], "rdf-poison");
                assert_eq!(found, Err(Poison), "{}", case["name"]);
            }
        }
    }
    cases.len()
}

#[test]
fn the_w3cs_graphs_have_the_w3cs_canonical_form() {
    assert_eq!(run(include_str!("../../../../vectors/rdf/rdfc10.json")), 64);
}

#[test]
fn graphs_that_look_alike_have_the_form_that_others_give_them() {
    assert_eq!(run(include_str!("../../../../vectors/rdf/alike.json")), 84);
}

/// The nodes of a graph joined each with each other.
fn joined(count: usize) -> String {
    let pairs = (0..count).flat_map(|one| (0..count).map(move |other| (one, other)));
    let pairs = pairs.filter(|(one, other)| one != other);
    pairs
        .map(|(one, other)| format!("_:n{one} <x:p> _:n{other} .\n"))
        .collect()
}

/// Two chains of this many nodes.
fn chains(length: usize) -> String {
    let links = (0..length).flat_map(|at| ["a", "b"].map(|name| (name, at)));
    let link = |(name, at)| format!("_:{name}{at} <x:next> _:{name}{} .\n", at + 1);
    links.map(link).collect()
}

/// Two stars of this many leaves, each leaf of so many statements, perhaps with a node of its own.
fn stars(leaves: usize, statements: usize, deeper: bool) -> String {
    let mut text = String::new();
    for star in ["a", "b"] {
        for leaf in 0..leaves {
            text += &format!("_:{star} <x:leaf> _:{star}{leaf} .\n");
            for at in 0..statements {
                text += &format!("_:{star}{leaf} <x:type> <x:t{at}> _:{star} .\n");
            }
            if deeper {
                text += &format!("_:{star}{leaf} <x:has> _:{star}{leaf}d .\n");
            }
        }
    }
    text
}

#[test]
fn graphs_made_to_be_slow_are_refused_soon() {
    for (what, text) in [
        ("each joined with each", joined(10)),
        ("more of them", joined(60)),
        ("a chain without an end in sight", chains(DEPTH + 1)),
        ("orders of what is no twin", stars(10, 1, true)),
        ("many that look alike", stars(ALIKE + 1, 1, false)),
        ("a grid", {
            let cells = (0..12).flat_map(|row| (0..12).map(move |column| (row, column)));
            let cell = |(row, column): (usize, usize)| {
                let (down, right) = ((row + 1) % 12, (column + 1) % 12);
                format!(
                    "_:n{row}x{column} <x:p> _:n{down}x{column} .\n\
                     _:n{row}x{column} <x:p> _:n{row}x{right} .\n"
                )
            };
            cells.map(cell).collect()
        }),
    ] {
        assert_eq!(canonical(&quads(&text)), Err(Poison), "{what}");
    }
}

#[test]
fn much_that_is_the_same_is_no_poison() {
    for (what, text) in [
        (
            "a node of many statements in one graph",
            stars(1, 200, false),
        ),
        ("many leaves", stars(ALIKE, 1, false)),
        ("many leaves of several statements", stars(20, 5, false)),
        ("a few that lead further", stars(4, 2, true)),
        ("long chains", chains(DEPTH - 2)),
    ] {
        let text = canonical(&quads(&text)).unwrap_or_else(|_| panic!("{what}"));
        assert!(text.contains("_:c14n0"), "{what}");
    }
}

#[test]
fn a_long_path_does_not_end_the_stack() {
    let text = chains(DEPTH - 2);
    // Who builds without optimising says how much that takes.
    let said = option_env!("RUST_MIN_STACK").and_then(|said| said.parse().ok());
    let stack = said.unwrap_or(1 << 20);
    let thread = std::thread::Builder::new().stack_size(stack);
    let done = thread.spawn(move || canonical(&quads(&text)).is_ok());
    assert!(done.unwrap().join().unwrap());
}

#[test]
fn names_beyond_the_tenth_are_given_in_their_order() {
    // As texts, b10 comes before b2.
    let text = canonical(&quads(&chains(12))).unwrap();
    for (one, next) in [(1, 0), (10, 9), (11, 10), (12, 11)] {
        let line = format!("_:c14n{one} <x:next> _:c14n{next} .");
        assert!(text.contains(&line), "{line} in {text}");
    }
}

#[test]
fn literals_are_written_as_canonical_n_quads_have_them() {
    let literal = |value: &str| nquads::literal(&Literal::new_simple_literal(value));
    assert_eq!(literal("a\u{8}\t\n\u{c}\r\"\\"), r#""a\b\t\n\f\r\"\\""#);
    assert_eq!(
        literal("\0\u{1f}\u{7f}\u{80}昭"),
        "\"\\u0000\\u001F\\u007F\u{80}昭\""
    );
    let spoken = Literal::new_language_tagged_literal_unchecked("x", "zh-CN");
    assert_eq!(nquads::literal(&spoken), r#""x"@zh-cn"#);
}

#[test]
fn orders_are_each_there_once() {
    let all = |nodes: &[Node], twins: &[Node]| {
        let twin = |node| twins.contains(&node).then_some(0);
        let mut orders = orders::Orders::new(nodes.to_vec(), twin);
        let mut all = vec![orders.current()];
        while orders.advance() {
            all.push(orders.current());
        }
        let different: BTreeSet<_> = all.iter().cloned().collect();
        assert_eq!(different.len(), all.len(), "{nodes:?}");
        all
    };
    assert_eq!(all(&[], &[]), [Vec::<Node>::new()]);
    assert_eq!(all(&[4, 4, 4], &[]), [[4, 4, 4]]);
    assert_eq!(all(&[2, 1], &[]), [[1, 2], [2, 1]]);
    assert_eq!(all(&[1, 2, 1], &[]), [[1, 1, 2], [1, 2, 1], [2, 1, 1]]);
    assert_eq!(all(&[1, 2, 3, 4], &[]).len(), 24);
    assert_eq!(all(&[1, 2, 3, 4], &[1, 2, 3, 4]), [[1, 2, 3, 4]]);
    assert_eq!(all(&[1, 2, 3], &[1, 3]), [[1, 2, 3], [1, 3, 2], [2, 1, 3]]);
    // Of two twins that are there twice each, the second never begins.
    assert_eq!(
        all(&[1, 1, 2, 2], &[1, 2]),
        [[1, 1, 2, 2], [1, 2, 1, 2], [1, 2, 2, 1]]
    );
}

/// The same statements, their nodes called otherwise and in another order.
fn disguised(text: &str, shift: usize) -> String {
    let rename = |word: &str| match word.strip_prefix("_:n") {
        Some(number) => {
            let number: usize = number.parse().unwrap();
            format!("_:m{}", (number * 7 + shift) % 101)
        }
        None => word.to_owned(),
    };
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| line.split(' ').map(rename).collect::<Vec<_>>().join(" "))
        .collect();
    let middle = shift % lines.len().max(1);
    lines.rotate_left(middle);
    lines.join("\n")
}

proptest! {
    // Without blank graphs: RDFC-1.0 hashes the graph of a statement apart from the rest of it, and
    // so there are graphs with blank nodes in three places that it gives no one form.
    #[test]
    fn names_and_order_do_not_matter(
        lines in prop::collection::vec((0..6_u8, 0..2_u8, 0..7_u8), 1..14),
        shift in 1..101_usize,
    ) {
        let line = |(subject, predicate, object): &(u8, u8, u8)| {
            let object = if *object == 6 { "<x:o>".to_owned() } else { format!("_:n{object}") };
            format!("_:n{subject} <x:p{predicate}> {object} .\n")
        };
        let text: String = lines.iter().map(line).collect();
        let one = canonical(&quads(&text));
        prop_assert_eq!(&one, &canonical(&quads(&disguised(&text, shift))));
        // It is what it was, but for names: the canonical form of the canonical form is itself.
        if let Ok(one) = one {
            prop_assert_eq!(canonical(&quads(&one)), Ok(one.clone()));
            let distinct: BTreeSet<_> = text.lines().collect();
            prop_assert_eq!(one.lines().count(), distinct.len());
        }
    }
}
