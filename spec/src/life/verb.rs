//! The verbs of events. Prose: `spec/event.md`.

macro_rules! verbs {
    ($($variant:ident = $word:literal, $on:ident, $back:expr, $doc:literal;)*) => {
        /// What an event does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Verb {
            $(#[doc = $doc] $variant,)*
        }

        impl Verb {
            /// Every verb, in the order of `spec/event.md`.
            pub const ALL: &'static [Verb] = &[$(Verb::$variant,)*];

            /// The word in events, tables and commands.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The verb with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }

            /// What kind of subject it changes.
            #[must_use]
            pub fn on(self) -> On {
                match self { $(Self::$variant => On::$on,)* }
            }

            /// How many days before the recorded time it may take effect; none: without bound.
            #[must_use]
            pub fn reaches_back_days(self) -> Option<u64> {
                match self { $(Self::$variant => $back,)* }
            }
        }
    };
}

/// What kind of subject a verb changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// A unit of record.
    Issuer,
    /// A licence.
    Licence,
    /// A licence type.
    LicenceType,
    /// The registry.
    Registry,
}

verbs! {
    Issued = "issued", Licence, Some(30), "A licence, or a new version of one, comes into being.";
    Withhold = "withhold", Licence, Some(15), "暂扣: taken away for a time by an authority.";
    LiftWithholding = "lift-withholding", Licence, Some(15), "发还: given back.";
    Hold = "hold", Licence, Some(15), "挂起: put on hold.";
    LiftHold = "lift-hold", Licence, Some(15), "The hold ends.";
    ReportLost = "report-lost", Licence, Some(15), "挂失: reported lost.";
    WithdrawLoss = "withdraw-loss", Licence, Some(15), "解挂: found again.";
    Mortgage = "mortgage", Licence, Some(30), "抵押.";
    ReleaseMortgage = "release-mortgage", Licence, Some(30), "A mortgage is released.";
    Pledge = "pledge", Licence, Some(30), "质押.";
    ReleasePledge = "release-pledge", Licence, Some(30), "A pledge is released.";
    Inspect = "inspect", Licence, Some(60), "年检, 年审: inspected.";
    MarkObjection = "mark-objection", Licence, Some(15), "异议标注: an objection is marked.";
    ClearObjection = "clear-objection", Licence, Some(15), "An objection is answered.";
    Cancel = "cancel", Licence, Some(60), "注销.";
    Revoke = "revoke", Licence, Some(60), "吊销: ended as a penalty.";
    Annul = "annul", Licence, None, "撤销: void from the start.";
    Abolish = "abolish", Licence, Some(60), "废止: its type or basis is repealed.";
    Transfer = "transfer", Licence, Some(15), "Another unit controls it from now on.";
    Reaffirm = "reaffirm", Licence, Some(15), "The unit stands by a compromised key's act.";
    AddUnit = "add-unit", Issuer, Some(1), "The administrators make a unit.";
    GrantTypes = "grant-types", Issuer, Some(1), "A key may issue more types.";
    RotateKey = "rotate-key", Issuer, Some(1), "The unit itself brings a new key.";
    RetireKey = "retire-key", Issuer, Some(1), "A key signs no more.";
    ProposeKey = "propose-key", Issuer, Some(1), "The administrators announce a key.";
    ConfirmKey = "confirm-key", Issuer, Some(1), "An announced key comes into force.";
    WithdrawProposal = "withdraw-proposal", Issuer, Some(1), "An announced key is dropped.";
    SuspendUnit = "suspend-unit", Issuer, Some(1), "The unit may not sign.";
    ResumeUnit = "resume-unit", Issuer, Some(1), "The unit may sign again.";
    CompromiseKey = "compromise-key", Issuer, Some(1), "From an index on, a key is worthless.";
    PublishType = "publish-type", LicenceType, Some(1), "A catalogue version comes into force.";
    RetireType = "retire-type", LicenceType, Some(1), "No more licences of this type.";
    ChangeAdministrators = "change-administrators", Registry, Some(1), "New administrators.";
    RotateLogKey = "rotate-log-key", Registry, Some(1), "From a size on another key signs heads.";
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
