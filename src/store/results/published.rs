//! The numbers of Datta et al., Energy Adv. 2024, 3, 968, as facts: each with where it stands in the paper. What the paper
//! shows in a figure only is NULL. And ten electrodes whose voltage was measured, each with who measured it.
//!
//! A store gets them when it is made. One that an older program made gets what it lacks when it is next opened; the registry
//! remembers which edition of a file the lake has, so that rows and tables that a user has removed stay away.

use rusqlite::{OptionalExtension, params};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crystal::hex;

use super::{AdsorptionRow, ChargeRow, Electrode, ReferenceEnergy, ResultRow};
use crate::StoreError;
use crate::lake::Store;
use crate::tables;

const ADSORPTION: &str = include_str!("../../../fixtures/published/adsorption.csv");
const CHARGES: &str = include_str!("../../../fixtures/published/charges.csv");
const ELECTRODES: &str = include_str!("../../../fixtures/published/electrodes.csv");
const REFERENCE_ENERGIES: &str = include_str!("../../../fixtures/published/reference_energies.csv");

impl Store {
    /// Adds the published numbers that the store lacks, where it may be written to and no writer is active.
    pub(crate) async fn publish(&self) -> Result<(), StoreError> {
        if !self.is_writable() {
            return Ok(());
        }
        self.publish_table::<AdsorptionRow>(ADSORPTION).await?;
        self.publish_table::<ChargeRow>(CHARGES).await?;
        self.publish_table::<Electrode>(ELECTRODES).await?;
        self.publish_table::<ReferenceEnergy>(REFERENCE_ENERGIES).await
    }

    async fn publish_table<R: ResultRow + DeserializeOwned>(&self, csv: &str) -> Result<(), StoreError> {
        let sha256 = hex(&Sha256::digest(csv));
        let sql = "SELECT sha256 FROM hollandite_published WHERE table_name = ?";
        let known: Option<String> = self.connect()?.query_row(sql, params![R::TABLE], |row| row.get(0)).optional()?;
        if known.as_ref() == Some(&sha256) {
            return Ok(());
        }
        // An import may hold the turn for hours: the next process that opens the store adds them.
        let Some(_turn) = self.try_lock()? else { return Ok(()) };
        let stays = match (self.table_schema(R::TABLE).await?, tables::schema_of(R::TABLE)) {
            // A user's own table of that name stays as it is, and a dropped one stays dropped.
            (Some(found), Some(ours)) => tables::same_shape(&found, &ours).is_err(),
            _ => known.is_some(),
        };
        if !stays {
            let rows: Vec<R> = rows(csv)?;
            self.append_in_turn(&rows, &format!("published numbers of {}", R::TABLE)).await?;
        }
        self.connect()?.execute(
            "INSERT OR REPLACE INTO hollandite_published (table_name, sha256) VALUES (?, ?)",
            params![R::TABLE, sha256],
        )?;
        Ok(())
    }
}

