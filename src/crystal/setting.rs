//! The 530 tabulated settings of the 230 space groups: from a Hall symbol, a Hermann-Mauguin symbol or a number to operations.
//! The table is moyo's, which is spglib's.

use std::sync::{LazyLock, OnceLock};

use moyo::data::{HallSymbol, HallSymbolEntry, hall_symbol_entry};

use super::SymOp;

/// Number of tabulated settings.
pub(super) const SETTINGS: u16 = 530;

/// Symbols of the groups with a double glide plane before the letter `e` of the 1992 nomenclature, by Hall number: files
/// still say `Cmca`.
const BEFORE_1992: [(u16, &str); 36] = [
    (191, "abm2"),
    (192, "bma2"),
    (193, "b2cm"),
    (194, "c2mb"),
    (195, "cm2a"),
    (196, "ac2m"),
    (203, "aba2"),
    (204, "bba2"),
    (205, "b2cb"),
    (206, "c2cb"),
    (207, "cc2a"),
    (208, "ac2a"),
    (304, "cmca"),
    (305, "ccmb"),
    (306, "abma"),
    (307, "acam"),
    (308, "bbcm"),
    (309, "bmab"),
    (316, "cmma"),
    (317, "cmmb"),
    (318, "abmm"),
    (319, "acmm"),
    (320, "bmcm"),
    (321, "bmam"),
    (322, "ccca"),
    (323, "ccca"),
    (324, "cccb"),
    (325, "cccb"),
    (326, "abaa"),
    (327, "abaa"),
    (328, "acaa"),
    (329, "acaa"),
    (330, "bbcb"),
    (331, "bbcb"),
    (332, "bbab"),
    (333, "bbab"),
];

/// One tabulated setting of a space group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Hall number, 1 to 530.
    pub hall_number: u16,
    /// Space-group number, 1 to 230.
    pub number: u16,
    /// What distinguishes the settings of one group: `1` or `2` (origin), `H` or `R` (axes), `b1`, `cab` ...
    pub choice: &'static str,
    /// Hall symbol.
    pub hall: &'static str,
    /// Short Hermann-Mauguin symbol, for instance `P 4_2/m n m`.
    pub short: &'static str,
    /// Full Hermann-Mauguin symbol, for instance `P 1 2_1/c 1`.
    pub full: &'static str,
    /// Symbols without spaces and in lower case that name this setting.
    keys: Vec<String>,
}

static TABLE: LazyLock<Vec<Setting>> =
    LazyLock::new(|| (1..=SETTINGS).filter_map(|n| hall_symbol_entry(i32::from(n))).map(Setting::from_entry).collect());

impl Setting {
    fn from_entry(entry: HallSymbolEntry) -> Self {
        let (hall_number, number) = (entry.hall_number as u16, entry.number as u16);
        let mut keys = vec![compact(entry.hm_full)];
        if (3..=15).contains(&number) {
            // The short symbol of a monoclinic group is shared by all of its settings; dropping the empty directions is not.
            keys.push(compact(&entry.hm_full.split(' ').filter(|t| *t != "1").collect::<Vec<_>>().join(" ")));
        } else {
            keys.push(compact(entry.hm_short));
        }
        if number >= 200 {
            // Before 1992 the cubic groups were written without the bar: Fm3m.
            keys.push(compact(entry.hm_short).replace("-3", "3"));
        }
        keys.extend(BEFORE_1992.iter().filter(|(n, _)| *n == hall_number).map(|(_, key)| (*key).to_owned()));
        Self {
            hall_number,
            number,
            choice: entry.setting,
            hall: entry.hall_symbol,
            short: entry.hm_short,
            full: entry.hm_full,
            keys,
        }
    }

