//! The name of a functional, from the tags and the pseudopotentials (VASP's manual, tags GGA, METAGGA, LHFCALC and IVDW).

use super::settings::{Species, Tags};

/// A dispersion correction that no tag names.
pub(super) const UNNAMED: &str = "dispersion";

/// The functional without Hubbard terms and dispersion.
///
/// # Errors
/// Pseudopotentials of several functionals where no tag chooses one.
pub(super) fn base(tags: &Tags, species: &[Species]) -> Result<String, String> {
    let gga = match tags.word("GGA") {
        Some(tag) => of_tag(tag),
        None => of_potcars(species)?,
    };
    if tags.is_set("LHFCALC") {
        let exact = tags.number("AEXX")?.unwrap_or(0.25);
        let screening = tags.number("HFSCREEN")?.unwrap_or(0.0);
        return Ok(hybrid(&gga, exact, screening));
    }
    Ok(meta_gga(tags).unwrap_or(gga))
}

/// A functional of the kinetic-energy density. OUTCAR of VASP 5 has a logical of this name, which says something else.
fn meta_gga(tags: &Tags) -> Option<String> {
    tags.word("METAGGA").map(str::to_ascii_uppercase).filter(|tag| !matches!(tag.as_str(), "F" | "T" | "NONE"))
}

fn of_tag(tag: &str) -> String {
    match tag.to_ascii_uppercase().as_str() {
        "PE" => "PBE",
        "PS" => "PBEsol",
        "RP" => "RPBE",
        "RE" => "revPBE",
        "AM" => "AM05",
        "91" => "PW91",
        "CA" | "PZ" => "LDA",
        "B3" => "B3LYP",
        "BF" => "BEEF",
        "OR" => "optPBE",
        "BO" => "optB88",
        "MK" => "optB86b",
        "ML" => "rPW86",
        other => return other.to_owned(),
    }
    .to_owned()
}

/// The functional of the pseudopotentials: the first word of their titles.
fn of_potcars(species: &[Species]) -> Result<String, String> {
    let name = |potcar: &str| match potcar.split(' ').next() {
        Some("PAW_PBE") => "PBE".to_owned(),
        Some("PAW_GGA") => "PW91".to_owned(),
        Some("PAW" | "PAW_LDA" | "US") => "LDA".to_owned(),
        _ => potcar.to_owned(),
    };
    let mut names: Vec<String> = species.iter().map(|s| name(&s.potcar)).collect();
    names.dedup();
    match names.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err("no pseudopotential is named; the file is incomplete".into()),
        several => Err(format!("pseudopotentials of several functionals: {}", several.join(", "))),
    }
}

/// Screening lengths are entered as 0.2 or 0.207 1/Å.
fn hybrid(gga: &str, exact: f64, screening: f64) -> String {
    let near = |a: f64, b: f64| (a - b).abs() < 0.01;
    match gga {
        _ if near(exact, 1.0) && screening == 0.0 => "HF".into(),
        "PBE" if near(exact, 0.25) && near(screening, 0.2) => "HSE06".into(),
        "PBE" if near(exact, 0.25) && near(screening, 0.3) => "HSE03".into(),
        "PBE" if near(exact, 0.25) && screening == 0.0 => "PBE0".into(),
        "PBEsol" if near(exact, 0.25) && near(screening, 0.2) => "HSEsol".into(),
        "B3LYP" if near(exact, 0.2) && screening == 0.0 => "B3LYP".into(),
        gga => format!("{gga} hybrid (AEXX {exact}, HFSCREEN {screening})"),
    }
}

/// What is added for dispersion.
///
/// # Errors
/// A tag that is no number.
pub(super) fn dispersion(tags: &Tags) -> Result<Option<String>, String> {
    if tags.is_set("LUSE_VDW") {
        let rvv10 = meta_gga(tags).is_some() || tags.word("GGA").is_some_and(|g| g.eq_ignore_ascii_case("ML"));
        return Ok(Some(if rvv10 { "rVV10" } else { "vdW-DF" }.into()));
    }
    let ivdw = tags.number("IVDW")?.map_or(0, |x| x as i32);
    Ok(match ivdw {
        0 if tags.is_set("LVDW") => Some("D2".into()),
        0 => None,
        1 | 10 => Some("D2".into()),
        11 => Some("D3".into()),
        12 => Some("D3BJ".into()),
        13 => Some("D4".into()),
        2 | 20 => Some("TS".into()),
        21 => Some("TS-HI".into()),
        4 => Some("dDsC".into()),
        202 => Some("MBD".into()),
        other => Some(format!("IVDW{other}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(tags: &[(&str, &str)], potcars: &[&str]) -> Result<String, String> {
        let mut found = Tags::default();
        tags.iter().for_each(|(name, value)| found.enter(name, value));
        let species: Vec<Species> = potcars.iter().map(|p| Species::new(p, 1, 1.0).unwrap()).collect();
        Ok(base(&found, &species)? + &dispersion(&found)?.map_or(String::new(), |d| format!("-{d}")))
    }

    #[test]
    fn tags_and_pseudopotentials_name_the_functional() {
        let pbe = ["PAW_PBE Li 17Jan2003", "PAW_PBE O 08Apr2002"];
        for (tags, expected) in [
            (&[][..], "PBE"),
            (&[("GGA", "--"), ("METAGGA", "--")], "PBE"),
            (&[("GGA", "PS")], "PBEsol"),
            (&[("GGA", "--"), ("METAGGA", "R2scan")], "R2SCAN"),
            (&[("METAGGA", "F")], "PBE"),
            (&[("LHFCALC", "T"), ("AEXX", "0.25"), ("HFSCREEN", "0.207")], "HSE06"),
            (&[("LHFCALC", ".TRUE."), ("AEXX", "0.25"), ("HFSCREEN", "0.0")], "PBE0"),
            (&[("LHFCALC", "T"), ("AEXX", "1.0")], "HF"),
            (&[("LHFCALC", "T"), ("AEXX", "0.3"), ("HFSCREEN", "0.2")], "PBE hybrid (AEXX 0.3, HFSCREEN 0.2)"),
            (&[("GGA", "RE"), ("LUSE_VDW", "T")], "revPBE-vdW-DF"),
            (&[("METAGGA", "F"), ("GGA", "RE"), ("LUSE_VDW", "T")], "revPBE-vdW-DF"),
            (&[("METAGGA", "SCAN"), ("LUSE_VDW", "T")], "SCAN-rVV10"),
            (&[("IVDW", "12")], "PBE-D3BJ"),
            (&[("IVDW", "99")], "PBE-IVDW99"),
        ] {
            assert_eq!(name(tags, &pbe).as_deref(), Ok(expected), "{tags:?}");
        }
        assert_eq!(name(&[], &["PAW Al 04Jan2001"]).as_deref(), Ok("LDA"));
        assert!(name(&[], &["PAW Al 04Jan2001", pbe[1]]).unwrap_err().contains("LDA, PBE"));
        assert!(name(&[("IVDW", "x")], &pbe).is_err() && name(&[], &[]).is_err());
    }
}
