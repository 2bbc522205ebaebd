//! Months of the calendar, in UTC.

use std::fmt;

use coffer_wire::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// A month: the months since the year 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(u32);

/// Months without a gap, the first and the last one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first.
    pub first: Month,
    /// The last.
    pub last: Month,
}

impl Month {
    /// The month in which a time lies.
    pub fn of(time: Timestamp) -> Self {
        let time = jiff::Timestamp::from_nanosecond(i128::from(time.nanos())).unwrap_or_default();
        let date = Offset::UTC.to_datetime(time).date();
        let (year, month) = (date.year().unsigned_abs(), date.month().unsigned_abs());
        Self(u32::from(year) * 12 + u32::from(month).saturating_sub(1))
    }

    /// The month that `name` is the name of.
    pub fn named(name: &str) -> Option<Self> {
        let (year, month) = name.split_once('-')?;
        let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
        let found = Self(year.checked_mul(12)?.checked_add(month.checked_sub(1)?)?);
        (found.to_string() == name).then_some(found)
    }

    /// The first moment.
    pub fn start(self) -> Timestamp {
        let year = i16::try_from(self.0 / 12).unwrap_or(i16::MAX);
        let month = i8::try_from(self.0 % 12).unwrap_or_default() + 1;
        let date = Date::new(year, month, 1).ok();
        let start = date.map(|date| date.at(0, 0, 0, 0));
        let start = start.and_then(|start| Offset::UTC.to_timestamp(start).ok());
        let seconds = start.map_or(0, |start| start.as_second());
        Timestamp::from_secs(u64::try_from(seconds).unwrap_or_default())
    }

    /// The last second.
    pub fn end(self) -> Timestamp {
        let next = self.after(1).start().secs();
        Timestamp::from_secs(next.saturating_sub(1))
    }

    /// So many months later.
    pub fn after(self, months: u32) -> Self {
        Self(self.0.saturating_add(months))
    }

    /// So many months earlier.
    pub fn before(self, months: u32) -> Self {
        Self(self.0.saturating_sub(months))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

impl Period {
    /// The months, in order.
    pub fn months(self) -> impl Iterator<Item = Month> {
        (self.first.0..=self.last.0).map(Month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn months_begin_and_end_where_the_calendar_says() {
        let leap = Month::of(at("2028-02-29T23:59:59.9Z"));
        assert_eq!(leap.to_string(), "2028-02");
        assert_eq!(leap.start(), at("2028-02-01T00:00:00Z"));
        assert_eq!(leap.end(), at("2028-02-29T23:59:59Z"));
        assert_eq!(leap.after(11), Month::of(at("2029-01-01T00:00:00Z")));
        assert_eq!(leap.before(2).to_string(), "2027-12");
        assert_eq!(Month::of(Timestamp::EPOCH).to_string(), "1970-01");
        assert_eq!(
            Month::of(Timestamp::from_nanos(u64::MAX)).to_string(),
            "2554-07"
        );
    }

    #[test]
    fn names_are_read_back() {
        for time in ["1970-01-01T00:00:00Z", "2026-12-31T23:59:59Z"] {
            let month = Month::of(at(time));
            assert_eq!(Month::named(&month.to_string()), Some(month));
        }
        for wrong in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-1",
            "x-01",
            "99999999999-01",
        ] {
            assert_eq!(Month::named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_period_has_no_gaps() {
        let first = Month::of(at("2026-11-05T00:00:00Z"));
        let period = Period {
            first,
            last: first.after(2),
        };
        let names: Vec<String> = period.months().map(|month| month.to_string()).collect();
        assert_eq!(names, ["2026-11", "2026-12", "2027-01"]);
    }
}
