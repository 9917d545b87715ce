//! Rows that stand twice, rows against registers, old stock, and what a hostile clerk may type.

use std::io::Cursor;

use super::*;
use crate::catalogue::{Register, RegisterRule, Without};

/// The row's request.
fn request(text: String) -> Request {
    let (_, mut rows) = read(text).unwrap();
    check(&rows.remove(0).unwrap(), &catalogue(), &defaults()).unwrap()
}

fn good(columns: &str, cells: &str) -> String {
    format!("{HEADER}{columns}\n{GOOD}{cells}\n")
}

fn entry() -> crate::catalogue::Entry {
    catalogue().entry("food-operation").unwrap().clone()
}

/// The messages of the rows of a batch of which none may stand twice.
fn twice(text: String) -> Vec<String> {
    let batch = open(Cursor::new(text), &catalogue(), None).unwrap();
    distinct(batch)
        .map(|row| row.map_or_else(|error| error.to_string(), |_| "ok".to_owned()))
        .collect()
}

#[test]
fn refuses_rows_and_identifiers_that_stand_twice() {
    let row = |number: &str, reference: &str, unit: &str, name: &str| {
        let row = GOOD.replace("常州示例食品有限公司", name);
        format!("{row},{number},{reference},{unit}\n")
    };
    let header = format!("{HEADER},licenceNumber,reference,issuer\n");
    let text = [
        header,
        row("JY32040200000001", "a-1", "11320400DEM0001293", "一"),
        row("JY32040200000001", "a-2", "11320400DEM0001293", "二"),
        row("JY32040200000002", "a-1", "11320400DEM0001293", "三"),
        row("JY32040200000001", "a-1", "11320400DEM0001293", "一"),
        row("JY32040200000001", "a-1", "11310115DEM000153P", "一"),
        row("", "", "11320400DEM0001293", "四"),
        row("", "", "11320400DEM0001293", "五"),
        row("JY32040200000001", "a-1", "11310115DEM000153P", "六"),
    ]
    .concat();
    assert_eq!(
        twice(text),
        [
            "ok",
            "row 2: licenceNumber: the same as in row 1",
            "row 3: reference: the same as in row 1",
            "row 4: the same as in row 1",
            "ok",
            "ok",
            "ok",
            "row 8: licenceNumber: the same as in row 5; reference: the same as in row 5",
        ]
    );
}

#[test]
fn json_lines_and_csv_say_the_same_thing_twice_alike() {
    let line = object(",\"onlineOperation\":true");
    let other = object("");
    let text = format!("{line}\n{other}\n{line}\n");
    assert_eq!(twice(text), ["ok", "ok", "row 3: the same as in row 1"]);
    // Members in another order are the same row.
    let turned = "{\"supervisor\":\"示例局\",\"holderName\":\"x\"}\n\
                  {\"holderName\":\"x\",\"supervisor\":\"示例局\"}\n";
    assert_eq!(
        twice(turned.to_owned()),
        ["ok", "row 2: the same as in row 1"]
    );
}

#[test]
fn lines_may_end_in_carriage_returns() {
    let csv = format!("{HEADER}\r{GOOD}\r{}\r", GOOD.replace("张示例", "李示例"));
    assert_eq!(judge(csv), ["ok", "ok"]);
    let lines = [object(""), object(",\"onlineOperation\":true")].join("\r");
    assert_eq!(judge(lines.clone()), ["ok", "ok"]);
    assert_eq!(judge(lines.replace('\r', "\r\n")), ["ok", "ok"]);
    // Both forms name the same row.
    let bad = format!("{}\r\r{}\r", object(""), object(",\"colour\":1"));
    let row_two = "row 2: colour: the type has no such field";
    assert_eq!(judge(bad), ["ok", row_two]);
}

