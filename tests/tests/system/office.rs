//! An office of a test's own, copied from one that is made once a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::UNIX_EPOCH;

use serde_json::Value;
use tempfile::TempDir;
use zeroize::Zeroizing;
use zhao_issuer::keys::{Keyring, WorkFactor};
use zhao_spec::wire::{Date, UnixMillis};

use crate::program::{
    Judged, PASSPHRASE, Ran, command, finish, judge, listing, read, refuses, same, strings, zhao,
};

/// Code of the unit that `zhao init` makes.
pub(crate) const UNIT: &str = "11320400DEM000014W";
/// Name of the log.
pub(crate) const ORIGIN: &str = "zhao.example/320400";
/// Where the policy of every office is, from the directory commands run in.
pub(crate) const POLICY: &str = "office/policy.txt";

/// A directory with `office` and `office-admin` in it. Commands run in that directory.
#[derive(Debug)]
pub(crate) struct Office {
    root: TempDir,
    /// The office all are copies of stays as long as one of them does.
    _template: Option<Arc<Office>>,
}

/// A finished credential: its file, from the directory commands run in.
pub(crate) type Credential = String;

impl Office {
    /// An office as `zhao init` makes it.
    pub(crate) fn new() -> Self {
        static TEMPLATE: Mutex<Weak<Office>> = Mutex::new(Weak::new());
        let mut weak = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
        let template = weak.upgrade().unwrap_or_else(|| {
            let made = Arc::new(Self::make());
            *weak = Arc::downgrade(&made);
            made
        });
        drop(weak);
        let copy = Self {
            root: folder(),
            _template: Some(Arc::clone(&template)),
        };
        for name in ["office", "office-admin"] {
            copy_dir(&template.path(name), &copy.path(name));
        }
        copy
    }

    fn make() -> Self {
        let office = Self {
            root: folder(),
            _template: None,
        };
        office.zhao(&["init", "office"]).code(0);
        // The default of a second a command is for real passphrases.
        for name in ["office/keys", "office-admin"] {
            let passphrase = Zeroizing::new(PASSPHRASE.to_owned());
            let keyring = Keyring::open(&office.path(name), &passphrase).unwrap();
            keyring
                .change_passphrase(&passphrase, WorkFactor::new(2).unwrap())
                .unwrap();
        }
        office
    }

