//! How a calculation was done: the tags of VASP that decide what its energy may be compared with.

use std::collections::BTreeMap;

use super::functional;
use crate::species::element_of_symbol;
use crystal::Element;

/// VASP's tags by name, as text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tags(pub(crate) BTreeMap<String, String>);

impl Tags {
    /// Enters a tag; the first value of a name stays.
    pub(crate) fn enter(&mut self, name: &str, value: &str) {
        self.0.entry(name.trim().to_ascii_uppercase()).or_insert_with(|| value.trim().to_owned());
    }

    /// These, and of `other` what is missing here.
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (name, value) in other.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }

    /// The text of a tag that is set: VASP writes `--` for none.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty() && *text != "--")
    }

    /// A tag that is a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, String> {
        let Some(text) = self.word(name) else { return Ok(None) };
        let number = text.split_whitespace().next().and_then(|w| w.parse::<f64>().ok()).filter(|x| x.is_finite());
        number.map(Some).ok_or_else(|| format!("{name} is '{text}', expected a number"))
    }

    /// A tag that is a number for each species.
    fn list(&self, name: &str) -> Result<Option<Vec<f64>>, String> {
        self.word(name).map(super::numbers).transpose().map_err(|e| format!("{name}: {e}"))
    }

    /// A logical tag: `T`, `.TRUE.`.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.word(name).is_some_and(|text| text.trim_start_matches('.').starts_with(['T', 't']))
    }

    fn required(&self, name: &str) -> Result<f64, String> {
        self.number(name)?.ok_or_else(|| format!("no {name}; the file is incomplete"))
    }
}

/// One kind of atom: an entry of the POTCAR.
#[derive(Debug, Clone, PartialEq)]
pub struct Species {
    /// Its element.
    pub element: Element,
    /// Atoms of this kind in the cell.
    pub count: usize,
    /// Valence electrons of one atom.
    pub valence: f64,
    /// Title of its pseudopotential: `PAW_PBE Fe_pv 06Sep2000`.
    pub potcar: String,
}

impl Species {
    /// The kind that a pseudopotential's title names by its second word (`Fe_pv`).
    ///
    /// # Errors
    /// A title without an element.
    pub(crate) fn new(potcar: &str, count: usize, valence: f64) -> Result<Self, crystal::CrystalError> {
        let potcar = potcar.split_whitespace().collect::<Vec<_>>().join(" ");
        let element = element_of_symbol(potcar.split(' ').nth(1).unwrap_or(&potcar))?;
        Ok(Self { element, count, valence, potcar })
    }
}

/// A Hubbard term on the atoms of an element.
#[derive(Debug, Clone, PartialEq)]
pub struct HubbardU {
    /// Its element.
    pub element: Element,
    /// Angular momentum of the shell: 2 for d.
    pub l: i32,
    /// On-site Coulomb interaction, eV.
    pub u: f64,
    /// On-site exchange, eV. Where it is U − J alone that counts (Dudarev, LDAUTYPE 2), it is usually 0.
    pub j: f64,
}

/// The k-points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Kpoints {
    /// How they were made, in VASP's words: `Gamma`, `Monkhorst-Pack`, `Listgenerated` for lines; where it is stated.
    pub scheme: Option<String>,
    /// Divisions of the three reciprocal axes, for a regular mesh.
    pub mesh: Option<[i32; 3]>,
    /// How many there are, after symmetry.
    pub count: usize,
}