    /// The setting of a Hall number, 1 to 530.
    pub fn of_hall_number(hall_number: u16) -> Option<&'static Self> {
        TABLE.get(usize::from(hall_number).checked_sub(1)?)
    }

    /// The setting of a tabulated Hall symbol, in any spacing; `'` and `"` may stand for moyo's `^` and `=`.
    pub fn of_hall_symbol(symbol: &str) -> Option<&'static Self> {
        // Spaces tell `P 3 2` from the screw axis of `P 32`: only their number is free.
        let wanted = symbol.split_whitespace().collect::<Vec<_>>().join(" ").replace('\'', "^").replace('"', "=");
        TABLE.iter().find(|s| s.hall.eq_ignore_ascii_case(&wanted))
    }

    /// The settings that a Hermann-Mauguin symbol may mean, most usual first: short, full or pre-1992, any spacing, `21` or `2_1`,
    /// with or without a suffix for the choice (`F d -3 m :2`, `R -3 m H`, `P n n n (origin choice 1)`, ICSD's `S` and `Z`).
    /// Empty where the symbol is unknown; several where it leaves the origin or the axes open.
    pub fn of_symbol(symbol: &str) -> Vec<&'static Self> {
        let (symbol, choice) = split_choice(symbol);
        let wanted = compact(&symbol);
        let named = |key: &str| {
            TABLE.iter().filter(|s| s.keys.iter().any(|k| k == key)).filter(|s| s.is(&choice)).collect::<Vec<_>>()
        };
        let mut found = named(&wanted);
        if let (true, Some((stem, letter))) =
            (found.is_empty(), wanted.split_at_checked(wanted.len().saturating_sub(1)))
        {
            // ICSD appends the choice without a space: R-3mH, Fd-3mS.
            if choice.is_none() && matches!(letter, "h" | "r" | "s" | "z") {
                let letter = choice_of(letter);
                found = named(stem).into_iter().filter(|s| s.is(&letter)).collect();
            }
        }
        // Of settings with one symbol and one origin (Cmme names two) the first is the standard one.
        let mut kept: Vec<&'static Self> = Vec::new();
        for setting in found {
            let same = |k: &&&Self| k.full == setting.full && k.origin() == setting.origin();
            if matches!(setting.choice, "H" | "R") || kept.iter().find(same).is_none() {
                kept.push(setting);
            }
        }
        kept
    }

    /// All tabulated settings of a space-group number.
    pub(super) fn of_group(number: u16) -> impl Iterator<Item = &'static Self> {
        TABLE.iter().filter(move |setting| setting.number == number)
    }

    /// The usual settings of a space-group number: unique axis b (then c, a) cell choice 1, both origins, both axes of the
    /// rhombohedral groups, axes abc.
    pub fn of_number(number: u16) -> Vec<&'static Self> {
        let usual = ["", "b", "c", "a", "b1", "c1", "a1", "1", "2", "H", "R"];
        Self::of_group(number).filter(|s| usual.contains(&s.choice)).collect()
    }

    /// The setting in which [`Symmetry`](super::Symmetry) describes crystals of a space group, that of its smallest Hall number: unique
    /// axis b, origin 1, hexagonal axes. `None` outside 1 to 230.
    pub fn usual(number: u16) -> Option<&'static Self> {
        Self::of_group(number).next()
    }

    /// `1` or `2` where the group has two tabulated origins, else empty.
    pub fn origin(&self) -> &'static str {
        match self.choice.as_bytes().first() {
            Some(b'1' | b'2') => &self.choice[..1],
            _ => "",
        }
    }

    fn is(&self, choice: &Option<String>) -> bool {
        choice.as_ref().is_none_or(|c| self.choice == c || self.origin() == c)
    }

    /// Every operation of the setting, centring translations included, the identity first.
    pub fn operations(&self) -> &'static [SymOp] {
        static OPERATIONS: [OnceLock<Vec<SymOp>>; SETTINGS as usize] = [const { OnceLock::new() }; SETTINGS as usize];
        OPERATIONS[usize::from(self.hall_number) - 1].get_or_init(|| {
            let Some(group) = HallSymbol::from_hall_number(i32::from(self.hall_number)) else {
                return vec![SymOp::IDENTITY];
            };
            let representatives: Vec<_> = group
                .traverse()
                .iter()
                .map(|op| SymOp {
                    rotation: op.rotation_as_array().map(|row| row.map(|x| x as i8)),
                    translation: op.translation.into(),
                })
                .collect();
            let centrings = std::iter::once([0.0; 3]).chain(group.centering_translations.iter().map(|&t| t.into()));
            centrings
                .flat_map(|translation| {
                    let centring = SymOp { translation, ..SymOp::IDENTITY };
                    representatives.iter().map(move |op| centring.after(op)).collect::<Vec<_>>()
                })
                .collect()
        })
    }
}