    /// The directory commands run in.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// A path from that directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Writes a file there.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// The text of a file there.
    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(read(&self.path(name))).unwrap()
    }

    /// The JSON of a file there.
    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    /// Runs `zhao`.
    pub(crate) fn zhao(&self, arguments: &[&str]) -> Ran {
        zhao(self.root(), arguments)
    }

    /// Issues a batch; the credentials in order of its rows.
    #[track_caller]
    pub(crate) fn issue(&self, batch: &str, text: &str) -> Vec<Credential> {
        self.write(batch, text);
        let output = format!("{batch}.out");
        self.zhao(&["issue", "office", "--from", batch, "-o", &output])
            .code(0);
        self.report(&output)
            .into_iter()
            .map(|row| format!("{output}/{}", row.file))
            .collect()
    }

    /// Issues one licence from a CSV row.
    #[track_caller]
    pub(crate) fn issue_one(&self, row: &Row) -> Credential {
        let [credential] = self
            .issue(&format!("{}.csv", row.name()), &csv(&[row]))
            .try_into()
            .expect("one row, one credential");
        credential
    }

    /// The report of a batch.
    pub(crate) fn report(&self, output: &str) -> Vec<Reported> {
        let text = self.text(&format!("{output}/report.csv"));
        text.lines().skip(1).map(Reported::parse).collect()
    }

    /// Writes the dossier of a credential and judges it with both programs.
    #[track_caller]
    pub(crate) fn standing(&self, credential: &str) -> Judged {
        self.standing_at(credential, &[])
    }

    /// As [`Office::standing`], with more arguments for the verifiers.
    #[track_caller]
    pub(crate) fn standing_at(&self, credential: &str, more: &[&str]) -> Judged {
        self.zhao(&["dossier", "office", credential, "-o", "dossier.json"])
            .code(0);
        self.judge("dossier.json", more)
    }

    /// Judges a file with both programs and the office's own policy.
    #[track_caller]
    pub(crate) fn judge(&self, file: &str, more: &[&str]) -> Judged {
        judge(self.root(), file, POLICY, more)
    }

    /// What `zhao fsck` says: clean, and of which size.
    #[track_caller]
    pub(crate) fn size(&self) -> u64 {
        let ran = self.zhao(&["fsck", "office", "--json"]).code(0);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(value["clean"], true, "{value}");
        value["size"].as_u64().unwrap()
    }

    /// Runs `arguments`, which must be refused in both languages and change nothing: not even the
    /// log, whose newest head is one of the files.
    #[track_caller]
    pub(crate) fn refuses(&self, arguments: &[&str], code: i32, said: &[&str]) {
        let before = listing(self.root());
        refuses(self.root(), arguments, code, said);
        same(&format!("{arguments:?}"), &before, &listing(self.root()));
    }

    /// The audit, with all of `seen`.
    #[track_caller]
    pub(crate) fn audit(&self, seen: &[&str]) -> Value {
        let mut arguments = vec!["audit", "office", "--policy", POLICY, "--json"];
        if !seen.is_empty() {
            arguments.push("--seen");
            arguments.extend(seen);
        }
        let ran = self.zhao(&arguments).code(0);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(strings(&value["agree"]), seen);
        assert!(!self.path("evidence.json").exists());
        value
    }

    /// Names of the files there that end in `end`.
    pub(crate) fn names(&self, end: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(end)).collect();
        names.sort();
        names
    }

    /// Today in China, as the machine's file system has it.
    pub(crate) fn today(&self) -> Date {
        self.now().beijing_date()
    }

    /// The time of a file written now.
    pub(crate) fn now(&self) -> UnixMillis {
        self.write(".now", b"");
        let modified = fs::metadata(self.path(".now")).unwrap().modified().unwrap();
        let since = modified.duration_since(UNIX_EPOCH).unwrap();
        UnixMillis(u64::try_from(since.as_millis()).unwrap())
    }

    /// Runs `zhao` with another environment variable set.
    pub(crate) fn with_env(&self, name: &str, value: &str, arguments: &[&str]) -> Ran {
        finish(command(self.root(), arguments).env(name, value))
    }
}

/// One line of a report.
#[derive(Clone, Debug)]
pub(crate) struct Reported {
    pub(crate) row: u64,
    pub(crate) status: String,
    pub(crate) code: String,
    pub(crate) english: String,
    pub(crate) chinese: String,
    pub(crate) file: String,
}

impl Reported {
    fn parse(line: &str) -> Self {
        let cells = cells(line);
        let [row, status, code, english, chinese, _, file] = cells.as_slice() else {
            panic!("not seven cells: {line}")
        };
        Self {
            row: row.parse().unwrap(),
            status: status.clone(),
            code: code.clone(),
            english: english.clone(),
            chinese: chinese.clone(),
            file: file.clone(),
        }
    }
}

/// The cells of one line of CSV.
pub(crate) fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

/// A row of a batch: columns and values.
#[derive(Clone, Debug)]
pub(crate) struct Row(Vec<(String, String)>);

impl Row {
    /// A row with these cells.
    pub(crate) fn new(cells: &[(&str, &str)]) -> Self {
        Self(
            cells
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
        )
    }

    /// The same row with one more or another cell.
    pub(crate) fn with(&self, column: &str, value: &str) -> Self {
        let mut row = self.clone();
        row.0.retain(|(name, _)| name != column);
        row.0.push((column.into(), value.into()));
        row
    }

    /// The type's slug.
    pub(crate) fn name(&self) -> &str {
        &self
            .0
            .iter()
            .find(|(name, _)| name == "type")
            .expect("a type")
            .1
    }