/// How a calculation was done. Energies of two calculations have a common zero only where functional, Hubbard terms, cutoff
/// and pseudopotentials are the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Functional: `PBE`, `PBEsol`, `SCAN`, `HSE06`; with `+U` for Hubbard terms and `-D3` for a dispersion correction.
    pub functional: String,
    /// What was added for dispersion: `D3`; `dispersion` where something was and the file does not say what.
    pub dispersion: Option<String>,
    /// Hubbard terms, one for each kind of atom that has one.
    pub hubbard: Vec<HubbardU>,
    /// LDAUTYPE: how they enter; 2 is Dudarev's.
    pub hubbard_type: Option<i32>,
    /// Plane-wave cutoff, eV.
    pub encut: f64,
    /// The k-points.
    pub kpoints: Kpoints,
    /// 1, or 2 for a spin-polarised calculation.
    pub ispin: i32,
    /// Whether spins may point anywhere (LNONCOLLINEAR), as with spin-orbit coupling.
    pub noncollinear: bool,
    /// Whether the non-spherical part of the density inside the spheres counts (LASPH).
    pub lasph: bool,
    /// The kinds of atoms, in the order of the sites.
    pub species: Vec<Species>,
    /// Electrons in the cell.
    pub nelect: f64,
    /// Whether the density was kept as it was read (ICHARG above 10), as for a band structure.
    pub fixed_density: bool,
    /// How ions move (IBRION): -1 not, 0 by Newton's law, 1 to 3 downhill.
    pub ibrion: i32,
    /// Most ionic steps.
    pub nsw: i32,
    /// What may move (ISIF): 2 the ions, 3 the cell too.
    pub isif: Option<i32>,
    /// Most electronic steps.
    pub nelm: i32,
    /// Change of energy, eV, that ends an electronic loop.
    pub ediff: f64,
    /// What ends a relaxation: a change of energy, eV, or where negative the largest force, eV/Å.
    pub ediffg: f64,
    /// How occupations are smeared (ISMEAR).
    pub ismear: Option<i32>,
    /// Width of the smearing, eV.
    pub sigma: Option<f64>,
}

impl Settings {
    /// Reads them off the tags. `added`: the energy, eV, that was added after the last electronic loop.
    ///
    /// # Errors
    /// What is missing, or is no number.
    pub(crate) fn new(tags: &Tags, species: Vec<Species>, kpoints: Kpoints, added: f64) -> Result<Self, String> {
        let integer = |name: &str| tags.number(name).map(|x| x.map(|x| x.round() as i32));
        let hubbard = hubbard(tags, &species)?;
        let nsw = integer("NSW")?.unwrap_or(0);
        let mut settings = Self {
            functional: functional::base(tags, &species)?,
            dispersion: functional::dispersion(tags)?,
            hubbard_type: if hubbard.is_empty() { None } else { integer("LDAUTYPE")? },
            hubbard,
            encut: tags.number("ENMAX")?.map_or_else(|| tags.required("ENCUT"), Ok)?,
            kpoints,
            ispin: integer("ISPIN")?.unwrap_or(1),
            noncollinear: tags.is_set("LNONCOLLINEAR") || tags.is_set("LSORBIT"),
            lasph: tags.is_set("LASPH"),
            species,
            nelect: tags.required("NELECT")?,
            fixed_density: integer("ICHARG")?.is_some_and(|n| n > 10),
            ibrion: integer("IBRION")?.unwrap_or(if nsw > 1 { 0 } else { -1 }),
            nsw,
            isif: integer("ISIF")?,
            nelm: tags.required("NELM")? as i32,
            ediff: tags.required("EDIFF")?,
            ediffg: tags.required("EDIFFG")?,
            ismear: integer("ISMEAR")?,
            sigma: tags.number("SIGMA")?,
        };
        if settings.dispersion.is_none() && added.abs() > super::ADDED_LATER {
            // VASP before 6 does not write IVDW to vasprun.xml: the energy shows it.
            settings.dispersion = Some(functional::UNNAMED.into());
        }
        if !settings.hubbard.is_empty() {
            settings.functional += "+U";
        }
        if let Some(dispersion) = &settings.dispersion {
            settings.functional += &format!("-{dispersion}");
        }
        Ok(settings)
    }

    /// The functional without the Hubbard terms: that of a metal whose energy is the reference for an ion.
    pub fn functional_without_u(&self) -> String {
        self.functional.replacen("+U", "", 1)
    }

    /// Whether ions move by Newton's law.
    pub fn is_dynamics(&self) -> bool {
        self.ibrion == 0 && self.nsw > 1
    }

    /// Charge of the cell, e: positive where electrons are missing.
    pub fn charge(&self) -> f64 {
        self.species.iter().map(|s| s.count as f64 * s.valence).sum::<f64>() - self.nelect
    }

    /// Names a dispersion correction that was seen by its energy only.
    pub(super) fn name_dispersion(&mut self, name: &str) {
        if self.dispersion.as_deref() == Some(functional::UNNAMED) {
            self.functional = self.functional.replacen(functional::UNNAMED, name, 1);
            self.dispersion = Some(name.to_owned());
        }
    }
}

