//! Invented enterprises and people. Each is the same whatever licence asks for it.

use zhao_spec::id::{CitizenId, Uscc};

use super::Draw;
use super::regions::{REGIONS, Region};

/// GB 32100: the characters of codes.
const CODE: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// 31^4: how many organisation numbers begin with DEM0.
const NUMBERS: u64 = 923_521;

const BRAND_FIRST: [&str; 24] = [
    "云", "禾", "晨", "锦", "瑞", "泽", "安", "嘉", "恒", "润", "和", "丰", "盛", "宏", "景", "华",
    "启", "融", "佳", "森", "源", "正", "同", "顺",
];
const BRAND_SECOND: [&str; 24] = [
    "禾", "川", "泰", "达", "康", "悦", "林", "源", "海", "味", "园", "舟", "诚", "邦", "江", "辉",
    "信", "宁", "升", "航", "庭", "桥", "星", "谷",
];
const TRADES: [&str; 14] = [
    "食品",
    "餐饮管理",
    "物流",
    "运输",
    "建设工程",
    "科技",
    "商贸",
    "医药",
    "文化传媒",
    "机械制造",
    "新能源",
    "纺织",
    "环保",
    "图书",
];
const SHOPS: [&str; 8] = [
    "餐馆",
    "小吃店",
    "药店",
    "书店",
    "便利店",
    "理发店",
    "五金商行",
    "水果店",
];
const CROPS: [&str; 6] = ["种植", "水产养殖", "茶叶", "果蔬", "农机服务", "粮食"];
const SURNAMES: [&str; 40] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "林",
    "郭", "何", "高", "罗", "郑", "梁", "谢", "宋", "唐", "许", "邓", "冯", "韩", "曹", "曾", "彭",
    "萧", "蔡", "潘", "田", "董", "袁", "欧阳", "司徒",
];
const GIVEN: [&str; 40] = [
    "", "安", "波", "晨", "丹", "恩", "芳", "刚", "航", "慧", "佳", "凯", "蓝", "敏", "宁", "鹏",
    "琪", "然", "珊", "涛", "薇", "雪", "阳", "哲", "琳", "峰", "洁", "磊", "娜", "平", "倩", "瑞",
    "婷", "伟", "霞", "艳", "泽", "喆", "堃", "昉",
];

/// An invented organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enterprise {
    /// Its address.
    pub address: String,
    /// Its code.
    pub code: Uscc,
    /// Its name.
    pub name: String,
    pub(super) region: Region,
    /// Its representative, or owner.
    pub representative: String,
}

/// An invented person.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The number.
    pub code: CitizenId,
    /// The name.
    pub name: String,
    pub(super) region: Region,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({})", self.code)
    }
}

impl Enterprise {
    /// Enterprise `at` of the population of a seed. No two below 923,521 have the same code.
    #[must_use]
    pub fn new(seed: u64, at: u64) -> Self {
        let mut draw = Draw::new(seed, "enterprise", at);
        let region = *draw.pick(&REGIONS);
        let kind = draw.below(10);
        let brand = format!("{}{}", draw.pick(&BRAND_FIRST), draw.pick(&BRAND_SECOND));
        let city = region.city;
        let (head, name) = match kind {
            0 | 1 => ("92", format!("{city}示例{brand}{}", draw.pick(&SHOPS))),
            2 => (
                "93",
                format!("{city}示例{brand}{}专业合作社", draw.pick(&CROPS)),
            ),
            _ => (
                "91",
                format!("{city}示例{brand}{}有限公司", draw.pick(&TRADES)),
            ),
        };
        let head = format!("{head}{}", region.code);
        let organisation = format!("DEM0{}", base31(at % NUMBERS));
        let code = Uscc::with_checks(&head, &organisation)
            .expect("department, category, region and number are of the standard's characters");
        Self {
            address: address(region, &mut draw),
            code,
            name,
            region,
            representative: person_name(&mut draw),
        }
    }
}

impl Person {
    /// Person `at` of the population of a seed, born in 1900.
    #[must_use]
    pub fn new(seed: u64, at: u64) -> Self {
        let mut draw = Draw::new(seed, "person", at);
        let region = *draw.pick(&REGIONS);
        // 28 days a month, so that every one exists.
        let (month, day) = (1 + draw.below(12), 1 + draw.below(28));
        let sequence = draw.below(1000);
        let body = format!("{}1900{month:02}{day:02}{sequence:03}", region.code);
        let code = CitizenId::with_check(&body).expect("the date exists, the rest is digits");
        Self {
            code,
            name: person_name(&mut draw),
            region,
        }
    }

    /// 1 male, 2 female: the parity of position 17 (GB 11643 §4.2.3).
    pub(super) fn sex(&self) -> &'static str {
        match self.code.as_str().as_bytes().get(16) {
            Some(digit) if digit % 2 == 1 => "1",
            _ => "2",
        }
    }
}

fn base31(mut number: u64) -> String {
    let mut digits = ['0'; 4];
    for digit in digits.iter_mut().rev() {
        let value = usize::try_from(number % 31).unwrap_or(0);
        *digit = char::from(CODE[value]);
        number /= 31;
    }
    digits.iter().collect()
}

pub(super) fn person_name(draw: &mut Draw) -> String {
    format!("{}示例{}", draw.pick(&SURNAMES), draw.pick(&GIVEN))
}

pub(super) fn address(region: Region, draw: &mut Draw) -> String {
    let (road, number) = (draw.pick(&["路", "大道", "街", "巷"]), 1 + draw.below(999));
    let which = draw.pick(&["东", "西", "南", "北", "一", "二", "三", "四"]);
    let floor = draw.below(30) + 1;
    let room = draw.below(20) + 1;
    format!(
        "{}示例{which}{road}{number}号{floor}层{floor}{room:02}室",
        region.full
    )
}
