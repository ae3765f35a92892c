//! Which templates, and which known crystals, are of one structure type.
//!
//! The label of a type holds no coordinates: for a triclinic crystal with all atoms in general positions it says almost nothing. Crystals
//! of one label are therefore laid on each other, with signs in place of elements (`same_structure`, at its usual tolerances), and are of
//! one type where they match. Within a type, the elements in the order of the label name the crystal.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::template::{MAX_SLOTS, Template};
use crystal::{DEFAULT_SYMPREC, Element, Structure, Symmetry};
use features::{Reduced, Tolerances};

/// A crystal by its structure type and the elements in it: two of one key are the same but for the parameters of the type.
pub type Key = (u32, [u8; MAX_SLOTS]);

/// A structure type: where to find it, and what its crystals look like.
struct Type {
    number: u32,
    form: Reduced,
}

/// What was found of a template: the place of its type among those of its label, and the orders in which it matches.
type Place = (usize, Vec<Vec<u8>>);

/// The structure types of templates.
pub struct Types {
    by_label: HashMap<String, Vec<Type>>,
    /// Numbers of atoms of each element in the formula of some type, in order.
    amounts: HashSet<Vec<u64>>,
}

impl Types {
    /// Sorts templates into types: the number of each one's type. Of its orders, those in which it matches the first of the type stay.
    pub fn of(templates: &mut [Template]) -> (Self, Vec<u32>) {
        let mut labels: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, template) in templates.iter().enumerate() {
            labels.entry(template.label.clone()).or_default().push(i);
        }
        let mut labels: Vec<_> = labels.into_iter().collect();
        labels.sort_unstable();
        // The types of a label, and of each of its templates the type and the orders.
        let sorted: Vec<(Vec<Reduced>, Vec<Place>)> = labels
            .par_iter()
            .map(|(_, members)| {
                let mut forms: Vec<Reduced> = Vec::new();
                let mut places = Vec::with_capacity(members.len());
                for &i in members {
                    let template = &templates[i];
                    let own: Vec<Reduced> = template.orders.iter().map(|order| template.form(order)).collect();
                    let on = |form: &Reduced| -> Vec<Vec<u8>> {
                        let orders = template.orders.iter().zip(&own);
                        orders
                            .filter(|(_, own)| own.is_same(form, &Tolerances::default()))
                            .map(|(o, _)| o.clone())
                            .collect()
                    };
                    let found =
                        forms.iter().enumerate().map(|(k, form)| (k, on(form))).find(|(_, orders)| !orders.is_empty());
                    places.push(found.unwrap_or_else(|| {
                        forms.push(own[0].clone());
                        let orders = on(&own[0]);
                        (forms.len() - 1, if orders.is_empty() { vec![template.orders[0].clone()] } else { orders })
                    }));
                }
                (forms, places)
            })
            .collect();
        let (mut types, mut amounts) = (HashMap::new(), HashSet::new());
        let mut numbers = vec![0; templates.len()];
        let mut next = 0;
        for ((label, members), (forms, places)) in labels.into_iter().zip(sorted) {
            for (&i, (kind, orders)) in members.iter().zip(places) {
                numbers[i] = next + kind as u32;
                templates[i].orders = orders;
                amounts.insert(amounts_of(&templates[i].labelled(None)));
            }
            let numbered = |(k, form)| Type { number: next + k as u32, form };
            let list: Vec<Type> = forms.into_iter().enumerate().map(numbered).collect();
            next += list.len() as u32;
            types.insert(label, list);
        }
        (Self { by_label: types, amounts }, numbers)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.by_label.values().map(Vec::len).sum()
    }

    /// The key of a crystal that is of one of these types.
    pub fn key(&self, structure: &Structure) -> Option<Key> {
        if !self.amounts.contains(&amounts_of(structure)) {
            return None;
        }
        let symmetry = Symmetry::of(structure, DEFAULT_SYMPREC).ok()?;
        let kind = symmetry.structure_type(structure);
        let types = self.by_label.get(&kind.label)?;
        let forms: Vec<(Reduced, &Vec<Element>)> =
            kind.orders.iter().map(|order| (form(structure, order), order)).collect();
        types.iter().find_map(|found| {
            let fits = forms.iter().filter(|(form, _)| form.is_same(&found.form, &Tolerances::default()));
            key(found.number, fits.map(|(_, order)| order.iter().copied()))
        })
    }
}

