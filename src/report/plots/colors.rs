//! Colours: of the elements (Jmol's), and of scales of numbers.

use std::{collections::HashMap, sync::LazyLock};

use crystal::Element;

/// Red, green and blue, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// White.
    pub const WHITE: Self = Self(255, 255, 255);
    /// Black.
    pub const BLACK: Self = Self(0, 0, 0);

    /// Of six hexadecimal digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        Some(Self(byte(0)?, byte(2)?, byte(4)?))
    }

    /// This colour with a share (0 to 1) of `other` in it.
    pub fn mixed(self, other: Self, share: f64) -> Self {
        let mix = |a: u8, b: u8| (f64::from(a) + share.clamp(0.0, 1.0) * (f64::from(b) - f64::from(a))).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// Relative luminance after WCAG 2, 0 (black) to 1 (white).
    pub fn luminance(self) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }
}

impl std::fmt::Display for Rgb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02X}{:02X}{:02X}", self.0, self.1, self.2)
    }
}

/// Deep pink, which Jmol gives to what it does not know.
const UNKNOWN: Rgb = Rgb(0xFF, 0x14, 0x93);

static ELEMENTS: LazyLock<HashMap<&'static str, Rgb>> = LazyLock::new(|| {
    let table = include_str!("../../../schema/elements/colors.csv");
    let rows = table.lines().filter(|l| !l.starts_with('#')).skip(1).filter_map(|l| l.split_once(','));
    rows.filter_map(|(symbol, hex)| Some((symbol, Rgb::from_hex(hex)?))).collect()
});

/// The colour of an element in Jmol.
pub fn of_element(element: Element) -> Rgb {
    ELEMENTS.get(element.symbol()).copied().unwrap_or(UNKNOWN)
}

/// A scale from 0 (pale yellow) over green to 1 (dark blue) whose lightness falls all the way, so that it reads in grey and
/// to colour-blind eyes: YlGnBu of ColorBrewer (C. Brewer, Pennsylvania State University).
pub fn scale(t: f64) -> Rgb {
    const STOPS: [Rgb; 9] = [
        Rgb(0xFF, 0xFF, 0xD9),
        Rgb(0xED, 0xF8, 0xB1),
        Rgb(0xC7, 0xE9, 0xB4),
        Rgb(0x7F, 0xCD, 0xBB),
        Rgb(0x41, 0xB6, 0xC4),
        Rgb(0x1D, 0x91, 0xC0),
        Rgb(0x22, 0x5E, 0xA8),
        Rgb(0x25, 0x34, 0x94),
        Rgb(0x08, 0x1D, 0x58),
    ];
    between(&STOPS, t)
}

/// A scale from -1 (dark blue) over white at 0 to 1 (dark red), equally light on both sides: RdBu of ColorBrewer.
pub fn diverging(t: f64) -> Rgb {
    const STOPS: [Rgb; 11] = [
        Rgb(0x05, 0x30, 0x61),
        Rgb(0x21, 0x66, 0xAC),
        Rgb(0x43, 0x93, 0xC3),
        Rgb(0x92, 0xC5, 0xDE),
        Rgb(0xD1, 0xE5, 0xF0),
        Rgb(0xF7, 0xF7, 0xF7),
        Rgb(0xFD, 0xDB, 0xC7),
        Rgb(0xF4, 0xA5, 0x82),
        Rgb(0xD6, 0x60, 0x4D),
        Rgb(0xB2, 0x18, 0x2B),
        Rgb(0x67, 0x00, 0x1F),
    ];
    between(&STOPS, 0.5 * (t + 1.0))
}

/// The colour at `t`, 0 to 1, of a scale given at equal steps.
fn between(stops: &[Rgb], t: f64) -> Rgb {
    let at = t.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let i = (at as usize).min(stops.len() - 2);
    stops[i].mixed(stops[i + 1], at - i as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_the_colours_chemists_know() {
        let of = |symbol| of_element(Element::from_symbol(symbol).unwrap()).to_string();
        assert_eq!([of("O"), of("C"), of("Ti"), of("Og")], ["#FF0D0D", "#909090", "#BFC2C7", "#FF1493"]);
        assert_eq!(ELEMENTS.len(), 109);
    }

    #[test]
    fn the_scale_darkens_all_the_way() {
        let light: Vec<f64> = (0..=100).map(|i| scale(f64::from(i) / 100.0).luminance()).collect();
        assert!(light.windows(2).all(|w| w[1] < w[0]));
        assert_eq!((scale(-1.0), scale(2.0)), (Rgb(0xFF, 0xFF, 0xD9), Rgb(0x08, 0x1D, 0x58)));
        let light: Vec<f64> = (0..=100).map(|i| diverging(f64::from(i) / 50.0 - 1.0).luminance()).collect();
        assert!(light[..51].windows(2).all(|w| w[1] > w[0]) && light[50..].windows(2).all(|w| w[1] < w[0]));
    }
}
