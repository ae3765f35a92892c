//! Readers of bounds as the operator writes them.

use std::time::Duration;

/// A number of bytes, as in `4G`, `512M` or `65536K`.
///
/// # Errors
/// Text that is none.
pub fn size(text: &str) -> Result<usize, String> {
    let expected = || "expected a number of bytes, as in 4G, 512M or 65536K".to_string();
    let text = text.trim_end_matches('B');
    let (number, unit) = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((number, "K" | "k")) => (number, 10),
        Some((number, "M" | "m")) => (number, 20),
        Some((number, "G" | "g")) => (number, 30),
        Some((number, "T" | "t")) => (number, 40),
        _ => (text, 0),
    };
    let number: usize = number.parse().ok().filter(|n| *n > 0).ok_or_else(expected)?;
    number.checked_mul(1 << unit).ok_or_else(expected)
}

/// A time above 0 and up to a day, as in `60s`, `5m` or `1h`.
///
/// # Errors
/// Text that is none.
pub fn time(text: &str) -> Result<Duration, String> {
    let expected = || "expected a time above 0 and up to a day, as in 60s, 5m or 1h".to_string();
    let (number, seconds) = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((number, "s")) => (number, 1),
        Some((number, "m")) => (number, 60),
        Some((number, "h")) => (number, 3600),
        _ => (text, 1),
    };
    let number: u64 = number.parse().ok().filter(|n| *n > 0).ok_or_else(expected)?;
    number.checked_mul(seconds).filter(|s| *s <= 86_400).map(Duration::from_secs).ok_or_else(expected)
}

/// A number of queries, from 1 to 1000.
///
/// # Errors
/// Text that is none.
pub fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(|| "expected a number from 1 to 1000".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_times_and_numbers_are_read() {
        assert_eq!((size("4G"), size("512M"), size("100")), (Ok(4 << 30), Ok(512 << 20), Ok(100)));
        assert_eq!(size("2GB"), Ok(2 << 30));
        for wrong in ["", "G", "0G", "-1G", "4X", "99999999999999G", "é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            (time("60s"), time("5m"), time("7")),
            (Ok(Duration::from_secs(60)), Ok(Duration::from_secs(300)), Ok(Duration::from_secs(7)))
        );
        for wrong in ["", "s", "0s", "25h", "1d", "-5", "é"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert!(count("4").is_ok() && count("0").is_err() && count("many").is_err());
    }
}
