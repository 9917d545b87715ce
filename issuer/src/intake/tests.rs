//! Bad batches first; then that good ones survive whatever surrounds them.

use std::io::{self, Cursor, SeekFrom};

use encoding_rs::GB18030;
use proptest::prelude::*;
use zhao_spec::id::Uscc;
use zhao_spec::wire::Date;

use super::*;

mod more;

const HEADER: &str =
    "holderName,holderCode,representative,premises,businessForm,operationItems,supervisor";
const GOOD: &str =
    "常州示例食品有限公司,91320402DEM0010172,张示例,常州市示例路1号,catering,热食类食品制售,示例局";

fn catalogue() -> Catalogue {
    Catalogue::embedded().unwrap()
}

fn defaults() -> Defaults {
    Defaults {
        licence_type: Some("food-operation".to_owned()),
        today: Date::parse("2026-11-22").unwrap(),
        unit: Some(Uscc::parse("11320400DEM0001293").unwrap()),
    }
}

fn read(bytes: impl Into<Vec<u8>>) -> Result<(Encoding, Vec<Result<Row, RowError>>), IntakeError> {
    let batch = open(Cursor::new(bytes.into()), &catalogue(), None)?;
    Ok((batch.encoding, batch.collect()))
}

/// The messages of the rows, `ok` for good ones.
fn judge(bytes: impl Into<Vec<u8>>) -> Vec<String> {
    let (_, rows) = read(bytes).unwrap();
    let judged = rows
        .into_iter()
        .map(|row| row.and_then(|r| check(&r, &catalogue(), &defaults())));
    judged
        .map(|row| row.map_or_else(|error| error.to_string(), |_| "ok".to_owned()))
        .collect()
}

/// The batch's own error.
fn fatal(bytes: impl Into<Vec<u8>>) -> String {
    read(bytes).map(drop).unwrap_err().to_string()
}

/// The message for the good row with one text replaced.
fn cell(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old));
    judge(format!("{HEADER}\n{}\n", GOOD.replacen(old, new, 1))).remove(0)
}

#[test]
fn refuses_headers_it_cannot_use() {
    assert_eq!(fatal(""), "the batch is empty");
    assert_eq!(fatal(" \r\n\n"), "the batch is empty");
    assert_eq!(
        fatal("holderName,holderCode,holderName\n"),
        "column 3 is named \"holderName\", as column 1 is"
    );
    assert_eq!(
        fatal("holderName,持证主体代码\n"),
        "column 2: no licence type of the batch has a field \"持证主体代码\""
    );
    assert_eq!(
        fatal("holderName,,holderCode\n"),
        "column 2: no licence type of the batch has a field \"\""
    );
    // What was meant is said where only capitals and the like differ.
    for name in ["holdername", "Holder Name", "HOLDER_NAME", "holder-name"] {
        assert_eq!(
            fatal(format!("holderCode,{name}\n")),
            format!(
                "column 2: no licence type of the batch has a field {name:?}; is it \"holderName\"?"
            )
        );
    }
    for (header, found) in [
        ("type;holderName", ';'),
        ("type\tholderName", '\t'),
        ("type，holderName", '，'),
        ("type ；x", '；'),
    ] {
        assert_eq!(
            fatal(format!("{header}\n")),
            format!("the cells are separated by {found:?}: save the batch with commas")
        );
    }
    // Neither part is a column: that is a name like any other.
    assert_eq!(
        fatal("one;two\n"),
        "column 1: no licence type of the batch has a field \"one;two\""
    );
    assert_eq!(
        fatal("holderName,\"holderCode\n"),
        "header: an odd number of quotation marks: a cell is not closed"
    );
    let wide = "a,".repeat(1_000_000);
    assert_eq!(fatal(wide), "header: more than 512 columns");
    let long = "a".repeat(1_000_000);
    assert_eq!(fatal(long), "header: more than 65536 bytes");
    let only_food = open(
        Cursor::new("weightGrams\n"),
        &catalogue(),
        Some("food-operation"),
    );
    assert!(matches!(
        only_food.unwrap_err(),
        IntakeError::UnknownColumn { column: 1, .. }
    ));
    let unknown = open(Cursor::new("x\n"), &catalogue(), Some("no-such-type"));
    assert!(matches!(
        unknown.unwrap_err(),
        IntakeError::UnknownType { .. }
    ));
}

