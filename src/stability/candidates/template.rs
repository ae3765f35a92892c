//! A known crystal with its elements taken out: the places that other elements may fill.
//!
//! A place is all sites of one element; those of an element that is divided are two places. Anions stay where they are: what is
//! exchanged are the cations, those elements whose state in the composition is positive.

use std::sync::Arc;

use super::orderings::{MAX_SITES, orderings};
use crate::substitute::bond;
use crystal::{Composition, DEFAULT_SYMPREC, Element, HermiteForm, Structure, Symmetry, hermite_forms};
use features::{Reduced, cation_radius, neutral_states};

/// Most places of a template: no oxide of the Materials Project has more elements.
pub const MAX_SLOTS: usize = 8;

/// A crystal that candidates are made from, in its primitive cell.
#[derive(Debug)]
pub struct Parent {
    pub id: String,
    pub structure: Structure,
    /// Mean length of the bonds of its ions, Å.
    pub bond: Option<f64>,
    /// Shortest distance of two atoms, Å.
    pub distance_min: f64,
}

/// All sites of one element, or the part of them that one element is to fill.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// The element of the parent.
    pub element: Element,
    /// Sites in the cell.
    pub count: f64,
    /// State of the element in the parent, e.
    pub state: f64,
    /// Shannon radius of a cation in sixfold coordination, Å.
    pub radius: Option<f64>,
}

impl Slot {
    /// Whether the element stays.
    pub fn is_fixed(&self) -> bool {
        self.state <= 0.0
    }
}

/// One of the orderings of two parts of an element, numbered from 1 whatever else is made beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ordering {
    /// Of the cells that are as many times the primitive one, which; `None` for the primitive cell, of which there is one.
    cell: Option<usize>,
    number: usize,
}

impl std::fmt::Display for Ordering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.cell.iter().try_for_each(|cell| write!(f, "{cell}."))?;
        write!(f, "{}", self.number)
    }
}

/// A structure type that elements are put into.
#[derive(Debug)]
pub struct Template {
    pub parent: Arc<Parent>,
    pub slots: Vec<Slot>,
    /// The slot of each site.
    pub slot_of: Vec<u8>,
    /// Where an element is divided: its two slots are the last, and this says which ordering of them it is.
    pub ordering: Option<Ordering>,
    /// The anonymous label of the structure type.
    pub label: String,
    /// The slots in the order of the label's letters, every order in which it has this label.
    pub orders: Vec<Vec<u8>>,
}

