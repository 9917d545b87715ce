//! 有效期限: how long licences of a type last.

use zhao_spec::wire::Date;

/// One way a licence of a type may last. A type has one or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// So many days, the first one counted.
    Days(u32),
    /// 长期: no last day.
    Indefinite,
    /// So many months.
    Months(u32),
    /// To a date that the office sets.
    ToDate {
        /// Fewest days, the first one counted.
        min_days: u32,
        /// Most years.
        max_years: u32,
    },
    /// So many years.
    Years(u32),
}

/// Why a licence may not last as long as it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TermError {
    /// The type allows several terms, so the last day must be said.
    #[error("the last day is needed: the type allows several terms")]
    Ambiguous,
    /// The last day is before the first.
    #[error("the last day {last} is before the first, {first}")]
    BeforeFirst {
        /// First day.
        first: Date,
        /// Last day.
        last: Date,
    },
    /// The type knows no licence without a last day.
    #[error("the type has no licences without a last day")]
    NotIndefinite,
    /// None of the type's terms gives this last day.
    #[error("the last day is {actual}, expected {expected}")]
    NotInTerm {
        /// What the type's terms give.
        expected: String,
        /// What was said.
        actual: Date,
    },
    /// The term ends after the year 9999.
    #[error("the term ends after the year 9999")]
    Overflow,
    /// The type's licences end on a date the office sets, and none is set.
    #[error("the last day is needed: the type has no fixed term")]
    Unset,
}

/// What a request says about the last day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Nothing: the type's rule decides.
    ByRule,
    /// This day.
    Day(Date),
    /// 长期.
    Indefinite,
}

impl Term {
    /// The last day of a fixed term that begins on `first`.
    fn fixed(self, first: Date) -> Option<Result<Date, TermError>> {
        // A term of one year from 22 November ends on 21 November, 24:00.
        let after = match self {
            Self::Days(days) => i32::try_from(days)
                .ok()
                .and_then(|days| first.add_days(days)),
            Self::Months(months) => first.add_months(months),
            Self::Years(years) => first.add_years(years),
            Self::Indefinite | Self::ToDate { .. } => return None,
        };
        Some(
            after
                .and_then(|day| day.add_days(-1))
                .ok_or(TermError::Overflow),
        )
    }

    /// Whether `last` is a day this term allows, and in words what it would allow.
    fn allows(self, first: Date, last: Date) -> (bool, String) {
        if let Some(fixed) = self.fixed(first) {
            return match fixed {
                Ok(day) => (day == last, day.to_string()),
                Err(_) => (false, "a day before the year 10000".to_owned()),
            };
        }
        let Self::ToDate {
            min_days,
            max_years,
        } = self
        else {
            return (false, "no last day".to_owned());
        };
        let earliest = Self::Days(min_days).fixed(first).and_then(Result::ok);
        let latest = Self::Years(max_years).fixed(first).and_then(Result::ok);
        match (earliest, latest) {
            (Some(earliest), Some(latest)) => (
                (earliest..=latest).contains(&last),
                format!("{earliest} to {latest}"),
            ),
            _ => (false, "a day before the year 10000".to_owned()),
        }
    }
}

/// The last day of a licence whose first day is `first`, under any of `terms`; none: 长期.
///
/// # Errors
/// The last day is needed and not said, or said and not one the terms give.
pub fn last_day(terms: &[Term], first: Date, until: Until) -> Result<Option<Date>, TermError> {
    match until {
        Until::Indefinite if terms.contains(&Term::Indefinite) => Ok(None),
        Until::Indefinite => Err(TermError::NotIndefinite),
        Until::ByRule => match terms {
            [Term::Indefinite] => Ok(None),
            [Term::ToDate { .. }] => Err(TermError::Unset),
            [term] => term.fixed(first).ok_or(TermError::Unset)?.map(Some),
            _ => Err(TermError::Ambiguous),
        },
        Until::Day(last) if last < first => Err(TermError::BeforeFirst { first, last }),
        Until::Day(last) => {
            let judged: Vec<_> = terms.iter().map(|term| term.allows(first, last)).collect();
            if judged.iter().any(|(allowed, _)| *allowed) {
                return Ok(Some(last));
            }
            let expected: Vec<_> = judged.into_iter().map(|(_, expected)| expected).collect();
            Err(TermError::NotInTerm {
                expected: expected.join(" or "),
                actual: last,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn by_rule(terms: &[Term], first: &str) -> Result<Option<Date>, TermError> {
        last_day(terms, day(first), Until::ByRule)
    }

    #[test]
    fn refuses_what_no_term_gives() {
        let five = [Term::Years(5)];
        let first = day("2026-11-22");
        let error = last_day(&five, first, Until::Day(day("2031-11-22"))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the last day is 2031-11-22, expected 2031-11-21"
        );
        assert_eq!(
            last_day(&five, first, Until::Indefinite),
            Err(TermError::NotIndefinite)
        );
        let before = last_day(&five, first, Until::Day(day("2026-11-21")));
        assert!(matches!(before, Err(TermError::BeforeFirst { .. })));
        assert_eq!(by_rule(&five, "9998-01-01"), Err(TermError::Overflow));
        assert_eq!(
            by_rule(&[Term::Days(u32::MAX)], "2026-01-01"),
            Err(TermError::Overflow)
        );
        assert_eq!(
            by_rule(&[Term::Years(u32::MAX)], "2026-01-01"),
            Err(TermError::Overflow)
        );
    }

    #[test]
    fn refuses_to_guess() {
        let to_date = Term::ToDate {
            min_days: 30,
            max_years: 2,
        };
        assert_eq!(by_rule(&[to_date], "2026-01-01"), Err(TermError::Unset));
        let several = [Term::Indefinite, to_date];
        assert_eq!(by_rule(&several, "2026-01-01"), Err(TermError::Ambiguous));
        for (last, allowed) in [
            ("2026-01-29", false),
            ("2026-01-30", true),
            ("2027-12-31", true),
            ("2028-01-01", false),
        ] {
            let actual = last_day(&several, day("2026-01-01"), Until::Day(day(last)));
            assert_eq!(actual.is_ok(), allowed, "{last}: {actual:?}");
        }
        assert_eq!(
            last_day(&several, day("2026-01-01"), Until::Indefinite),
            Ok(None)
        );
    }

    #[test]
    fn counts_from_the_first_day() {
        for (term, first, last) in [
            (Term::Days(1), "2026-11-22", "2026-11-22"),
            (Term::Days(30), "2026-11-22", "2026-12-21"),
            (Term::Months(1), "2026-01-31", "2026-02-27"),
            (Term::Months(3), "2026-11-22", "2027-02-21"),
            (Term::Years(1), "2024-02-29", "2025-02-27"),
            (Term::Years(5), "2026-11-22", "2031-11-21"),
        ] {
            assert_eq!(
                by_rule(&[term], first),
                Ok(Some(day(last))),
                "{term:?} from {first}"
            );
        }
        assert_eq!(by_rule(&[Term::Indefinite], "2026-11-22"), Ok(None));
    }
}