#[test]
fn refuses_rows_that_do_not_fit_the_header() {
    let long = "长".repeat(40_000);
    let text = format!(
        "{HEADER}\n{GOOD}\na,b\n{GOOD},extra\n{long},b\n{}\n{GOOD}\n",
        ",".repeat(100_000)
    );
    assert_eq!(
        judge(text),
        [
            "ok",
            "row 2: ends after 2 cells, expected 7",
            "row 3: has 8 cells, expected 7",
            "row 4: more than 65536 bytes",
            "row 5: more than 512 columns",
            "ok",
        ]
    );
}

#[test]
fn refuses_a_file_cut_short_inside_a_cell() {
    let text = format!("{HEADER}\n{GOOD}\n{}", GOOD.replace(",示例局", ",\"示例"));
    let last = "row 2: an odd number of quotation marks: a cell is not closed";
    assert_eq!(judge(text), ["ok", last]);
    // An opened quotation mark swallows what follows, in bounded memory.
    let text = format!("{HEADER}\n\"{}", format!("{GOOD}\n").repeat(10_000));
    assert_eq!(judge(text), ["row 1: more than 65536 bytes"]);
}

#[test]
fn refuses_cells_by_name_with_expected_and_actual() {
    for (old, new, error) in [
        (
            "91320402DEM0010172",
            "91320402DEM0010173",
            "holderCode: check character of unified social credit code is 3, computed 2",
        ),
        (
            "91320402DEM0010172",
            "91320402DEM001017",
            "holderCode: unified social credit code has 17 bytes, not 18",
        ),
        (
            "91320402DEM0010172",
            "91320402dem0010172",
            "holderCode: unified social credit code does not allow the character at 8",
        ),
        ("91320402DEM0010172", "", "holderCode: missing"),
        ("常州示例食品有限公司", "", "holderName: missing"),
        (
            "常州示例食品有限公司",
            "常州\u{200b}示例",
            "holderName: invisible or direction-changing character U+200B",
        ),
        (
            "常州示例食品有限公司",
            "\"常州\n示例\"",
            "holderName: control character U+000A",
        ),
        (
            "常州示例食品有限公司",
            " 常州",
            "holderName: space at the beginning or end",
        ),
        (
            "常州示例食品有限公司",
            "\u{e123}",
            "holderName: unassigned or private-use character U+E123",
        ),
        (
            "catering",
            "street",
            "businessForm: \"street\" is not one of retail, catering, canteen",
        ),
        ("张示例", "", "representative: missing"),
    ] {
        assert_eq!(cell(old, new), format!("row 1: {error}"));
    }
    let long = "张".repeat(65);
    assert_eq!(
        cell("张示例", &long),
        "row 1: representative: 65 characters exceed the limit of 64"
    );
    let both = judge(format!(
        "{HEADER}\n{}\n",
        GOOD.replace("张示例", "").replace("catering", "x")
    ));
    assert_eq!(
        both,
        ["row 1: representative: missing; \
             businessForm: \"x\" is not one of retail, catering, canteen"]
    );
}

