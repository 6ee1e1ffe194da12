//! Durations as Flink writes them.

use std::time::Duration;

use super::{Kind, Unreadable, no_unit, trim};

/// Units and the nanoseconds in each. A number without a unit counts milliseconds.
const UNITS: [(&[&str], u64); 7] = [
    (&["d", "day", "days"], 86_400_000_000_000),
    (&["h", "hour", "hours"], 3_600_000_000_000),
    (&["m", "min", "minute", "minutes"], 60_000_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000_000),
    (&["", "ms", "milli", "millis", "millisecond", "milliseconds"], 1_000_000),
    (&["µs", "micro", "micros", "microsecond", "microseconds"], 1_000),
    (&["ns", "nano", "nanos", "nanosecond", "nanoseconds"], 1),
];

impl Kind for Duration {
    const TYPE: &'static str = "duration";
    const REMEDY: &'static str = "write a whole number and a unit of d, h, min, s, ms, µs or ns";

    fn read(text: &str) -> Result<Self, Unreadable> {
        parse(text)
    }

    /// With the largest unit that leaves a whole number.
    fn write(&self) -> Option<String> {
        const WRITTEN: [(&str, u128); 5] = [
            ("d", 86_400_000_000_000),
            ("h", 3_600_000_000_000),
            ("min", 60_000_000_000),
            ("s", 1_000_000_000),
            ("ms", 1_000_000),
        ];
        let nanos = self.as_nanos();
        let whole = WRITTEN.iter().find(|(unit, each)| nanos % each == 0 && (nanos > 0 || *unit == "ms"));
        Some(whole.map_or_else(|| format!("{nanos} ns"), |(unit, each)| format!("{} {unit}", nanos / each)))
    }

    /// Flink counts milliseconds in 63 bits.
    fn fits(&self) -> Result<(), Unreadable> {
        i64::try_from(self.as_millis()).map(drop).map_err(|_| Unreadable::TooLarge)
    }
}

/// Reads a duration: digits, then a unit in any case, with space around each; or what ISO 8601 and Java make of it.
fn parse(text: &str) -> Result<Duration, Unreadable> {
    let text = trim(text).to_lowercase();
    let (number, unit) = split_digits(&text);
    if number.is_empty() {
        return parse_iso(&text);
    }
    let unit = trim(unit);
    let nanos_each =
        UNITS.iter().find(|(names, _)| names.contains(&unit)).map(|(_, nanos)| *nanos).ok_or_else(|| no_unit(unit))?;
    from_nanos(times(number, nanos_each)?)
}

/// `PnDTnHnMnS` as Java reads it: days, and after a `t` hours, minutes and seconds in this order, at least one of all;
/// the whole and each number may have a sign, and seconds have a fraction. What is negative in the end is refused.
fn parse_iso(text: &str) -> Result<Duration, Unreadable> {
    let (is_negative, rest) = split_sign(text);
    let mut rest = rest.strip_prefix('p').ok_or(Unreadable::NoNumber)?;
    let (mut nanos, mut any) = (0, false);
    for (unit, nanos_each) in
        [("d", 86_400_000_000_000), ("t", 0), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000)]
    {
        if unit == "t" {
            match rest.strip_prefix('t') {
                Some(after) if !after.is_empty() => rest = after,
                _ => break,
            }
            continue;
        }
        let (takes_away, number) = split_sign(rest);
        let (whole, after) = split_digits(number);
        let (fraction, after) = match after.strip_prefix(['.', ',']) {
            Some(decimals) if unit == "s" => split_digits(decimals),
            _ => ("", after),
        };
        let Some(after) = after.strip_prefix(unit) else { continue };
        if whole.is_empty() || fraction.len() > 9 {
            return Err(Unreadable::Iso);
        }
        let fraction = format!("{fraction:0<9}").parse::<u128>().map_err(|_| Unreadable::Iso)?;
        let part = times(whole, nanos_each)?.checked_add(fraction).and_then(|part| i128::try_from(part).ok());
        let part = part.filter(|part| in_bounds(part.unsigned_abs())).ok_or(Unreadable::TooLarge)?;
        // Four parts within bounds cannot overflow.
        nanos += if takes_away { -part } else { part };
        (rest, any) = (after, true);
    }
    if !rest.is_empty() || !any {
        return Err(Unreadable::Iso);
    }
    from_nanos(u128::try_from(if is_negative { -nanos } else { nanos }).map_err(|_| Unreadable::Negative)?)
}

/// The digits that the text begins with, and the rest.
fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// Whether the text begins with a minus, and what follows the sign.
fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn times(digits: &str, nanos_each: u64) -> Result<u128, Unreadable> {
    let number = digits.parse::<u128>().map_err(|_| Unreadable::TooLarge)?;
    number.checked_mul(u128::from(nanos_each)).ok_or(Unreadable::TooLarge)
}

fn from_nanos(nanos: u128) -> Result<Duration, Unreadable> {
    // Seconds in bounds fit, and the remainder is below 10^9.
    match in_bounds(nanos) {
        true => Ok(Duration::new((nanos / 1_000_000_000) as u64, (nanos % 1_000_000_000) as u32)),
        false => Err(Unreadable::TooLarge),
    }
}

/// As in Flink the seconds of a duration have 63 bits.
fn in_bounds(nanos: u128) -> bool {
    i64::try_from(nanos / 1_000_000_000).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_flink_reads_and_nothing_else() {
        let mut read = 0;
        for line in include_str!("../../../testdata/flink/durations.txt").lines().filter(|line| !line.starts_with('#'))
        {
            let (text, expected) = line.split_once('|').unwrap();
            let found = parse(text).map_or_else(|_| "refused".to_owned(), |duration| duration.as_nanos().to_string());
            assert_eq!(found, expected, "'{text}'");
            read += 1;
        }
        assert!(read > 50, "{read}");
    }

    #[test]
    fn a_refusal_says_why() {
        assert_eq!(parse(""), Err(Unreadable::NoNumber));
        assert_eq!(parse("-1 s"), Err(Unreadable::NoNumber));
        for text in ["PT5", "P", "pt1.5m", "P1DT", "PT1.1234567890S"] {
            assert_eq!(parse(text), Err(Unreadable::Iso), "{text}");
        }
        assert_eq!(parse("PT-1S"), Err(Unreadable::Negative));
        assert_eq!(parse("PT9223372036854775808S"), Err(Unreadable::TooLarge));
        assert_eq!(parse("10 parsecs"), Err(Unreadable::Unit("parsecs".to_owned())));
        assert_eq!(parse("1.5 s"), Err(Unreadable::Fraction));
        assert_eq!(parse("1,5 s"), Err(Unreadable::Fraction));
        assert_eq!(parse("1. s"), Err(Unreadable::Unit(". s".to_owned())));
        assert_eq!(parse("9223372036854775807 min"), Err(Unreadable::TooLarge));
        assert_eq!(parse(&"9".repeat(50)), Err(Unreadable::TooLarge));
    }
}