#[test]
fn refuses_what_is_invisible_turned_or_full_width_and_names_the_column() {
    for (old, new, error) in [
        (
            "张示例",
            "张\0示例",
            "representative: control character U+0000",
        ),
        (
            "张示例",
            "张\u{1b}[2J",
            "representative: control character U+001B",
        ),
        (
            "张示例",
            "张\u{202e}示例",
            "representative: invisible or direction-changing character U+202E",
        ),
        (
            "张示例",
            "张\u{2067}示例",
            "representative: invisible or direction-changing character U+2067",
        ),
        (
            "91320402DEM0010172",
            "９１３２０４０２DEM0010172",
            "holderCode: unified social credit code has 34 bytes, not 18",
        ),
        (
            "91320402DEM0010172",
            "91320402DEM001017Ⅱ",
            "holderCode: unified social credit code has 20 bytes, not 18",
        ),
    ] {
        assert_eq!(cell(old, new), format!("row 1: {error}"));
    }
    let date = judge(good(",validFrom", ",２０２６-01-01"));
    assert!(date[0].starts_with("row 1: validFrom: "), "{}", date[0]);
    let number = judge(good(",licenceNumber", ",JY３２０４０２00000001"));
    assert!(
        number[0].starts_with("row 1: licenceNumber: "),
        "{}",
        number[0]
    );
}

#[test]
fn keeps_statements_markup_and_hanzi_of_every_age_as_they_are() {
    for name in [
        "示例'; DROP TABLE licences; --",
        "<script>alert(1)</script>示例",
        "=HYPERLINK(1)示例",
        "{holderCode} %s ${x} 示例",
        "福州示範餐館",
        "𠮷野家示例",
        "㐂𫖯示例",
        "\\u0000示例",
    ] {
        let text = GOOD.replace("常州示例食品有限公司", &format!("\"{name}\""));
        let csv = request(format!("{HEADER}\n{text}\n"));
        assert_eq!(csv.holder_name, name);
        let escaped = name.replace('\\', "\\\\");
        let line = object("").replace("常州示例食品有限公司", &escaped);
        assert_eq!(request(line).holder_name, name);
    }
}

#[test]
fn the_text_that_breaks_a_csv_row_breaks_the_json_row_alike() {
    for (old, new) in [
        ("91320402DEM0010172", "91320402DEM0010173"),
        ("张示例", "张\u{200b}"),
        ("catering", "street"),
        ("示例局", "示例局\u{e000}"),
    ] {
        let line = object("").replacen(old, new, 1);
        assert_eq!(judge(line), [cell(old, new)], "{new:?}");
    }
}

#[test]
fn a_wide_object_is_refused_before_it_is_looked_at() {
    let line = |width: u64| {
        let members: Vec<String> = (0..width).map(|n| format!("\"a{n}\":1")).collect();
        format!("{{{}}}", members.join(","))
    };
    let text = [line(513), line(4000), object("")].join("\n");
    let expected = [
        "row 1: more than 512 columns",
        "row 2: 1025 exceed the limit of 1024",
        "ok",
    ];
    assert_eq!(judge(text), expected);
}

/// Knows one name of each register, and does not answer for some codes.
#[derive(Debug)]
struct Partly;

impl Registry for Partly {
    fn source(&self) -> String {
        "a test".to_owned()
    }

    fn name_of(&self, register: Register, code: &str) -> Result<Option<String>, Unreachable> {
        match (register, code) {
            (Register::Population, _) => Err(Unreachable("timed out".to_owned())),
            (_, "91320402DEM0010172") => Ok(Some("常州示例食品有限公司".to_owned())),
            _ => Ok(None),
        }
    }
}

fn rule(register: Register, unknown: Without, unreachable: Without) -> RegisterRule {
    RegisterRule {
        code: "holderCode".to_owned(),
        name: "holderName".to_owned(),
        register,
        unknown,
        unreachable,
    }
}

fn compared(name: &str, code: &str, rule: RegisterRule) -> Result<Vec<Remark>, String> {
    let text = GOOD
        .replace("常州示例食品有限公司", name)
        .replace("91320402DEM0010172", code);
    let request = request(format!("{HEADER}\n{text}\n"));
    let mut entry = entry();
    entry.registers = vec![rule];
    compare_registers(&request, &entry, &Partly).map_err(|error| error.to_string())
}