    /// A food operation licence, from today on for five years.
    pub(crate) fn food() -> Self {
        Self::new(&[
            ("type", "food-operation"),
            ("holderName", "福州示例宏源物流有限公司"),
            ("holderCode", "91350102DEM0000U10"),
            ("holderCodeType", "001"),
            ("representative", "王示例婷"),
            ("premises", "福建省福州市鼓楼区示例东巷60号4层407室"),
            ("businessForm", "retail"),
            ("operationItems", "预包装食品销售；热食类食品制售"),
            ("supervisor", "福州示例市场监督管理局"),
        ])
    }

    /// A certificate of real estate title without end.
    pub(crate) fn title() -> Self {
        Self::new(&[
            ("type", "real-estate-title"),
            ("holderName", "袁示例磊"),
            ("holderCode", "610113190002272618"),
            ("holderCodeType", "111"),
            ("validUntil", "长期"),
            ("unitNumber", "610113054682GB53941F12441164"),
            ("location", "陕西省西安市雁塔区示例四街728号9层917室"),
            ("coOwnership", "single"),
            ("rightType", "国有建设用地使用权/房屋所有权"),
            ("use", "住宅"),
            ("areaSquareCentimetres", "662618"),
            ("otherRights", "房屋结构：砖木"),
        ])
    }

    /// A road transport licence, whose inspections count.
    pub(crate) fn road() -> Self {
        Self::new(&[
            ("type", "road-transport-operation"),
            ("holderName", "济南示例晨庭机械制造有限公司"),
            ("holderCode", "91370102DEM00025XK"),
            ("holderCodeType", "001"),
            ("representative", "陈示例芳"),
            ("address", "山东省济南市历下区示例四路31号16层1601室"),
            ("transportScope", "container"),
            ("vehicleCount", "12"),
        ])
    }

    /// A composite permit, whose inspections are a notice.
    pub(crate) fn permit() -> Self {
        Self::new(&[
            ("type", "composite-permit"),
            ("holderName", "南宁示例华升餐馆"),
            ("holderCode", "92450103DEM0000N46"),
            ("holderCodeType", "001"),
            ("industry", "restaurant"),
            (
                "premises",
                "广西壮族自治区南宁市青秀区示例北路269号19层1919室",
            ),
            (
                "components",
                "食品经营许可；公众聚集场所投入使用、营业前消防安全检查",
            ),
            ("componentCount", "68"),
        ])
    }

    /// A business licence to a chosen date.
    pub(crate) fn business(until: &str) -> Self {
        Self::new(&[
            ("type", "business-licence"),
            ("holderName", "济南示例泽桥科技有限公司"),
            ("holderCode", "91370102DEM000006U"),
            ("holderCodeType", "001"),
            ("validUntil", until),
            ("organisationType", "enterprise"),
            ("representative", "刘示例磊"),
            ("registeredCapital", "2300"),
            ("establishedDate", "2017-08-07"),
            ("address", "山东省济南市历下区示例四巷355号27层2708室"),
            ("businessScope", "一般项目：食品销售；住房租赁。"),
            ("registrationAuthority", "济南示例市场监督管理局"),
        ])
    }
}

/// Rows as CSV, under the columns of all of them.
pub(crate) fn csv(rows: &[&Row]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.0) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let mut text = columns.join(",");
    for row in rows {
        let cell = |column: &&str| {
            let found = row.0.iter().find(|(name, _)| name == column);
            found.map_or(String::new(), |(_, value)| quoted(value))
        };
        text.push('\n');
        text.push_str(&columns.iter().map(cell).collect::<Vec<_>>().join(","));
    }
    text.push('\n');
    text
}

fn quoted(value: &str) -> String {
    if value.contains([',', '"', '\n']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

/// A directory that goes when it is dropped.
pub(crate) fn folder() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("the target directory is ours")
}

/// Copies a directory with everything in it.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