#[test]
fn refuses_dates_and_terms() {
    for (columns, cells, error) in [
        (
            "validFrom",
            "2026-02-30",
            "validFrom: \"2026-02-30\" is not a date: no such date",
        ),
        (
            "validFrom",
            "2026/02/03",
            "validFrom: \"2026/02/03\" is not a date: not of the form YYYY-MM-DD",
        ),
        (
            "validFrom",
            "1899-12-31",
            "validFrom: \"1899-12-31\" is not a date: year outside 1900 to 9999",
        ),
        (
            "issuedDate",
            "2026-11-23",
            "issuedDate: 2026-11-23 is after today, 2026-11-22",
        ),
        (
            "validUntil",
            "2026-11-21",
            "validUntil: the last day 2026-11-21 is before the first, 2026-11-22",
        ),
        (
            "validUntil",
            "长期",
            "validUntil: the type has no licences without a last day",
        ),
        (
            "validFrom",
            "9998-01-01",
            "validUntil: the term ends after the year 9999",
        ),
        (
            "inspectionDue",
            "2027-01-01",
            "inspectionDue: the type has no such field",
        ),
        (
            "vehicleCount",
            "3",
            "vehicleCount: the type has no such field",
        ),
        (
            "onlineOperation",
            "maybe",
            "onlineOperation: \"maybe\" is not one of true, false, 是, 否",
        ),
        (
            "licenceNumber",
            "JY123",
            "licenceNumber: \"JY123\" is not of the form JY{region}{serial:8}",
        ),
        (
            "holderCodeType",
            "111",
            "holderCodeType: the type takes holder code types 001, not 111",
        ),
        (
            "holderCodeType",
            "777",
            "holderCodeType: no such holder code type",
        ),
        (
            "issuer",
            "11320400DEM0001294",
            "issuer: check character of unified social credit code is 4, computed 3",
        ),
        (
            "type",
            "no-such-type",
            "type: no licence type \"no-such-type\" in the catalogue",
        ),
    ] {
        let text = format!("{HEADER},{columns}\n{GOOD},{cells}\n");
        assert_eq!(judge(text), [format!("row 1: {error}")]);
    }
    let numbers = [
        "-1",
        "+1",
        "1.5",
        "01",
        "1e3",
        "９",
        "9007199254740992",
        "99999999999999999999",
    ];
    for number in numbers {
        let text = format!(
            "type,holderName,holderCode,representative,address,transportScope,vehicleCount\n\
             road-transport-operation,襄阳示例物流有限公司,91420600DEM001041N,张示例,示例路,container,{number}\n"
        );
        let error = format!(
            "row 1: vehicleCount: \"{number}\" is not an integer from 0 to 9007199254740991"
        );
        assert_eq!(judge(text), [error]);
    }
}

#[test]
fn does_not_repeat_values_that_are_not_public() {
    let cells = [
        ("type", "birth-certificate"),
        ("motherCode", "14052219000615002"),
        ("sex", "secret-1"),
        ("birthDate", "secret-2"),
        ("weightGrams", "secret-3"),
    ];
    let cell = |(name, text): (&str, &str)| (name.to_owned(), Cell::Text(text.to_owned()));
    let row = Row::new(1, cells.map(cell));
    let error = check(&row, &catalogue(), &defaults())
        .unwrap_err()
        .to_string();
    assert!(
        !error.contains("secret-") && !error.contains("14052219"),
        "{error}"
    );
    assert!(
        error.contains("motherCode: \"(not shown)\" is not of the form {alnum:18}"),
        "{error}"
    );
}

#[test]
fn refuses_rows_without_type_or_unit() {
    let row = Row::new(4, []);
    let nothing = Defaults {
        licence_type: None,
        unit: None,
        ..defaults()
    };
    let error = check(&row, &catalogue(), &nothing).unwrap_err();
    assert_eq!(error, RowError::cell(4, "type", Problem::Missing));
    let no_unit = Defaults {
        unit: None,
        ..defaults()
    };
    let error = check(&row, &catalogue(), &no_unit).unwrap_err();
    assert_eq!(
        error.faults[0],
        Fault {
            column: Some("issuer".to_owned()),
            problem: Problem::Missing
        }
    );
}

fn object(changes: &str) -> String {
    format!(
        "{{\"holderName\":\"常州示例食品有限公司\",\"holderCode\":\"91320402DEM0010172\",\
         \"representative\":\"张示例\",\"premises\":\"示例路\",\"businessForm\":\"catering\",\
         \"operationItems\":\"热食\",\"supervisor\":\"示例局\"{changes}}}"
    )
}