#[test]
fn iss_10_a_name_that_is_not_the_registers_blocks_and_is_named() {
    use Register::LegalEntities;
    use Without::{Note, Refuse};
    let known = ("常州示例食品有限公司", "91320402DEM0010172");
    assert_eq!(
        compared(known.0, known.1, rule(LegalEntities, Refuse, Refuse)),
        Ok(vec![])
    );
    // Whatever the entry says: two names are not one. Neither is repeated.
    for without in [Note, Refuse] {
        for name in [
            "常州示例食品公司",
            "常州示例食品有限公司 分公司",
            "常州示例食品有限公 司",
        ] {
            let error = compared(name, known.1, rule(LegalEntities, without, without));
            let said =
                "row 1: holderName: not the name that legal-entities has for holderCode (a test)";
            assert_eq!(error, Err(said.to_owned()), "{name}");
        }
    }
    // A code that the register does not know: as the entry says.
    let other = "91420600DEM001041N";
    let said = "holderCode: legal-entities has no such code (a test)";
    let refused = compared(known.0, other, rule(LegalEntities, Refuse, Note));
    assert_eq!(refused, Err(format!("row 1: {said}")));
    let noted = compared(known.0, other, rule(LegalEntities, Note, Refuse)).unwrap();
    assert_eq!(noted.len(), 1);
    assert_eq!(
        (noted[0].column.as_str(), &noted[0].problem),
        (
            "holderCode",
            &Problem::NotInRegister {
                register: "legal-entities",
                source_name: "a test".to_owned(),
            }
        )
    );
    // The register of people is not asked about an enterprise.
    let people = compared(known.0, known.1, rule(Register::Population, Refuse, Refuse));
    assert_eq!(people, Ok(vec![]));
}

#[test]
fn iss_10_a_register_that_does_not_answer_refuses_or_is_noted_as_the_entry_says() {
    let request = request(good("", ""));
    let mut entry = entry();
    for (unreachable, refused) in [(Without::Refuse, true), (Without::Note, false)] {
        entry.registers = vec![rule(Register::LegalEntities, Without::Refuse, unreachable)];
        let problem = Problem::RegisterUnreachable {
            register: "legal-entities",
            cause: "no register is connected".to_owned(),
        };
        let result = compare_registers(&request, &entry, &NoRegisters);
        match refused {
            true => assert_eq!(
                result.unwrap_err(),
                RowError::cell(1, "holderName", problem)
            ),
            false => assert_eq!(
                result.unwrap(),
                [Remark {
                    column: "holderName".to_owned(),
                    problem
                }]
            ),
        }
    }
    // A pair of fields of the face is compared like the holder's.
    let mut pair = rule(Register::Population, Without::Note, Without::Refuse);
    pair.code = "supervisor".to_owned();
    pair.name = "representative".to_owned();
    entry.registers = vec![pair];
    let error = compare_registers(&request, &entry, &Partly).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 1: representative: population cannot be asked, and the type needs its answer: \
         timed out"
    );
}

#[test]
fn iss_10_a_local_file_stands_in_for_the_registers_and_says_so() {
    let read = |text: &str| LocalRegisters::read(text.as_bytes(), "names.csv");
    let local =
        read("register,code,name\nlegal-entities,A,甲\npopulation,A,乙\nlegal-entities,A,甲\n");
    let local = local.unwrap();
    assert_eq!(local.len(), 2);
    assert_eq!(
        local.name_of(Register::LegalEntities, "A"),
        Ok(Some("甲".to_owned()))
    );
    assert_eq!(
        local.name_of(Register::Population, "A"),
        Ok(Some("乙".to_owned()))
    );
    assert_eq!(local.name_of(Register::Population, "B"), Ok(None));
    assert_eq!(local.source(), "local file names.csv, not the register");
    assert!(!format!("{local:?}").contains('甲'));
    for (text, said) in [
        ("", "the columns are \"\", expected register, code, name"),
        (
            "code,name\n",
            "the columns are \"code, name\", expected register, code, name",
        ),
        (
            "register,code,name\npolice,A,甲\n",
            "line 2: register is not legal-entities or population",
        ),
        (
            "register,code,name\npopulation,,甲\n",
            "line 2: code is not a code, printable, at most 64 characters",
        ),
        (
            "register,code,name\npopulation,A,甲\u{202e}\n",
            "line 2: name is not a name, printable, at most 128 characters",
        ),
        (
            "register,code,name\npopulation,A,甲\npopulation,A,乙\n",
            "line 3: the code has another name before",
        ),
    ] {
        assert_eq!(read(text).unwrap_err().to_string(), said);
    }
    assert!(matches!(
        read("register,code,name\na,b\n"),
        Err(RegisterError::Csv(_))
    ));
}

