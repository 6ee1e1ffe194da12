//! Durations as Flink writes them.

use std::time::Duration;

use super::error::Unreadable;

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

/// Reads a duration: digits, then a unit in any case, with space around each.
pub(super) fn parse(text: &str) -> Result<Duration, Unreadable> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    if number.is_empty() {
        return Err(Unreadable::NoNumber);
    }
    let unit = unit.trim().to_lowercase();
    let nanos_each = UNITS
        .iter()
        .find(|(names, _)| names.contains(&unit.as_str()))
        .map(|(_, nanos)| u128::from(*nanos))
        .ok_or_else(|| Unreadable::Unit(super::error::shown(&unit)))?;
    // The product of two 64-bit numbers fits into 128 bits.
    let nanos = u128::from(number.parse::<u64>().map_err(|_| Unreadable::TooLarge)?) * nanos_each;
    let seconds = u64::try_from(nanos / 1_000_000_000).map_err(|_| Unreadable::TooLarge)?;
    Ok(Duration::new(seconds, (nanos % 1_000_000_000) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_flink_reads() {
        for (text, expected) in [
            ("10 min", Duration::from_secs(600)),
            ("10min", Duration::from_secs(600)),
            ("  10   MINUTES ", Duration::from_secs(600)),
            ("1500", Duration::from_millis(1500)),
            ("0", Duration::ZERO),
            ("2 d", Duration::from_secs(172_800)),
            ("1 h", Duration::from_secs(3600)),
            ("7 s", Duration::from_secs(7)),
            ("3 µs", Duration::from_micros(3)),
            ("5ns", Duration::from_nanos(5)),
            ("18446744073709551615 ms", Duration::from_millis(u64::MAX)),
            ("18446744073709551615 s", Duration::from_secs(u64::MAX)),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        assert_eq!(parse(""), Err(Unreadable::NoNumber));
        assert_eq!(parse("-1 s"), Err(Unreadable::NoNumber));
        assert_eq!(parse("min"), Err(Unreadable::NoNumber));
        assert_eq!(parse("10 parsecs"), Err(Unreadable::Unit("parsecs".to_owned())));
        assert_eq!(parse("1.5 s"), Err(Unreadable::Unit(".5 s".to_owned())));
        assert_eq!(parse("99999999999999999999"), Err(Unreadable::TooLarge));
        assert_eq!(parse("18446744073709551615 min"), Err(Unreadable::TooLarge));
    }
}
