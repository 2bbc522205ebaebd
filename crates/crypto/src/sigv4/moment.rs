//! The times that stand in signed requests.

/// Months as HTTP writes them.
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Seconds since the Unix epoch of `20150830T123600Z`, or of the same moment as the field `Date` writes it,
/// `Sun, 30 Aug 2015 12:36:00 GMT`.
pub(super) fn read(text: &str) -> Option<u64> {
    match text.len() {
        16 => basic(text),
        _ => in_words(text),
    }
}

/// As it stands in what is signed.
pub(super) fn write(secs: u64) -> String {
    let (year, month, day) = date(secs / 86_400);
    let second = secs % 86_400;
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

fn basic(text: &str) -> Option<u64> {
    let number = |from: usize, until: usize| number(text.get(from..until)?);
    if text.get(8..9)? != "T" || text.get(15..16)? != "Z" {
        return None;
    }
    let days = days(number(0, 4)?, number(4, 6)?, number(6, 8)?)?;
    seconds(days, number(9, 11)?, number(11, 13)?, number(13, 15)?)
}

fn in_words(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let day = number(words.next()?)?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let year = number(words.next()?)?;
    let mut clock = words.next()?.split(':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if words.next()? != "GMT" || words.next().is_some() || clock.next().is_some() {
        return None;
    }
    let month = u64::try_from(month).ok()? + 1;
    seconds(days(year, month, day)?, hour, minute, second)
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn seconds(days: u64, hour: u64, minute: u64, second: u64) -> Option<u64> {
    // A leap second is the last one of its minute.
    let fits = hour < 24 && minute < 60 && second < 61;
    fits.then_some(days * 86_400 + hour * 3_600 + minute * 60 + second.min(59))
}

/// Days since the epoch.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    if day == 0 || day > month_length(year, month) {
        return None;
    }
    let leaps = |until: u64| until / 4 - until / 100 + until / 400;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    let months: u64 = (1..month).map(|month| month_length(year, month)).sum();
    Some(years + months + day - 1)
}

fn date(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    while days >= year_length(year) {
        days -= year_length(year);
        year += 1;
    }
    let mut month = 1;
    while days >= month_length(year, month) {
        days -= month_length(year, month);
        month += 1;
    }
    (year, month, days + 1)
}

fn year_length(year: u64) -> u64 {
    match is_leap(year) {
        true => 366,
        false => 365,
    }
}

fn month_length(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_the_same_moment() {
        for (basic, words, secs) in [
            (
                "20150830T123600Z",
                "Sun, 30 Aug 2015 12:36:00 GMT",
                1_440_938_160,
            ),
            ("19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT", 0),
            (
                "20240229T235959Z",
                "Thu, 29 Feb 2024 23:59:59 GMT",
                1_709_251_199,
            ),
            (
                "20000301T000000Z",
                "Wed, 01 Mar 2000 00:00:00 GMT",
                951_868_800,
            ),
        ] {
            assert_eq!(read(basic), Some(secs), "{basic}");
            assert_eq!(read(words), Some(secs), "{words}");
            assert_eq!(write(secs), basic);
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20150830T1236000",
            "20150832T123600Z",
            "20150229T123600Z",
            "20151330T123600Z",
            "20150830T243600Z",
            "20150830t123600Z",
            "2015083éT12360Z",
            "+0150830T123600Z",
            "Sun, 30 Aug 2015 12:36:00 CET",
            "Sun, 30 Aug 2015 12:36 GMT",
            "Sun, 30 Aout 2015 12:36:00 GMT",
            "Sun, 30 Aug 2015 12:36:00 GMT GMT",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
