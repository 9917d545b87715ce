//! Values that the name of a field suggests.

use zhao_spec::wire::Date;

use super::people::{Enterprise, Person, address, person_name};
use super::regions::Region;
use super::{Draw, Holder};

/// What a row is about already.
pub(super) struct Scene<'a> {
    pub(super) holder: &'a Holder,
    pub(super) issued: Date,
    /// Another enterprise of the same population: an employer.
    pub(super) other: &'a Enterprise,
    pub(super) seed: u64,
}

impl Scene<'_> {
    fn region(&self) -> Region {
        match self.holder {
            Holder::Enterprise(enterprise) => enterprise.region,
            Holder::Person(person) => person.region,
        }
    }

    fn enterprise(&self) -> Option<&Enterprise> {
        match self.holder {
            Holder::Enterprise(enterprise) => Some(enterprise),
            Holder::Person(_) => None,
        }
    }

    fn person(&self) -> Option<&Person> {
        match self.holder {
            Holder::Enterprise(_) => None,
            Holder::Person(person) => Some(person),
        }
    }
}

/// The value for a field of this name; none: its kind decides.
pub(super) fn by_name(name: &str, scene: &Scene<'_>, draw: &mut Draw) -> Option<String> {
    let city = scene.region().city;
    Some(match name {
        "address" => scene.enterprise()?.address.clone(),
        "areaSquareCentimetres" => (400_000 + draw.below(2_000_000)).to_string(),
        "birthDate" => scene.person()?.code.birth_date().to_string(),
        "birthPlace" | "institution" => format!("{city}示例妇幼保健院"),
        "businessScope" => {
            let goods = draw.pick(&["食品", "日用百货", "机械设备", "纺织品", "图书", "农产品"]);
            let more = draw.pick(&["仓储服务", "技术咨询", "进出口业务", "会议服务", "住房租赁"]);
            format!("一般项目：{goods}销售；{more}。（依法须经批准的项目除外）")
        }
        "componentCount" => return None,
        "components" => "食品经营许可；公众聚集场所投入使用、营业前消防安全检查".to_owned(),
        "content" => "经研究，原则同意该示例项目。请按规定办理后续手续。".to_owned(),
        "enterpriseCode" => scene.other.code.as_str().to_owned(),
        "enterpriseName" => scene.other.name.clone(),
        "establishedDate" | "firstIssuedDate" => draw.day_before(scene.issued, 3650).to_string(),
        "fatherName" => person_name(draw),
        "location" | "premises" => address(scene.region(), draw),
        "matterName" => format!("企业投资项目{}", draw.pick(&["核准", "备案", "节能审查"])),
        "motherCode" => Person::new(scene.seed, draw.below(10_000))
            .code
            .as_str()
            .to_owned(),
        "motherName" => person_name(draw),
        "operationItems" => {
            let items = [
                "预包装食品销售",
                "散装食品销售",
                "热食类食品制售",
                "冷食类食品制售",
            ];
            format!("{}；{}", items[0], draw.pick(&items[1..]))
        }
        "organisationType" => match scene.enterprise()?.code.department_and_category() {
            "92" => "individual",
            "93" => "cooperative",
            _ => "enterprise",
        }
        .to_owned(),
        "otherRights" => format!("房屋结构：{}", draw.pick(&["钢混", "混合", "砖木"])),
        "projectCode" => format!(
            "{}-{}-04-01-{}",
            scene.issued.year(),
            scene.region().code,
            draw.digits(6)
        ),
        "projectName" => {
            let what = draw.pick(&["厂房", "冷链仓库", "充电站", "污水处理站", "文化中心"]);
            format!("{city}示例{what}建设项目")
        }
        "registeredCapital" => (10 * (1 + draw.below(500))).to_string(),
        "registrationAuthority" | "supervisor" => format!("{city}示例市场监督管理局"),
        "representative" => scene.enterprise()?.representative.clone(),
        "rightType" => "国有建设用地使用权/房屋所有权".to_owned(),
        "sex" => scene.person()?.sex().to_owned(),
        "unitNumber" => format!(
            "{}{}GB{}F{}",
            scene.region().code,
            draw.digits(6),
            draw.digits(5),
            draw.digits(8)
        ),
        "use" => draw.pick(&["住宅", "商业", "办公", "工业"]).to_string(),
        "vehicleCount" => (1 + draw.below(80)).to_string(),
        "weightGrams" => (2500 + draw.below(1800)).to_string(),
        _ => return None,
    })
}