/// The Hubbard terms of the kinds of atoms that have one.
fn hubbard(tags: &Tags, species: &[Species]) -> Result<Vec<HubbardU>, String> {
    if !tags.is_set("LDAU") {
        return Ok(Vec::new());
    }
    let values = |name: &str| -> Result<Vec<f64>, String> {
        let values =
            tags.list(name)?.ok_or_else(|| format!("LDAU is set, and {name} is not; the file is incomplete"))?;
        match values.len() >= species.len() {
            true => Ok(values),
            false => Err(format!("{name} has {} values for {} kinds of atoms", values.len(), species.len())),
        }
    };
    let (l, u, j) = (values("LDAUL")?, values("LDAUU")?, values("LDAUJ")?);
    let mut terms = Vec::new();
    for (k, kind) in species.iter().enumerate() {
        let term = HubbardU { element: kind.element, l: l[k] as i32, u: u[k], j: j[k] };
        // An element may be split over several kinds, by its moments.
        if term.l >= 0 && (term.u != 0.0 || term.j != 0.0) && !terms.contains(&term) {
            terms.push(term);
        }
    }
    Ok(terms)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Tags with what every file has, and `more` before them.
    pub(crate) fn tags(more: &[(&str, &str)]) -> Tags {
        let mut tags = Tags::default();
        let usual = [
            ("ENMAX", "520.0"),
            ("ISPIN", "2"),
            ("NELECT", "22"),
            ("NELM", "60"),
            ("EDIFF", "1e-5"),
            ("EDIFFG", "-0.01"),
            ("GGA", "--"),
        ];
        for (name, value) in more.iter().chain(&usual) {
            tags.enter(name, value);
        }
        tags
    }

    fn oxide() -> Vec<Species> {
        vec![
            Species::new("PAW_PBE Ti_pv 07Sep2000", 1, 10.0).unwrap(),
            Species::new("PAW_PBE O 08Apr2002", 2, 6.0).unwrap(),
        ]
    }

    fn settings(more: &[(&str, &str)], added: f64) -> Result<Settings, String> {
        Settings::new(&tags(more), oxide(), Kpoints::default(), added)
    }

    #[test]
    fn hubbard_terms_belong_to_elements() {
        let u = [("LDAU", "T"), ("LDAUTYPE", "2"), ("LDAUL", "2 -1"), ("LDAUU", "3.9 0.0"), ("LDAUJ", "0 0")];
        let found = settings(&u, 0.0).unwrap();
        let ti = Element::from_symbol("Ti").unwrap();
        assert_eq!(found.hubbard, [HubbardU { element: ti, l: 2, u: 3.9, j: 0.0 }]);
        assert_eq!((found.functional.as_str(), found.hubbard_type), ("PBE+U", Some(2)));
        assert_eq!(found.functional_without_u(), "PBE");
        assert_eq!(settings(&[("LDAU", "F"), ("LDAUU", "3.9 0")], 0.0).unwrap().functional, "PBE");
        let short = [("LDAU", "T"), ("LDAUL", "2 -1"), ("LDAUU", "3.9"), ("LDAUJ", "0 0")];
        assert!(settings(&short, 0.0).unwrap_err().contains("LDAUU has 1 values for 2"));
    }

    #[test]
    fn a_dispersion_correction_shows_in_the_energy_where_no_tag_tells() {
        let mut found = settings(&[], -10.68).unwrap();
        assert_eq!(found.functional, "PBE-dispersion");
        found.name_dispersion("TS");
        assert_eq!((found.functional.as_str(), found.dispersion.as_deref()), ("PBE-TS", Some("TS")));
        let mut stated = settings(&[("IVDW", "11")], -10.68).unwrap();
        stated.name_dispersion("TS");
        assert_eq!(stated.functional, "PBE-D3");
        assert_eq!(settings(&[], 1e-6).unwrap().dispersion, None);
    }

    #[test]
    fn charges_and_what_is_missing() {
        assert_eq!(settings(&[], 0.0).unwrap().charge(), 0.0);
        assert_eq!(settings(&[("NELECT", "21")], 0.0).unwrap().charge(), 1.0);
        assert!(settings(&[("NELM", "many")], 0.0).unwrap_err().contains("NELM is 'many'"));
        assert!(Settings::new(&Tags::default(), oxide(), Kpoints::default(), 0.0).is_err());
        assert!(Species::new("PAW_PBE Z 07Sep2000", 1, 8.0).is_err());
    }
}