/// The rows of a file; an empty cell is NULL.
fn rows<R: DeserializeOwned>(csv: &str) -> Result<Vec<R>, StoreError> {
    let fault = StoreError::lake("reading the published numbers");
    csv::Reader::from_reader(csv.as_bytes()).into_deserialize().collect::<Result<_, _>>().map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Composition, Element};

    /// Section 3.1 of the paper: Table 1, Table 2 and the potentials of the text.
    #[test]
    fn the_tables_hold_the_numbers_of_the_paper() {
        let adsorption: Vec<AdsorptionRow> = rows(ADSORPTION).unwrap();
        let potential = |host: &str, ion: &str, n: i32, channel: &str| {
            let mut found = adsorption.iter().filter(|r| {
                (r.host.as_str(), r.ion.as_str(), r.n, r.channel.as_deref()) == (host, ion, n, Some(channel))
            });
            let row = found.next().unwrap_or_else(|| panic!("{host} {ion} {n} {channel}"));
            assert!(found.next().is_none(), "{host} {ion} {n} {channel} twice");
            row.adsorption_potential
        };
        let (movo, nto) = ("trigonal MoVO", "Nb12WO33");
        for (ion, one, two) in [
            ("Ca", [Some(4.0), Some(4.0), None], [Some(3.06), Some(2.07)]),
            ("Li", [Some(4.73), None, Some(3.53)], [Some(4.22), Some(3.46)]),
            ("Al", [Some(4.39), Some(1.73), Some(-1.95)], [None, Some(0.66)]),
        ] {
            for (channel, value) in ["heptagonal", "hexagonal", "triangular"].into_iter().zip(one) {
                assert_eq!(potential(movo, ion, 1, channel), value, "{ion} {channel}");
            }
            for (channel, value) in ["heptagonal", "hexagonal"].into_iter().zip(two) {
                assert_eq!(potential(movo, ion, 2, channel), value, "2 {ion} {channel}");
            }
        }
        for (ion, values) in [("Li", [4.4, 3.44]), ("Ca", [3.4, -0.82]), ("Al", [0.9, -0.26])] {
            for (n, value) in (1..).zip(values) {
                assert_eq!(potential(nto, ion, n, "rectangular"), Some(value));
            }
        }
        assert_eq!(adsorption.len(), 15 + 6);
        let areas = [
            ("heptagonal", Some(41.67)),
            ("hexagonal", Some(27.19)),
            ("triangular", None),
            ("rectangular", Some(15.36)),
        ];
        for row in &adsorption {
            assert!(areas.contains(&(row.channel.as_deref().unwrap(), row.area)), "{row:?}");
        }

        let charges: Vec<ChargeRow> = rows(CHARGES).unwrap();
        let transfers = |host: &str, ion: &str| -> Vec<f64> {
            let of = |r: &&ChargeRow| r.host == host && r.ion.as_deref() == Some(ion);
            charges.iter().filter(of).map(|r| r.charge_transfer.unwrap()).collect()
        };
        assert_eq!(transfers(movo, "Ca"), [1.08, 1.57, 1.42, 1.22, 1.25]);
        assert_eq!(transfers(movo, "Li"), [0.55, 0.69, 0.63, 0.38, 0.46]);
        assert_eq!(transfers(movo, "Al"), [1.28, 1.04, 1.65, 1.06, 1.26]);
        assert_eq!(transfers(nto, "Ca"), [1.36, 1.13]);
        assert_eq!(transfers(nto, "Li"), [0.22, 0.26]);
        assert_eq!(transfers(nto, "Al"), [1.53, 3.01]);

        let references: Vec<ReferenceEnergy> = rows(REFERENCE_ENERGIES).unwrap();
        let energies: Vec<_> = references.iter().map(|r| (r.ion.as_str(), r.energy)).collect();
        assert_eq!(energies, [("Ca", -1.980), ("Li", -1.8978), ("Al", -3.45)]);
        for row in &adsorption {
            assert!(energies.contains(&(row.ion.as_str(), row.e_ion.unwrap())));
        }
    }

    #[test]
    fn every_row_says_where_it_stands_and_names_things_as_the_store_does() {
        let adsorption: Vec<AdsorptionRow> = rows(ADSORPTION).unwrap();
        let charges: Vec<ChargeRow> = rows(CHARGES).unwrap();
        let places = adsorption.iter().map(|r| (&r.source, &r.where_in_paper, &r.host_formula, &r.ion));
        let more = charges.iter().map(|r| (&r.source, &r.where_in_paper, &r.host_formula, r.ion.as_ref().unwrap()));
        for (source, place, formula, ion) in places.chain(more) {
            assert_eq!(source, "Datta et al., Energy Adv. 2024, 3, 968");
            assert!(place.as_deref().is_some_and(|place| place.len() > 2), "{formula:?} {ion}");
            let formula = formula.as_deref().unwrap();
            assert_eq!(Composition::parse(formula).unwrap().reduced_formula(), formula);
            Element::from_symbol(ion).unwrap();
        }
    }

    #[test]
    fn measured_voltages_are_of_electrodes_that_are_cited() {
        let electrodes: Vec<Electrode> = rows(ELECTRODES).unwrap();
        assert_eq!(electrodes.len(), 10);
        for row in &electrodes {
            assert!(row.method == "experiment" && row.source.contains(['1', '2']) && row.note.is_some(), "{row:?}");
            assert!(row.charged.is_none() && (1.0..5.0).contains(&row.voltage), "{row:?}");
            let [empty, full] = [&row.formula_charged, &row.formula_discharged]
                .map(|formula| Composition::parse(formula.as_deref().unwrap()).unwrap());
            let ion = Element::from_symbol(&row.ion).unwrap();
            let host = |c: &Composition| c.iter().find(|(e, _)| *e != ion).unwrap().1;
            assert!(full.amount(ion) / host(&full) > empty.amount(ion) / host(&empty), "{row:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_has_them_once_and_what_is_removed_stays_away() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let store = Store::init(&path).await.unwrap();
        let rows = |store: &Store| -> Vec<_> {
            store.info(None).unwrap().tables.into_iter().map(|t| (t.name, t.rows.unwrap())).collect()
        };
        let table = |name: &str, n: u64| (name.to_owned(), n);
        let results = [table("adsorption", 21), table("charges", 21), table("electrodes", 10)];
        let all = [results.as_slice(), &[table("reference_energies", 3), table("tmo", 0)]].concat();
        assert_eq!(rows(&store), all);
        drop(store);
        let store = Store::open(&path).await.unwrap();
        assert_eq!(rows(&store), all);
        store.writer().unwrap().drop_table("main", "charges").unwrap();
        // As if the program had another edition of the numbers.
        store.connect().unwrap().execute("UPDATE hollandite_published SET sha256 = ''", []).unwrap();
        drop(store);
        let store = Store::open(&path).await.unwrap();
        assert_eq!(rows(&store), [&all[..1], &all[2..]].concat());
    }
}