/// Without spaces and underscores, in lower case: `P 2_1/c` and `P21/c` are one. SHELX's `P2(1)/c` too.
fn compact(symbol: &str) -> String {
    symbol
        .chars()
        .filter(|c| !(c.is_whitespace() || matches!(c, '_' | '(' | ')')))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// The symbol without the words that name its choice of origin or axes, and that choice.
fn split_choice(symbol: &str) -> (String, Option<String>) {
    let lower = symbol.to_ascii_lowercase();
    if let Some((stem, suffix)) = symbol.split_once(':') {
        return (stem.to_owned(), choice_of(suffix.trim()));
    }
    for (words, choice) in [("origin", ""), ("rhombohedral", "R"), ("hexagonal", "H")] {
        if let Some(at) = lower.find(words) {
            let digit = || lower[at..].chars().find(char::is_ascii_digit).map(String::from);
            let choice = if choice.is_empty() { digit() } else { Some(choice.to_owned()) };
            return (lower[..at].trim_end_matches(['(', ' ', ',']).to_owned(), choice);
        }
    }
    match symbol.trim().rsplit_once(' ') {
        Some((stem, suffix @ ("H" | "R" | "S" | "Z"))) => (stem.to_owned(), choice_of(suffix)),
        _ => (symbol.to_owned(), None),
    }
}

fn choice_of(suffix: &str) -> Option<String> {
    Some(match suffix.to_ascii_uppercase().as_str() {
        "S" => "1".into(),
        "Z" => "2".into(),
        "H" => "H".into(),
        "R" => "R".into(),
        _ => suffix.to_ascii_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halls(symbol: &str) -> Vec<u16> {
        Setting::of_symbol(symbol).iter().map(|s| s.hall_number).collect()
    }

    #[test]
    fn symbols_in_the_spellings_of_real_files() {
        for (symbol, expected) in [
            ("P 1", vec![1]),
            ("P 42/m n m", vec![419]),
            ("P4_2/mnm", vec![419]),
            ("P 1 21/c 1", vec![81]),
            ("P 21/n", vec![82, 85, 88]),
            ("P2(1)/c", vec![81, 89]),
            ("F d -3 m", vec![525, 526]),
            ("F d -3 m :2", vec![526]),
            ("F d -3 m Z", vec![526]),
            ("Fd-3mS", vec![525]),
            ("Fd3m (origin choice 2)", vec![526]),
            ("R -3 m H", vec![458]),
            ("R-3mR", vec![459]),
            ("R -3 m :H", vec![458]),
            ("P m m n", vec![278, 279]),
            ("C m c a", vec![304]),
            ("Cmce", vec![304]),
            ("Cmme", vec![316]),
            ("C m m b", vec![317]),
            ("C c c e", vec![322, 323]),
            ("C c c b", vec![324, 325]),
            ("R -3 m", vec![458, 459]),
            ("I 4/m", vec![363]),
            ("Q 4/m", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(halls(symbol), expected, "{symbol}");
        }
    }

    #[test]
    fn every_setting_is_found_by_its_own_symbols() {
        for setting in TABLE.iter() {
            let by_hall = Setting::of_hall_symbol(setting.hall).map(|s| (s.number, s.operations()));
            assert_eq!(by_hall, Some((setting.number, setting.operations())), "{}", setting.hall);
            assert!(Setting::of_symbol(setting.full).iter().any(|s| s.number == setting.number), "{}", setting.full);
        }
        assert_eq!(Setting::of_hall_symbol("-P 3 2\"c").map(|s| s.number), Some(165));
        assert_eq!(Setting::of_number(227).len(), 2);
        assert!(Setting::of_number(0).is_empty());
        let usual = moyo::data::Setting::Spglib.hall_numbers();
        let ours = (1..=230).map(|number| i32::from(Setting::usual(number).unwrap().hall_number));
        assert!(ours.eq(usual) && Setting::usual(231).is_none());
    }

    #[test]
    fn operations_form_a_group_of_the_right_order() {
        for (hall, order) in [(1, 1), (81, 4), (363, 16), (419, 16), (458, 36), (459, 12), (523, 192), (526, 192)] {
            let ops = Setting::of_hall_number(hall).unwrap().operations();
            assert_eq!((ops.len(), ops[0]), (order, SymOp::IDENTITY), "hall {hall}");
            let same = |a: &SymOp, b: &SymOp| {
                a.rotation == b.rotation
                    && (0..3).all(|k| {
                        let d = a.translation[k] - b.translation[k];
                        (d - d.round()).abs() < 1e-9
                    })
            };
            for a in ops.iter().take(24) {
                assert!(ops.iter().all(|b| ops.iter().any(|c| same(&a.after(b), c))), "hall {hall}");
            }
        }
        assert!(Setting::of_hall_number(0).is_none() && Setting::of_hall_number(531).is_none());
    }
}