/// The key of a type and the elements in it, in each of the orders.
pub fn key<O: IntoIterator<Item = Element>>(number: u32, orders: impl Iterator<Item = O>) -> Option<Key> {
    let packed = |order: O| {
        let mut packed = [0; MAX_SLOTS];
        packed.iter_mut().zip(order).for_each(|(place, element)| *place = element.z());
        packed
    };
    orders.map(packed).min().map(|elements| (number, elements))
}

/// A crystal with the places of its elements in `order` for the elements.
fn form(structure: &Structure, order: &[Element]) -> Reduced {
    Reduced::of(&structure.relabelled(|_, element| {
        let place = order.iter().position(|e| *e == element).unwrap_or(0);
        Element::from_z(place as i64 + 1).unwrap_or(element)
    }))
}

/// Amounts in the reduced formula, in order.
fn amounts_of(structure: &Structure) -> Vec<u64> {
    let mut amounts: Vec<u64> = structure.composition().reduced().iter().map(|(_, n)| n.round() as u64).collect();
    amounts.sort_unstable();
    amounts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::substitute;
    use formats::hosts::host;

    fn element(symbol: &str) -> Element {
        Element::from_symbol(symbol).unwrap()
    }

    #[test]
    fn a_type_is_found_again_in_another_cell_and_with_other_elements() {
        let rutile = host("rutile").unwrap();
        let tin = substitute(&rutile, &[(element("Ti"), element("Sn"))], true).unwrap();
        let mut templates = [&rutile, &tin, &host("anatase").unwrap()]
            .iter()
            .flat_map(|s| Template::all(String::new(), s, 0, 1).unwrap())
            .collect::<Vec<_>>();
        let (types, numbers) = Types::of(&mut templates);
        assert_eq!((types.len(), numbers[0] == numbers[1], numbers[0] == numbers[2]), (2, true, false));
        let found = types.key(&tin.supercell([1, 2, 1]).unwrap()).unwrap();
        assert_eq!(found.0, numbers[0]);
        assert_eq!(found.1[..2], [50, 8]);
        assert_eq!(types.key(&rutile).unwrap().1[..2], [22, 8]);
        assert_eq!(types.key(&host("lanthanum-cobaltate").unwrap()), None);
    }

    #[test]
    fn elements_that_may_change_places_give_one_key() {
        let divided = Template::all(String::new(), &host("rutile").unwrap(), 5, 1).unwrap().pop().unwrap();
        let filled = |a: &str, b: &str| divided.filled(&[Element::O, element(a), element(b)]);
        let (one, other) = (filled("Nb", "V"), filled("V", "Nb"));
        let (types, _) = Types::of(&mut [divided]);
        assert_eq!(types.key(&one), types.key(&other));
        assert!(types.key(&one).is_some());
    }

    #[test]
    fn a_doubled_perovskite_has_three_ways_to_divide_each_metal() {
        let lattice = crystal::Lattice::from_parameters(3.905, 3.905, 3.905, 90.0, 90.0, 90.0).unwrap();
        let [sr, ti, o] = ["Sr", "Ti", "O"].map(element);
        let frac = vec![[0.0; 3], [0.5; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
        let cubic = Structure::new(lattice, vec![sr, ti, o, o, o], frac).unwrap();
        let mut templates = Template::all(String::new(), &cubic, 9, 2).unwrap();
        // Of two cells side by side there are seven lattices, in three directions up to symmetry: 100, 110 and 111. Each divides
        // strontium or titanium in one way.
        assert_eq!(templates.len(), 1 + 2 * 7);
        let (types, _) = Types::of(&mut templates);
        assert_eq!(types.len(), 1 + 2 * 3);
        // 111 is the double perovskite of rock-salt order.
        assert!(
            templates.iter().any(|t| t.label == "ABC2D6_cF40_225_a_b_c_e"),
            "{:?}",
            templates.iter().map(|t| &t.label).collect::<Vec<_>>()
        );
    }
}
