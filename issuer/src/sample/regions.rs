//! Some districts and counties with their codes (GB/T 2260): real ones, far apart.

/// One district or county.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// The city or county in a name: 常州.
    pub(super) city: &'static str,
    /// Six digits.
    pub(super) code: &'static str,
    /// As an address begins: 江苏省常州市天宁区.
    pub(super) full: &'static str,
}

const fn region(code: &'static str, full: &'static str, city: &'static str) -> Region {
    Region { city, code, full }
}

pub(super) const REGIONS: [Region; 26] = [
    region("110105", "北京市朝阳区", "北京"),
    region("140522", "山西省晋城市阳城县", "阳城县"),
    region("150102", "内蒙古自治区呼和浩特市新城区", "呼和浩特"),
    region("230102", "黑龙江省哈尔滨市道里区", "哈尔滨"),
    region("310115", "上海市浦东新区", "上海"),
    region("320402", "江苏省常州市天宁区", "常州"),
    region("320404", "江苏省常州市钟楼区", "常州"),
    region("320411", "江苏省常州市新北区", "常州"),
    region("320412", "江苏省常州市武进区", "常州"),
    region("330106", "浙江省杭州市西湖区", "杭州"),
    region("350102", "福建省福州市鼓楼区", "福州"),
    region("350203", "福建省厦门市思明区", "厦门"),
    region("350502", "福建省泉州市鲤城区", "泉州"),
    region("370102", "山东省济南市历下区", "济南"),
    region("420602", "湖北省襄阳市襄城区", "襄阳"),
    region("420606", "湖北省襄阳市樊城区", "襄阳"),
    region("420607", "湖北省襄阳市襄州区", "襄阳"),
    region("430102", "湖南省长沙市芙蓉区", "长沙"),
    region("440305", "广东省深圳市南山区", "深圳"),
    region("450103", "广西壮族自治区南宁市青秀区", "南宁"),
    region("500103", "重庆市渝中区", "重庆"),
    region("510104", "四川省成都市锦江区", "成都"),
    region("530102", "云南省昆明市五华区", "昆明"),
    region("540102", "西藏自治区拉萨市城关区", "拉萨"),
    region("610113", "陕西省西安市雁塔区", "西安"),
    region("650102", "新疆维吾尔自治区乌鲁木齐市天山区", "乌鲁木齐"),
];
