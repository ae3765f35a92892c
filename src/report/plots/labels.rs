//! Formulas, symmetry symbols, indices and numbers as print sets them: TiO₂, P4₂/mnm, 1̅10, 1 234.

/// Set after a digit to draw a line over it.
pub(super) const OVERLINE: char = '\u{305}';

fn lowered(c: char) -> char {
    c.to_digit(10).and_then(|d| char::from_u32(0x2080 + d)).unwrap_or(c)
}

/// `Ti2O4` as Ti₂O₄.
pub fn formula(text: &str) -> String {
    text.chars().map(lowered).collect()
}

/// A Hermann-Mauguin symbol as spglib writes it: `P4_2/mnm` as P4₂/mnm, `Fm-3m` with the line over the 3.
pub fn spacegroup(symbol: &str) -> String {
    let mut out = String::new();
    let mut chars = symbol.chars();
    while let Some(c) = chars.next() {
        match c {
            '_' => out.extend(chars.next().map(lowered)),
            '-' => out.extend(chars.next().into_iter().flat_map(|digit| [digit, OVERLINE])),
            c => out.push(c),
        }
    }
    out
}

/// Miller indices, three or four: 110, 1̅10; apart where one has several digits, 10 0 2.
pub fn indices(hkl: &[i32]) -> String {
    let one = |n: i32| {
        let digits = n.unsigned_abs().to_string();
        if n < 0 { digits.chars().flat_map(|d| [d, OVERLINE]).collect() } else { digits }
    };
    let all: Vec<String> = hkl.iter().copied().map(one).collect();
    all.join(if hkl.iter().all(|n| n.abs() < 10) { "" } else { " " })
}

/// A count with a narrow gap before every three digits: 10 123.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(c);
    }
    out
}

/// A number on an axis, with a real minus sign and no more decimals than it needs, at most `decimals`.
pub fn number(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    match text.strip_prefix('-') {
        Some(digits) if digits != "0" => format!("−{digits}"),
        _ => text.trim_start_matches('-').to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_print_sets_them() {
        assert_eq!(formula("Nb12WO33"), "Nb₁₂WO₃₃");
        assert_eq!(spacegroup("P4_2/mnm"), "P4₂/mnm");
        assert_eq!(spacegroup("Fm-3m"), "Fm3\u{305}m");
        assert_eq!(indices(&[1, 1, 0]), "110");
        assert_eq!(indices(&[-1, 1, 0]), "1\u{305}10");
        assert_eq!(indices(&[10, 0, -2]), "10 0 2\u{305}");
        assert_eq!([7, 999, 1000, 1_234_567].map(count), ["7", "999", "1\u{a0}000", "1\u{a0}234\u{a0}567"]);
        assert_eq!([-1.5, 0.0, -0.001, 20.0].map(|x| number(x, 2)), ["−1.5", "0", "0", "20"]);
    }
}
