//! Neighbours of the sites, and what their bonds add up to.

use super::arguments::structure;
use super::kernel::{Columns, crystals, crystals_as, lists_of};
use super::{Function, Parameter, number};
use crate::cost::Cost;
use crystal::Element;
use features::{self, COORDINATION_TOLERANCE, Cell, Coordination, Face};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "bond_valence_sums",
            text: "Bond-valence sum of each site, in the order of the sites (O'Keeffe & Brese 1991, bonds up to 4 Å, \
                   as pymatgen's `calculate_bv_sum`). Positive on cations; in a well-determined structure close to \
                   the oxidation state.",
            parameters: vec![structure(), scale()],
            unit: Some("valence units"),
            example: "SELECT id, bond_valence_sums(structure) FROM tmo WHERE id = 'rutile'",
            kernel: crystals(Cost::Costly, |row, s| Ok(features::bond_valence_sums(s, row.number(1))?)),
        },
        Function {
            name: "coordination",
            text: "Coordination of each site. A neighbour is an ion of opposite charge (any atom in metals and other \
                   crystals without ions) whose Voronoi face spans more than `tolerance` of the largest solid angle: \
                   6 for Ti and 3 for O in rutile, 5 for V in V2O5.",
            parameters: vec![
                structure(),
                number("tolerance", COORDINATION_TOLERANCE, "Fraction of the largest solid angle, 0 to 1."),
            ],
            unit: None,
            example: "SELECT id FROM tmo WHERE coordination(structure)[1]['coordination'] = 6",
            kernel: crystals_as(Cost::Costly, lists_of(coordination_columns()), |row, s| {
                let found = features::coordination(s, row.number(1))?;
                let site = |(i, (element, coordination)): (usize, (&Element, Coordination))| Site {
                    number: i + 1,
                    element: *element,
                    of: coordination,
                };
                Ok(s.species().iter().zip(found).enumerate().map(site).collect())
            }),
        },
        Function {
            name: "electrostatic_valence",
            text: "Root-mean-square deviation, over the anions, between the sum of the Pauling bond strengths \
                   (cation charge over coordination number) and the charge of the anion: 0 in rutile, 0.89 in V2O5. \
                   It ranks crystals; most oxides break Pauling's second rule somewhat. NULL if no oxidation states \
                   are charge-neutral.",
            parameters: vec![structure()],
            unit: Some("valence units"),
            example: "SELECT id FROM tmo ORDER BY electrostatic_valence(structure) LIMIT 5",
            kernel: crystals(Cost::Costly, |_, s| Ok(features::electrostatic_valence(s)?)),
        },
        Function {
            name: "global_instability_index",
            text: "Root-mean-square deviation, over the sites, between bond-valence sum and oxidation state: below \
                   0.2 in well-determined, unstrained structures. NULL if no oxidation states are charge-neutral.",
            parameters: vec![structure(), scale()],
            unit: Some("valence units"),
            example: "SELECT id FROM tmo WHERE global_instability_index(structure) > 0.5",
            kernel: crystals(Cost::Costly, |row, s| Ok(features::global_instability_index(s, row.number(1))?)),
        },
        Function {
            name: "voronoi",
            text: "Voronoi cells of the sites, equal to pymatgen's `VoronoiNN`. Expand the lists with `unnest`.",
            parameters: vec![
                structure(),
                number(
                    "tolerance",
                    0.0,
                    "Faces whose solid angle is at most this fraction of the site's largest are not counted in \
                     `coordination`.",
                ),
            ],
            unit: None,
            example: "SELECT id, s['element'], s['volume'] FROM (SELECT id, unnest(voronoi(structure)) AS s FROM \
                      tmo)",
            kernel: crystals_as(Cost::Costly, lists_of(voronoi_columns()), |row, s| {
                let species = s.species();
                let tiled = |cell: Cell| Tile {
                    tolerance: row.number(1),
                    element: species[cell.center],
                    faces: cell.faces.iter().map(|face| (species[face.neighbor], face.clone())).collect(),
                    cell,
                };
                Ok(features::voronoi(s)?.cells.into_iter().map(tiled).collect())
            }),
        },
    ]
}

fn scale() -> Parameter {
    let text = "Factor on all distances; 1.015 compensates for the cells that GGA functionals make too large.";
    number("scale", 1.0, text)
}

/// A site with its neighbours.
struct Site {
    number: usize,
    element: Element,
    of: Coordination,
}

fn coordination_columns() -> Columns<Site> {
    let neighbors = Columns::<(Element, usize)>::new()
        .field("element", None, "Symbol of an element.", |(element, _)| element.symbol())
        .field("count", None, "Number of neighbours of this element.", |(_, count)| *count);
    Columns::<Site>::new()
        .field("site", None, "Number of the site, from 1.", |site| site.number)
        .field("element", None, "Its element.", |site| site.element.symbol())
        .field("coordination", None, "Number of its neighbours.", |site| site.of.number)
        .items("neighbors", "The neighbours by element.", |site| site.of.elements.clone(), neighbors)
}

/// The Voronoi cell of a site.
struct Tile {
    tolerance: f64,
    element: Element,
    cell: Cell,
    faces: Vec<(Element, Face)>,
}

fn voronoi_columns() -> Columns<Tile> {
    let faces = Columns::<(Element, Face)>::new()
        .field("neighbor", None, "Number of the neighbour's site, from 1.", |(_, face)| face.neighbor + 1)
        .field("element", None, "Element of the neighbour.", |(element, _)| element.symbol())
        .field("distance", Some("Å"), "Distance of the neighbour.", |(_, face)| face.distance)
        .field("area", Some("Å²"), "Area of the face.", |(_, face)| face.area)
        .field("solid_angle", Some("sr"), "Solid angle of the face, seen from the site.", |(_, face)| face.solid_angle);
    Columns::<Tile>::new()
        .field("site", None, "Number of the site, from 1.", |tile| tile.cell.center + 1)
        .field("element", None, "Its element.", |tile| tile.element.symbol())
        .field("volume", Some("Å³"), "Volume of its Voronoi cell; these sum to the volume of the unit cell.", |tile| {
            tile.cell.volume
        })
        .field("coordination", None, "Number of faces that count.", |tile| tile.cell.coordination(tile.tolerance))
        .field("weighted_coordination", None, "Each face counted as its solid angle over the largest one.", |tile| {
            tile.cell.weighted_coordination()
        })
        .field("max_solid_angle", Some("sr"), "Largest solid angle of a face.", |tile| tile.cell.max_solid_angle())
        .items("faces", "The faces.", |tile| tile.faces.clone(), faces)
}