impl Template {
    /// The template of a crystal with whole elements, and those in which one element is divided in two: at most `divided` orderings for
    /// each share of the sites of a cell, the primitive one or a larger one of up to `cells` of it.
    ///
    /// # Errors
    /// Why none can be made of the crystal.
    pub fn all(id: String, structure: &Structure, divided: usize, cells: usize) -> Result<Vec<Self>, &'static str> {
        let structure = structure.primitive(DEFAULT_SYMPREC);
        let composition = structure.composition();
        let states = neutral_states(&composition).ok_or("it is not charge-neutral")?;
        if states.len() > MAX_SLOTS {
            return Err("it has too many elements");
        }
        let distance_min = structure.distance_min();
        let parent = Arc::new(Parent { id, bond: bond(&composition), distance_min, structure });
        let slots: Vec<Slot> =
            states.iter().map(|&(element, state)| slot(element, state, composition.amount(element))).collect();
        if slots.iter().all(Slot::is_fixed) {
            return Err("it has no cation");
        }
        let place = |element: &Element| slots.iter().position(|slot| slot.element == *element).unwrap_or(0) as u8;
        let slot_of: Vec<u8> = parent.structure.species().iter().map(place).collect();
        let (whole, _) = Self::build(&parent, slots, slot_of, None)?;
        let mut found = vec![whole];
        if divided > 0 && found[0].slots.len() < MAX_SLOTS {
            let numbered = |cells| {
                hermite_forms(cells).into_iter().enumerate().map(move |(k, form)| ((cells > 1).then_some(k + 1), form))
            };
            let larger =
                (1..=cells).flat_map(numbered).filter_map(|(cell, form)| Some((cell, found[0].in_cell(&form)?)));
            let parts: Vec<Self> = larger.flat_map(|(cell, template)| template.divide(cell, divided)).collect();
            found.extend(parts);
        }
        Ok(found)
    }

    /// The same template in a larger cell.
    fn in_cell(&self, form: &HermiteForm) -> Option<Self> {
        let Parent { id, structure, bond, distance_min } = &*self.parent;
        let structure = structure.superlattice(form).ok()?;
        let cells = structure.len() / self.slot_of.len();
        let slot_of = self.slot_of.iter().flat_map(|&slot| std::iter::repeat_n(slot, cells)).collect();
        let slots = self.slots.iter().map(|slot| Slot { count: slot.count * cells as f64, ..slot.clone() }).collect();
        let parent = Arc::new(Parent { id: id.clone(), structure, bond: *bond, distance_min: *distance_min });
        Some(Self { parent, slots, slot_of, ordering: None, label: self.label.clone(), orders: self.orders.clone() })
    }

    fn build(
        parent: &Arc<Parent>,
        slots: Vec<Slot>,
        slot_of: Vec<u8>,
        ordering: Option<Ordering>,
    ) -> Result<(Self, Symmetry), &'static str> {
        let mut template =
            Self { parent: Arc::clone(parent), slots, slot_of, ordering, label: String::new(), orders: Vec::new() };
        let labelled = template.labelled(None);
        let symmetry = Symmetry::of(&labelled, DEFAULT_SYMPREC).map_err(|_| "it has no consistent symmetry")?;
        let kind = symmetry.structure_type(&labelled);
        template.label = kind.label;
        template.orders =
            kind.orders.iter().map(|order| order.iter().map(|element| element.z() - 1).collect()).collect();
        Ok((template, symmetry))
    }

    /// The templates in which the sites of one cation are divided; `cell` is the number of this one.
    fn divide(&self, cell: Option<usize>, most: usize) -> Vec<Self> {
        let places: Vec<u8> = (0..self.slots.len() as u8)
            .filter(|&place| {
                let slot = &self.slots[usize::from(place)];
                !slot.is_fixed() && (2.0..=MAX_SITES as f64).contains(&slot.count)
            })
            .collect();
        let labelled = self.labelled(None);
        let symmetry = if places.is_empty() { None } else { Symmetry::of(&labelled, DEFAULT_SYMPREC).ok() };
        let Some(symmetry) = symmetry else { return Vec::new() };
        let permutations = symmetry.permutations(&labelled, DEFAULT_SYMPREC);
        places.into_iter().flat_map(|place| self.divide_place(place, &permutations, cell, most)).collect()
    }

    fn divide_place(&self, place: u8, permutations: &[Vec<usize>], cell: Option<usize>, most: usize) -> Vec<Self> {
        let sites: Vec<usize> = (0..self.slot_of.len()).filter(|&site| self.slot_of[site] == place).collect();
        let within = |site: usize| sites.iter().position(|s| *s == site).unwrap_or(0);
        let mut local: Vec<Vec<usize>> =
            permutations.iter().map(|p| sites.iter().map(|&site| within(p[site])).collect()).collect();
        local.sort_unstable();
        local.dedup();
        let mut found = Vec::new();
        // The other half of the shares are the same with the elements exchanged.
        for count in 1..=sites.len() / 2 {
            for (number, choice) in orderings(sites.len(), count, &local).into_iter().take(most).enumerate() {
                let mut slots = self.slots.clone();
                let divided = slots.remove(usize::from(place));
                let part = |count: usize| Slot { count: count as f64, ..divided.clone() };
                slots.extend([part(count), part(sites.len() - count)]);
                let (first, second) = (slots.len() as u8 - 2, slots.len() as u8 - 1);
                let mut slot_of: Vec<u8> = self.slot_of.iter().map(|&slot| slot - u8::from(slot > place)).collect();
                for (bit, &site) in sites.iter().enumerate() {
                    slot_of[site] = if choice >> bit & 1 == 1 { first } else { second };
                }
                let ordering = Ordering { cell, number: number + 1 };
                let made = Self::build(&self.parent, slots, slot_of, Some(ordering));
                found.extend(made.ok().map(|(template, _)| template));
            }
        }
        found
    }

    /// The crystal with a sign in place of an element for each slot: the number of the slot, or its place in `order`.
    pub fn labelled(&self, order: Option<&[u8]>) -> Structure {
        let place = |slot: u8| match order {
            Some(order) => order.iter().position(|s| *s == slot).unwrap_or(0) as i64,
            None => i64::from(slot),
        };
        let labels: Vec<Element> =
            (0..self.slots.len() as u8).filter_map(|slot| Element::from_z(place(slot) + 1).ok()).collect();
        self.filled(&labels)
    }

    /// The parent with these elements in the slots, in its own cell.
    pub fn filled(&self, elements: &[Element]) -> Structure {
        self.parent.structure.relabelled(|site, _| elements[usize::from(self.slot_of[site])])
    }

    /// What is compared to distinguish structure types of one label, for one of the orders.
    pub fn form(&self, order: &[u8]) -> Reduced {
        Reduced::of(&self.labelled(Some(order)))
    }

    /// The composition with an element in each slot.
    pub fn composition(&self, elements: &[Element]) -> Composition {
        elements.iter().zip(&self.slots).map(|(&element, slot)| (element, slot.count)).collect()
    }

    /// What was exchanged for what: `Ti>Sn`; of an element that was divided the amounts of both, and which ordering of them it is:
    /// `Ti>Nb1V1#2`, and in the third of the cells that are twice the primitive one `Ti>Nb2V2#3.1`.
    pub fn substitution(&self, elements: &[Element]) -> String {
        let whole = self.slots.len() - if self.ordering.is_some() { 2 } else { 0 };
        let exchanged = (0..whole).filter(|&i| self.slots[i].element != elements[i]);
        let mut parts: Vec<String> = exchanged.map(|i| format!("{}>{}", self.slots[i].element, elements[i])).collect();
        if let (Some(ordering), [.., first, second]) = (self.ordering, self.slots.as_slice()) {
            let [a, b] = [elements[whole], elements[whole + 1]];
            parts.push(format!("{}>{a}{}{b}{}#{ordering}", first.element, first.count, second.count));
        }
        parts.join(",")
    }
}

