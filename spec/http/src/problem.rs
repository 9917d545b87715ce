//! Why a request was not done: RFC 9457 problems, each member of prose in English and in Chinese.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What all type URIs begin with; the rest is a [`Kind`]'s name.
pub const TYPES: &str = "https://zhao.example/problems/";
/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The kinds of problems. Names and status codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The request is not what the route takes.
    Malformed,
    /// No key, or one that is unknown, expired or revoked. Which of them is not said.
    Unauthenticated,
    /// The key has not the scope.
    Forbidden,
    /// Nothing is there.
    NotFound,
    /// No edition of the map that is kept has this page: begin again at the newest one.
    EditionGone,
    /// The route has not this method.
    Method,
    /// None of the forms asked for can be given.
    NotAcceptable,
    /// The body did not arrive in time.
    Timeout,
    /// Somebody else was faster: read again, then decide again.
    Conflict,
    /// The licence is not as `If-Match` says.
    Precondition,
    /// The body is longer than the route takes.
    TooLarge,
    /// The body is of another media type than the route takes.
    MediaType,
    /// A rule refuses; `code` says which.
    Refused,
    /// Too many requests, or the ledger's queue is full: `Retry-After` says when.
    Busy,
    /// A fault of the server.
    Internal,
    /// The server is stopping, or its ledger cannot be asked.
    Unavailable,
}

/// Every kind, by status.
pub const KINDS: [Kind; 16] = [
    Kind::Malformed,
    Kind::Unauthenticated,
    Kind::Forbidden,
    Kind::NotFound,
    Kind::EditionGone,
    Kind::Method,
    Kind::NotAcceptable,
    Kind::Timeout,
    Kind::Conflict,
    Kind::Precondition,
    Kind::TooLarge,
    Kind::MediaType,
    Kind::Refused,
    Kind::Busy,
    Kind::Internal,
    Kind::Unavailable,
];

impl Kind {
    /// Name, status, title in English, title in Chinese.
    const fn row(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::Malformed => ("malformed", 400, "Malformed request", "请求格式有误"),
            Self::Unauthenticated => ("unauthenticated", 401, "No valid key", "缺少有效密钥"),
            Self::Forbidden => (
                "forbidden",
                403,
                "Not within the key's scopes",
                "超出密钥权限",
            ),
            Self::NotFound => ("not-found", 404, "Not found", "未找到"),
            Self::EditionGone => (
                "edition-gone",
                404,
                "No kept edition has it",
                "所保留的各版中均无此页",
            ),
            Self::Method => ("method", 405, "Method not allowed", "不支持该方法"),
            Self::NotAcceptable => (
                "not-acceptable",
                406,
                "Not acceptable",
                "无法提供所要的格式",
            ),
            Self::Timeout => ("timeout", 408, "Request too slow", "请求过慢"),
            Self::Conflict => ("conflict", 409, "Changed meanwhile", "期间已有变动"),
            Self::Precondition => (
                "precondition",
                412,
                "Not the state expected",
                "状态与预期不符",
            ),
            Self::TooLarge => ("too-large", 413, "Too large", "内容过大"),
            Self::MediaType => (
                "media-type",
                415,
                "Unsupported media type",
                "不支持该内容类型",
            ),
            Self::Refused => ("refused", 422, "Refused by a rule", "按规则拒绝"),
            Self::Busy => ("busy", 429, "Too busy", "过于繁忙"),
            Self::Internal => ("internal", 500, "Fault of the server", "服务器故障"),
            Self::Unavailable => ("unavailable", 503, "Not available now", "暂不可用"),
        }
    }

    /// The last part of the type URI.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status code.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// The type URI.
    #[must_use]
    pub fn uri(self) -> String {
        format!("{TYPES}{}", self.name())
    }

    /// The kind with this type URI.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        let name = uri.strip_prefix(TYPES)?;
        KINDS.into_iter().find(|kind| kind.name() == name)
    }
}

/// One thing that is wrong with a row.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// Stable code.
    pub code: String,
    /// In English. Names the field, if it is about one.
    pub text: String,
    /// In Chinese.
    pub text_zh: String,
}

/// A problem (RFC 9457). `title` and `detail` are English, `title_zh` and `detail_zh` Chinese: both
/// always, whatever `Accept-Language` says, so that whoever reads a log of problems can read it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Stable URI of the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in English.
    pub title: String,
    /// The kind in Chinese.
    pub title_zh: String,
    /// The HTTP status code.
    pub status: u16,
    /// What is wrong this time, in English.
    pub detail: String,
    /// What is wrong this time, in Chinese.
    pub detail_zh: String,
    /// `urn:request:` and the request's id, as in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Stable code of the rule that refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Everything that is wrong with a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

impl Problem {
    /// A problem of `kind`, its detail in both languages.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>, detail_zh: impl Into<String>) -> Self {
        let (_, status, title, title_zh) = kind.row();
        Self {
            kind: kind.uri(),
            title: title.to_owned(),
            title_zh: title_zh.to_owned(),
            status,
            detail: detail.into(),
            detail_zh: detail_zh.into(),
            instance: None,
            code: None,
            faults: Vec::new(),
        }
    }

    /// The same with the rule's code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.title, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_pinned() {
        let table: Vec<String> = KINDS
            .iter()
            .map(|kind| format!("{} {}", kind.status(), kind.name()))
            .collect();
        let expected = [
            "400 malformed",
            "401 unauthenticated",
            "403 forbidden",
            "404 not-found",
            "404 edition-gone",
            "405 method",
            "406 not-acceptable",
            "408 timeout",
            "409 conflict",
            "412 precondition",
            "413 too-large",
            "415 media-type",
            "422 refused",
            "429 busy",
            "500 internal",
            "503 unavailable",
        ];
        assert_eq!(table, expected);
        for kind in KINDS {
            assert_eq!(Kind::of_uri(&kind.uri()), Some(kind));
        }
        assert_eq!(Kind::of_uri("https://zhao.example/problems/other"), None);
        assert_eq!(Kind::of_uri("malformed"), None);
    }

    #[test]
    fn a_problem_says_the_same_in_both_languages_and_nothing_more() {
        let problem = Problem::new(Kind::NotFound, "no licence", "没有该证照");
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(
            text,
            "{\"type\":\"https://zhao.example/problems/not-found\",\"title\":\"Not found\",\
             \"title_zh\":\"未找到\",\"status\":404,\"detail\":\"no licence\",\
             \"detail_zh\":\"没有该证照\"}"
        );
        let back: Problem = serde_json::from_str(&text).unwrap();
        assert_eq!(back, problem);
    }
}
