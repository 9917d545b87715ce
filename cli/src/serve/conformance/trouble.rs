//! What is wrong with what came, as `ProblemDetails` of the Recommendations name it.

use axum::http::StatusCode;
use axum::response::Response;
use zhao_http::MEDIA_TYPE;
use zhao_spec::wire::foreign::Foreign;

use super::NOTICE;
use super::json::{number, object, respond, set, text};

/// Of which kind the trouble is: each has the URL that a Recommendation gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Not JSON, or JSON that two readers could understand differently.
    Parsing,
    /// A member that breaks a rule of the data model.
    Malformed,
    /// An index outside its list, a time outside its period.
    Range,
    /// A signature that does not hold, or by another than it must be.
    Cryptography,
    /// A proof that cannot be checked.
    ProofVerification,
    /// Terms that no context defines.
    DataLoss,
    /// A proof for another domain.
    Domain,
    /// A proof for another challenge.
    Challenge,
    /// A status list that is not kept here.
    StatusRetrieval,
    /// A status entry or list that contradicts itself.
    StatusVerification,
    /// A status list that is shorter or longer than it may be.
    StatusLength,
    /// The credential is revoked or suspended. No Recommendation has a URL for it.
    Status,
    /// No such credential.
    Absent,
    /// A list has no entry left.
    Full,
}

impl What {
    /// URL, status code, title in English, title in Chinese.
    const fn row(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::Parsing => (
                "https://www.w3.org/TR/vc-data-model#PARSING_ERROR",
                400,
                "Not readable",
                "无法读取",
            ),
            Self::Malformed => (
                "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR",
                400,
                "Malformed value",
                "取值不合规范",
            ),
            Self::Range => (
                "https://www.w3.org/TR/vc-data-model#RANGE_ERROR",
                400,
                "Out of range",
                "超出范围",
            ),
            Self::Cryptography => (
                "https://www.w3.org/TR/vc-data-model#CRYPTOGRAPHIC_SECURITY_ERROR",
                400,
                "Not secured as it must be",
                "安全机制不成立",
            ),
            Self::ProofVerification => (
                "https://w3id.org/security#PROOF_VERIFICATION_ERROR",
                400,
                "The proof does not verify",
                "证明无法通过验证",
            ),
            Self::DataLoss => (
                "https://w3id.org/security#DATA_LOSS_DETECTION_ERROR",
                400,
                "A term that no context defines",
                "有未定义的术语",
            ),
            Self::Domain => (
                "https://w3id.org/security#INVALID_DOMAIN_ERROR",
                400,
                "Made for another domain",
                "证明用于其他域",
            ),
            Self::Challenge => (
                "https://w3id.org/security#INVALID_CHALLENGE_ERROR",
                400,
                "Made for another challenge",
                "证明用于其他质询",
            ),
            Self::StatusRetrieval => (
                "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR",
                400,
                "The status list is not here",
                "此处没有该状态列表",
            ),
            Self::StatusVerification => (
                "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR",
                400,
                "The status entry is not in order",
                "状态条目有误",
            ),
            Self::StatusLength => (
                "https://www.w3.org/ns/credentials/status-list#STATUS_LIST_LENGTH_ERROR",
                400,
                "The status list has a wrong length",
                "状态列表长度有误",
            ),
            Self::Status => (
                "https://zhao.example/problems/status",
                400,
                "Revoked or suspended",
                "已撤销或已暂停",
            ),
            Self::Absent => (
                "https://zhao.example/problems/not-found",
                404,
                "Not found",
                "未找到",
            ),
            Self::Full => (
                "https://zhao.example/problems/unavailable",
                503,
                "Not available now",
                "暂不可用",
            ),
        }
    }
}

impl What {
    /// The kind with this URL, among those that status lists have.
    pub(super) fn of(url: &str) -> Option<Self> {
        let all = [
            Self::Malformed,
            Self::Range,
            Self::StatusRetrieval,
            Self::StatusVerification,
            Self::StatusLength,
        ];
        all.into_iter().find(|what| what.row().0 == url)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) what: What,
    /// Stable, as on the page.
    pub(super) code: &'static str,
    /// Names the member at fault; the sender's text is clipped.
    pub(super) detail: String,
}

impl Trouble {
    pub(super) fn new(what: What, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            what,
            code,
            detail: detail.into(),
        }
    }

    /// As an object of an answer.
    pub(super) fn details(&self) -> Foreign {
        let (url, status, title, title_zh) = self.what.row();
        object([
            ("type", text(url)),
            ("status", number(u32::from(status))),
            ("title", text(title)),
            ("title_zh", text(title_zh)),
            ("detail", text(&*self.detail)),
            ("code", text(self.code)),
        ])
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.what.row().1).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// As an answer to whoever wanted something made.
    pub(super) fn refusal(&self) -> Response {
        let mut body = self.details();
        set(&mut body, "conformance", text(NOTICE));
        respond(self.status(), MEDIA_TYPE, &body)
    }
}
