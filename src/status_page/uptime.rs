//! Uptime by one written formula, so that a figure on the page can be checked by hand.
//!
//! ```text
//!              major outage + 0.3 × partial outage
//! uptime = 1 − ───────────────────────────────────
//!              observed − maintenance − unknown
//! ```
//!
//! All are lengths of time within the days that are asked for. Degraded performance does not
//! count. Announced maintenance and time in which nobody knew the state are taken out of both
//! sides: they are neither up nor down. Where nothing is left there is no figure. A figure is cut
//! to two places and never rounded up: `100 %` is shown only where nothing at all was lost.

use std::fmt;

use super::view::ComponentDay;

/// Uptime in hundredths of a percent, at most 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uptime(u16);

/// All of it.
const WHOLE: u16 = 10_000;

/// The uptime over the last days, at most so many.
pub fn uptime(days: &[ComponentDay], days_max: usize) -> Option<Uptime> {
    let first = days.len().saturating_sub(days_max);
    let days = days.get(first..).unwrap_or_default();
    let sum =
        |length: fn(&ComponentDay) -> u64| days.iter().map(|day| u128::from(length(day))).sum();
    let observed: u128 = sum(|day| day.observed.0);
    let apart: u128 = sum(|day| day.maintenance.0.saturating_add(day.unknown.0));
    let major: u128 = sum(|day| day.major_outage.0);
    let partial: u128 = sum(|day| day.partial_outage.0);
    // Tenths of milliseconds, so that all of it is exact.
    let counted = observed.saturating_sub(apart) * 10;
    let lost = (major * 10 + partial * 3).min(counted);
    let up = (counted - lost) * u128::from(WHOLE);
    let hundredths = up.checked_div(counted)?;
    Some(Uptime(u16::try_from(hundredths).unwrap_or(WHOLE)))
}

impl Uptime {
    /// With the decimal sign of a language: `99.98 %`, `99,98 %`, `100 %`.
    pub fn with_decimal(self, sign: char) -> String {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        match self.0 {
            WHOLE => "100\u{a0}%".to_owned(),
            _ => format!("{whole}{sign}{hundredths:02}\u{a0}%"),
        }
    }
}

impl fmt::Display for Uptime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.with_decimal('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::{Duration, Timestamp};

    const DAY: ComponentDay = ComponentDay {
        begins: Timestamp(0),
        degraded: Duration::ZERO,
        partial_outage: Duration::ZERO,
        major_outage: Duration::ZERO,
        maintenance: Duration::ZERO,
        unknown: Duration::ZERO,
        observed: Duration::days(1),
    };

    fn shown(days: &[ComponentDay]) -> Option<String> {
        uptime(days, 90).map(|uptime| uptime.to_string().replace('\u{a0}', " "))
    }

    #[test]
    fn each_kind_of_time_counts_as_it_is_written() {
        let hours = Duration::hours;
        let cases = [
            (DAY, Some("100 %")),
            (
                ComponentDay {
                    degraded: hours(24),
                    ..DAY
                },
                Some("100 %"),
            ),
            (
                ComponentDay {
                    major_outage: hours(24),
                    ..DAY
                },
                Some("0.00 %"),
            ),
            (
                ComponentDay {
                    major_outage: hours(6),
                    ..DAY
                },
                Some("75.00 %"),
            ),
            (
                ComponentDay {
                    partial_outage: hours(24),
                    ..DAY
                },
                Some("70.00 %"),
            ),
            // One of the twelve hours that count.
            (
                ComponentDay {
                    major_outage: hours(3),
                    maintenance: hours(6),
                    unknown: hours(6),
                    ..DAY
                },
                Some("75.00 %"),
            ),
            (
                ComponentDay {
                    maintenance: hours(24),
                    ..DAY
                },
                None,
            ),
            (
                ComponentDay {
                    unknown: hours(24),
                    ..DAY
                },
                None,
            ),
            (
                ComponentDay {
                    observed: Duration::ZERO,
                    ..DAY
                },
                None,
            ),
        ];
        for (day, expected) in cases {
            assert_eq!(shown(&[day]).as_deref(), expected, "{day:?}");
        }
        assert_eq!(shown(&[]), None);
    }

    #[test]
    fn it_is_cut_and_never_rounded_up() {
        let lost = |length| ComponentDay {
            major_outage: length,
            ..DAY
        };
        assert_eq!(shown(&[lost(Duration(1))]).as_deref(), Some("99.99 %"));
        let mut days = vec![DAY; 89];
        days.push(lost(Duration(1)));
        assert_eq!(shown(&days).as_deref(), Some("99.99 %"));
        // 99.9884 %.
        assert_eq!(
            shown(&[lost(Duration::seconds(10))]).as_deref(),
            Some("99.98 %")
        );
        assert_eq!(uptime(&days, 90).unwrap().with_decimal(','), "99,99\u{a0}%");
    }

    #[test]
    fn only_the_days_that_are_asked_for_count() {
        let out = ComponentDay {
            major_outage: Duration::days(1),
            ..DAY
        };
        let days = [out, DAY, DAY];
        assert_eq!(uptime(&days, 2), Some(Uptime(WHOLE)));
        assert_eq!(uptime(&days, 0), None);
        assert_eq!(uptime(&days, usize::MAX), Some(Uptime(6_666)));
    }

    #[test]
    fn lengths_that_cannot_be_do_not_overflow() {
        let most = Duration(u64::MAX);
        let day = ComponentDay {
            major_outage: most,
            partial_outage: most,
            ..DAY
        };
        assert_eq!(uptime(&[day, day], 90), Some(Uptime(0)));
        let day = ComponentDay {
            observed: most,
            maintenance: most,
            unknown: most,
            ..DAY
        };
        assert_eq!(uptime(&[day, day], 90), None);
    }
}