#[test]
fn refuses_json_that_two_readers_could_read_differently() {
    let deep = "[".repeat(10_000);
    let lines = [
        object(""),
        object(",\"premises\":\"other\""),
        object(",\"onlineOperation\":0.5"),
        object(",\"onlineOperation\":\"\\ud800\""),
        object(&format!(",\"onlineOperation\":{deep}")),
        object(",\"onlineOperation\":{}"),
        object(",\"colour\":1"),
        "[1]".to_owned(),
        object(",\"onlineOperation\":null"),
        object(",\"onlineOperation\":1"),
        object(",\"onlineOperation\":true,\"validFrom\":20261122"),
        "{".to_owned(),
        format!("{{\"holderName\":\"{}\"}}", "a".repeat(70_000)),
        object(",\"onlineOperation\":true"),
    ];
    let judged = judge(lines.join("\n"));
    let expected = [
        "ok",
        "row 2: duplicate member name",
        "row 3: onlineOperation: \"0.5\" is not an integer from 0 to 9007199254740991",
        "row 4: ",
        "row 5: nesting too deep",
        "row 6: onlineOperation: object where text, integer or boolean is needed",
        "row 7: colour: the type has no such field",
        "row 8: array where an object is needed",
        "ok",
        "row 10: onlineOperation: integer where boolean is needed",
        "row 11: validFrom: integer where text is needed",
        "row 12: unexpected end",
        "row 13: more than 65536 bytes",
        "ok",
    ];
    assert_eq!(judged.len(), expected.len());
    for (actual, expected) in judged.iter().zip(expected) {
        assert!(
            actual.starts_with(expected) && actual != "row 4: ",
            "{actual} / {expected}"
        );
    }
}

#[test]
fn refuses_arrays_as_a_whole_and_elements_one_by_one() {
    let array = format!("[{}, 7, {{}}, {}]", object(""), object(""));
    let judged = judge(array);
    assert_eq!(judged[0], "ok");
    assert_eq!(judged[1], "row 2: number where an object is needed");
    assert!(
        judged[2].starts_with("row 3: holderCode: missing; holderName: missing"),
        "{}",
        judged[2]
    );
    assert_eq!(judged[3], "ok");
    for text in ["[", "[1,]", "[{\"a\":1,\"a\":2}]", "[] []"] {
        assert!(
            matches!(read(text).unwrap_err(), IntakeError::Json(_)),
            "{text}"
        );
    }
    let long = format!("[{}]", " ".repeat(5 << 20));
    assert!(matches!(
        read(long).unwrap_err(),
        IntakeError::JsonTooLong { .. }
    ));
}

#[test]
fn refuses_bytes_that_are_no_text() {
    assert_eq!(
        fatal(b"\xff\xfeh\0o\0".as_slice()),
        "the batch is utf-16: save it as utf-8 or gb18030"
    );
    assert_eq!(
        fatal(b"holderName\xff\n".as_slice()),
        "header: the batch cannot be read further: bytes at 10 are neither utf-8 nor gb18030"
    );
    let mut bytes = GB18030
        .encode(&format!("{HEADER}\n{GOOD}\n"))
        .0
        .into_owned();
    bytes.extend_from_slice(b"\x80\xff\n");
    let (encoding, rows) = read(bytes).unwrap();
    assert_eq!(encoding, Encoding::Gb18030);
    // Nothing after bytes that cannot be read is made up.
    let last = rows.last().unwrap().as_ref().unwrap_err();
    assert!(matches!(last.faults[0].problem, Problem::Read(_)), "{last}");
}

#[test]
fn tells_encodings_apart() {
    let text = format!("{HEADER}\r\n{GOOD}\r\n");
    let bom = format!("\u{feff}{text}");
    let gbk = GB18030.encode(&text).0.into_owned();
    for (bytes, expected) in [
        (text.into_bytes(), Encoding::Utf8),
        (bom.into_bytes(), Encoding::Utf8Bom),
        (gbk, Encoding::Gb18030),
    ] {
        assert_eq!(read(bytes.clone()).unwrap().0, expected);
        assert_eq!(judge(bytes), ["ok"], "{expected}");
    }
}

#[test]
fn rare_hanzi_survive_gb18030() {
    let name = "福州㐂𠮷示範餐館";
    let text = format!("{HEADER}\n{}\n", GOOD.replace("常州示例食品有限公司", name));
    let (_, rows) = read(GB18030.encode(&text).0.into_owned()).unwrap();
    let row = rows[0].as_ref().unwrap();
    assert_eq!(row.cells["holderName"], Cell::Text(name.to_owned()));
}