fn slot(element: Element, state: f64, count: f64) -> Slot {
    Slot { element, count, state, radius: cation_radius(element, state.round() as i8) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::hosts::host;

    #[test]
    fn rutile_has_a_place_for_a_cation() {
        let found = Template::all("r".into(), &host("rutile").unwrap().supercell([1, 1, 2]).unwrap(), 0, 1).unwrap();
        assert_eq!(found.len(), 1);
        let rutile = &found[0];
        assert_eq!(rutile.label, "AB2_tP6_136_a_f");
        let places: Vec<_> =
            rutile.slots.iter().map(|s| (s.element.symbol(), s.count, s.state, s.is_fixed())).collect();
        assert_eq!(places, [("O", 4.0, -2.0, true), ("Ti", 2.0, 4.0, false)]);
        assert_eq!(rutile.orders, [[1, 0]]);
        let tin = Element::from_symbol("Sn").unwrap();
        assert_eq!(rutile.substitution(&[Element::O, tin]), "Ti>Sn");
        assert_eq!(rutile.composition(&[Element::O, tin]).reduced_formula(), "SnO2");
    }

    #[test]
    fn the_two_metal_sites_of_rutile_are_divided_in_one_way() {
        let found = Template::all("r".into(), &host("rutile").unwrap(), 5, 1).unwrap();
        assert_eq!(found.len(), 2);
        let [nb, v] = ["Nb", "V"].map(|s| Element::from_symbol(s).unwrap());
        assert_eq!(found[1].substitution(&[Element::O, nb, v]), "Ti>Nb1V1#1");
        assert_eq!(found[1].composition(&[Element::O, nb, v]).reduced_formula(), "NbVO4");
        // One metal at the corner, the other in the centre: the screw axis and the glide go, Cmmm stays, and both may change names.
        assert_eq!((found[1].label.as_str(), found[1].orders.len()), ("ABC4_oC12_65_a_c_gj", 2));
    }

    #[test]
    fn a_metal_has_no_place() {
        let iron = Structure::new(
            crystal::Lattice::from_parameters(2.87, 2.87, 2.87, 90.0, 90.0, 90.0).unwrap(),
            vec![Element::from_symbol("Fe").unwrap(); 2],
            vec![[0.0; 3], [0.5; 3]],
        );
        assert!(Template::all("i".into(), &iron.unwrap(), 0, 1).is_err());
    }
}