#[test]
fn iss_13_the_start_of_collection_parts_old_stock_from_increment() {
    let start = entry().collection_start.unwrap();
    assert_eq!(start.to_string(), "2020-01-01");
    let row = |issued: &str, origin: &str| {
        good(
            ",issuedDate,validFrom,validUntil,origin",
            &format!(",{issued},{issued},,{origin}"),
        )
    };
    for (issued, origin, is) in [
        ("2019-12-31", "", Origin::Legacy),
        ("2019-12-31", "legacy", Origin::Legacy),
        ("2020-01-01", "", Origin::New),
        ("2020-01-01", "new", Origin::New),
    ] {
        assert_eq!(request(row(issued, origin)).origin, is, "{issued} {origin}");
    }
    for (issued, origin, said) in [
        (
            "2019-12-31",
            "new",
            "new, but the stock of the type is what was issued before 2020-01-01",
        ),
        (
            "2020-01-01",
            "legacy",
            "legacy, but the stock of the type is what was issued before 2020-01-01",
        ),
        ("2020-01-01", "old", "\"old\" is not one of legacy, new"),
    ] {
        assert_eq!(
            judge(row(issued, origin)),
            [format!("row 1: origin: {said}")]
        );
    }
    // Old stock gets the same checks as everything else.
    let wrong = row("2019-12-31", "legacy").replace("DEM0010172", "DEM0010173");
    assert_eq!(
        judge(wrong),
        ["row 1: holderCode: check character of unified social credit code is 3, computed 2"]
    );
}

#[test]
fn iss_13_the_stock_report_counts_targets_shares_and_rejects_by_type() {
    let mut stock = Stock::<&str>::default();
    stock.aim("approval-document", 3);
    stock.aim("food-operation", 8);
    for _ in 0..5 {
        stock.count("food-operation", Origin::Legacy);
    }
    stock.count("food-operation", Origin::New);
    stock.reject("food-operation", 7, "holderCode");
    stock.reject("real-estate-title", 9, "type");
    let types = stock.types(&catalogue());
    let told: Vec<_> = types
        .iter()
        .map(|(slug, of)| {
            (
                *slug,
                of.whole(),
                of.converted,
                of.per_mille(),
                of.rejected,
                of.increment,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("food-operation", 8, 5, Some(625), 1, 1),
            ("real-estate-title", 1, 0, Some(0), 1, 0),
            ("approval-document", 3, 0, Some(0), 0, 0),
        ]
    );
    assert_eq!(
        types[0].1.rejects,
        [Reject {
            reason: "holderCode",
            row: 7
        }]
    );
    // Two of three are not all, and none of nothing is no share.
    let mut thirds = Stock::<&str>::default();
    thirds.aim("a", 3);
    thirds.count("a", Origin::Legacy);
    thirds.count("a", Origin::Legacy);
    thirds.aim("b", 0);
    let shares: Vec<_> = thirds
        .types(&catalogue())
        .iter()
        .map(|(_, of)| of.per_mille())
        .collect();
    assert_eq!(shares, [Some(666), None]);
    for row in 0..20_000 {
        thirds.reject("c", row, "x");
    }
    let types = thirds.types(&catalogue());
    assert_eq!(
        (types[2].1.rejected, types[2].1.rejects.len()),
        (20_000, 10_000)
    );
}