#[test]
fn any_number_of_rows_streams_through() {
    /// A header and then the same row without end, up to a length; never in memory as a whole.
    struct Endless {
        at: u64,
        length: u64,
        row: Vec<u8>,
    }
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let head = HEADER.len() as u64 + 1;
            let mut filled = 0;
            while filled < buffer.len() && self.at < self.length {
                buffer[filled] = match self.at {
                    at if at < head - 1 => HEADER.as_bytes()[usize::try_from(at).unwrap()],
                    at if at == head - 1 => b'\n',
                    at => self.row[usize::try_from(at - head).unwrap() % self.row.len()],
                };
                filled += 1;
                self.at += 1;
            }
            Ok(filled)
        }
    }
    impl Seek for Endless {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            let SeekFrom::Start(at) = to else {
                return Ok(self.at);
            };
            self.at = at;
            Ok(at)
        }
    }
    let row = format!("{GOOD}\n").into_bytes();
    let length = HEADER.len() as u64 + 1 + 200_000 * row.len() as u64;
    let batch = open(Endless { at: 0, length, row }, &catalogue(), None).unwrap();
    assert_eq!(batch.filter(Result::is_ok).count(), 200_000);
}

/// Texts that office workers and attackers write.
fn cells() -> impl Strategy<Value = Vec<String>> {
    let cell = prop_oneof![
        "[a-z0-9,\" ]{0,12}",
        "\\PC{0,12}",
        "[\\x00-\\x7f]{0,12}",
        "[一-龥㐀-䶵]{1,12}",
    ];
    prop::collection::vec(cell, 7)
}

fn csv_text(rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER.split(',')).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_csv_writes_is_read_back(rows in prop::collection::vec(cells(), 0..6)) {
        let (_, read) = read(csv_text(&rows)).unwrap();
        prop_assert_eq!(read.len(), rows.len());
        for (row, cells) in read.into_iter().zip(&rows) {
            let row = row.unwrap();
            for (name, text) in HEADER.split(',').zip(cells) {
                let cell = row.cells.get(name).cloned();
                let expected = (!text.is_empty()).then(|| Cell::Text(text.clone()));
                prop_assert_eq!(cell, expected);
            }
        }
    }

    #[test]
    fn bad_rows_leave_good_ones_unharmed(rows in prop::collection::vec(cells(), 0..5)) {
        let good: Vec<String> = GOOD.split(',').map(str::to_owned).collect();
        let mut all = vec![good.clone()];
        for row in rows {
            all.push(row);
            all.push(good.clone());
        }
        let judged = judge(csv_text(&all));
        prop_assert_eq!(judged.len(), all.len());
        for text in judged.iter().step_by(2) {
            prop_assert_eq!(text, "ok");
        }
    }

    #[test]
    fn encodings_read_alike(rows in prop::collection::vec(cells(), 1..4)) {
        let bytes = csv_text(&rows);
        let text = String::from_utf8(bytes.clone()).unwrap();
        let (encoded, _, lossy) = GB18030.encode(&text);
        prop_assume!(!lossy && std::str::from_utf8(&encoded).is_err());
        // Bytes of both encodings mean the same rows wherever GB18030 has the characters.
        let (decoded, lossy) = GB18030.decode_without_bom_handling(&encoded);
        prop_assume!(!lossy && decoded == text);
        let (encoding, other) = read(encoded.into_owned()).unwrap();
        prop_assert_eq!(encoding, Encoding::Gb18030);
        prop_assert_eq!(other, read(bytes).unwrap().1);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), head in 0..4) {
        let head: &[u8] = match head {
            0 => b"",
            1 => b"holderName,holderCode\n",
            2 => b"[{",
            _ => b"{\"holderName\":",
        };
        let _ = read([head, &bytes].concat()).map(|(_, rows)| {
            for row in rows.into_iter().flatten() {
                let _ = check(&row, &catalogue(), &defaults());
            }
        });
    }
}
