//! Numbers as Fortran prints them, to the nearest double.
//!
//! Eleven digits and a small exponent are converted exactly by one multiplication or division (Clinger, *PLDI* 1990); others take
//! the longer way.

/// Most bytes of a number.
pub(super) const MAX_NUMBER: usize = 64;

/// 10^0 to 10^22, all exact.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The finite number at the head of `text`, which white space or the end of `text` must follow, and its length in bytes.
/// Fortran's `1.5D+00` and `0.15-101` are numbers too. Correctly rounded.
#[inline]
pub(super) fn number(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let mut at = usize::from(negative || text.first() == Some(&b'+'));
    let (mut mantissa, mut exponent) = (0_u64, 0_i32);
    let begin = at;
    digits(text, &mut at, &mut mantissa);
    let mut count = at - begin;
    if text.get(at) == Some(&b'.') {
        at += 1;
        let point = at;
        digits(text, &mut at, &mut mantissa);
        exponent -= (at - point) as i32;
        count += at - point;
    }
    let end = at;
    let letter = matches!(text.get(at), Some(b'E' | b'e' | b'D' | b'd'));
    at += usize::from(letter);
    let mut power = 0_u64;
    let sign = text.get(at).filter(|b| matches!(b, b'+' | b'-'));
    if letter || sign.is_some() {
        at += usize::from(sign.is_some());
        let first = at;
        digits(text, &mut at, &mut power);
        if at == first || at - first > 4 {
            return None;
        }
        exponent += if sign == Some(&b'-') { -(power as i32) } else { power as i32 };
    }
    if count == 0 || at > MAX_NUMBER || text.get(at).is_some_and(|b| !b.is_ascii_whitespace()) {
        return None;
    }
    // 15 digits are below 2^53.
    let magnitude = if count <= 15 && exponent.unsigned_abs() <= 22 {
        let power = POWERS[exponent.unsigned_abs() as usize];
        if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power }
    } else {
        let digits = std::str::from_utf8(&text[begin..end]).ok()?;
        let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len()) as i32;
        format!("{digits}e{}", exponent + fraction).parse().ok().filter(|x: &f64| x.is_finite())?
    };
    Some((if negative { -magnitude } else { magnitude }, at))
}

/// Takes the digits at `at` into `value`, eight at once where there are as many. More than 19 overflow, and are not used.
#[inline]
fn digits(text: &[u8], at: &mut usize, value: &mut u64) {
    if let Some(Ok(eight)) = text.get(*at..*at + 8).map(<[u8; 8]>::try_from) {
        let word = u64::from_le_bytes(eight);
        let below = word.wrapping_sub(0x3030_3030_3030_3030);
        let above = word.wrapping_add(0x4646_4646_4646_4646);
        if (below | above) & 0x8080_8080_8080_8080 == 0 {
            // Pairs, then fours, then eights (D. Lemire, "Number parsing at a gigabyte per second", 2021).
            let pairs = below.wrapping_mul(10).wrapping_add(below >> 8);
            let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
            let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
            *value = value.wrapping_mul(100_000_000).wrapping_add(low.wrapping_add(high) >> 32);
            *at += 8;
        }
    }
    while let Some(digit) = text.get(*at).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
        *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        *at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_nearest_doubles() {
        for text in [
            "0.15246059033E+03",
            "-.11993042387E-03",
            "0",
            "-0.0",
            "152.46",
            "1e22",
            "123456789012345678901234",
            "1e-22",
            "0.10283642961E-07",
            "-0.87468511150E-30",
            "0.49406564584E-323",
            "9007199254740993",
            "12345678",
            "123456789",
            "00000000000000000000000000000000001.5",
            "0.1",
        ] {
            let (value, length) = number(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
            assert_eq!((length, number(format!("{text}\n8").as_bytes()).unwrap().1), (text.len(), text.len()));
        }
        assert_eq!(number(b"0.15D+02 "), Some((15.0, 8)));
        assert_eq!(number(b"0.15-101"), Some((0.15e-101, 8)));
        for text in
            ["", "-", ".", "E5", "1e", "1e+", "nan", "inf", "*****", "0.1-.2", "1.2.3", "1x", "1e99999", "1e400"]
        {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }
}
