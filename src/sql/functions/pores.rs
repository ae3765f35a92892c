//! Spheres that fit between the atoms, and the channels through which they pass.

use super::arguments::{dimensions, directions, named, radii, site_radii, structure};
use super::kernel::{Answer, Columns, Kernel, Row, crystals, crystals_as, lists_of};
use super::{Function, Kind, Omitted, Parameter, optional, required};
use crate::cost::Cost;
use crystal::Structure;
use features::{self, Channel, Spheres};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "bvse_barrier",
            text: "Migration barrier of an ion in a rigid framework, from bond-valence site energies (softBV, Chen, Wong & \
                   Adams 2019): the energy of the lowest pass that leads from cell to cell above the lowest minimum it \
                   connects. It takes milliseconds and ranks crystals; the framework does not relax, so it is too high where \
                   the host would, between layers above all. Ions of that element in the crystal are taken out first; formal \
                   charges are those of the crystal as it is given. NULL if softBV has no parameters for the ion with an anion, or if \
                   there is no pass below 10 eV.",
            parameters: vec![structure(), super::arguments::ion(), dimensions()],
            unit: Some("eV"),
            example: "SELECT id, bvse_barrier(structure, 'Li') AS barrier FROM tmo ORDER BY barrier",
            kernel: crystals(Cost::Costly, |row, s| {
                let (ion, along) = (features::Ion::parse(row.text(1))?, directions(row.number(2))?);
                Ok(features::bvse_barrier(s, &ion, along)?.ok_or("no pass below 10 eV")?)
            }),
        },
        Function {
            name: "channels",
            text: "Channels of a crystal, widest first. A channel is a connected part of the space open to the \
                   centre of the probe that repeats along a lattice vector.",
            parameters: vec![
                structure(),
                optional(
                    "probe",
                    Kind::NumberOrName,
                    Omitted::Means("each channel is taken at the radius of its own bottleneck"),
                    "An ion such as 'Li', 'Ca' or 'V4+', whose Shannon radius (sixfold) is the probe, or a radius in \
                     Å.",
                )
                .parsed(features::probe_radius),
                radii("ionic"),
            ],
            unit: None,
            example: "SELECT id, unnest(channels(structure, 'Ca')) FROM tmo",
            kernel: crystals_as(Cost::Costly, lists_of(channel_columns()), channels),
        },
        Function {
            name: "ion_passes",
            text: "True if an ion can pass through the crystal: if the space open to the centre of a sphere of its \
                   radius (Shannon, sixfold) repeats along a lattice vector.",
            parameters: vec![
                structure(),
                required("ion", Kind::NumberOrName, "An ion such as 'Li', 'Ca' or 'V4+', or a radius in Å.")
                    .parsed(features::probe_radius),
                radii("ionic"),
                dimensions(),
            ],
            unit: None,
            example: "SELECT id FROM tmo WHERE ion_passes(structure, 'Ca')",
            kernel: crystals(Cost::Costly, |row, s| {
                let (probe, along) = (features::probe_radius(row.text(1))?, directions(row.number(3))?);
                Ok(features::passes(s, &site_radii(row, 2, s)?, probe)? >= along)
            }),
        },
        Function {
            name: "largest_free_sphere",
            text: "Diameter of the largest sphere that can pass through the crystal (Df of Zeo++); 0 if none can. \
                   Half of it is the radius of the largest ion that can migrate.",
            parameters: vec![structure(), radii("ionic"), dimensions(), method()],
            unit: Some("Å"),
            example: "SELECT id FROM tmo WHERE largest_free_sphere(structure, 'ionic', 2) > 2 * 0.76",
            kernel: sphere(
                3,
                |row, s, r| Ok(features::largest_free_sphere(s, r, directions(row.number(2))?)?),
                |row, spheres| Ok(spheres.df_by_dimension[directions(row.number(2))? - 1]),
            ),
        },
        Function {
            name: "largest_included_sphere",
            text: "Diameter of the largest sphere that fits between the atoms (Di of Zeo++); 0 if there is no room.",
            parameters: vec![structure(), radii("ionic"), method()],
            unit: Some("Å"),
            example: "SELECT id, largest_included_sphere(structure) FROM tmo ORDER BY 2 DESC",
            kernel: sphere(2, |_, s, r| Ok(features::largest_included_sphere(s, r)?), |_, spheres| Ok(spheres.di)),
        },
        Function {
            name: "largest_sphere_along_path",
            text: "Diameter of the largest sphere that fits somewhere in the channel through which the largest free \
                   sphere passes (Dif of Zeo++, where it is along one path); 0 if no sphere can pass.",
            parameters: vec![structure(), radii("ionic"), method()],
            unit: Some("Å"),
            example: "SELECT id, largest_sphere_along_path(structure) FROM tmo",
            kernel: sphere(2, |_, s, r| Ok(features::largest_sphere_along_path(s, r)?), |_, spheres| Ok(spheres.dif)),
        },
    ]
}

/// How spheres are measured: whether exactly.
const METHODS: &[(&str, bool)] = &[("exact", true), ("zeo", false)];

fn method() -> Parameter {
    let text = "exact: the true clearance |p - x| - R. zeo: the radical (power) network with which Zeo++ \
                approximates it; both agree where all radii are equal.";
    super::arguments::choice("method", METHODS, text)
}

/// A diameter, radius set and method being arguments 1 and `method`: `exact` of the clearance, or `zeo` of Zeo++'s network.
fn sphere(
    method: usize,
    exact: fn(Row, &Structure, &[f64]) -> Answer<f64>,
    zeo: fn(Row, &Spheres) -> Answer<f64>,
) -> Kernel {
    crystals(Cost::Costly, move |row, s| {
        let radii = site_radii(row, 1, s)?;
        match named(row.text(method), METHODS)? {
            true => exact(row, s, &radii),
            false => zeo(row, &features::spheres(s, &radii)?),
        }
    })
}

fn channels(row: Row, s: &Structure) -> Answer<Vec<Channel>> {
    let radii = site_radii(row, 2, s)?;
    Ok(match row.omits(1) {
        true => features::tunnels(s, &radii)?,
        false => features::channels(s, &radii, features::probe_radius(row.text(1))?)?,
    })
}

fn channel_columns() -> Columns<Channel> {
    Columns::<Channel>::new()
        .field("axis", None, "Direction [u v w] of the widest path.", |c| c.direction())
        .field("dimensionality", None, "Number of independent directions, 1 to 3.", |c| c.dimensionality)
        .field("bottleneck_radius", Some("Å"), "Radius of the largest sphere that travels along the axis.", |c| {
            c.bottleneck_radius
        })
        .field("included_radius", Some("Å"), "Radius of the largest sphere that fits somewhere in the channel.", |c| {
            c.included_radius
        })
        .field("ring_size", None, "Number of cation polyhedra in the smallest closed ring around the axis.", |c| {
            c.ring.as_ref().map(|ring| ring.size())
        })
        .field("ring", None, "Elements at the centres of these polyhedra.", |c| {
            c.ring.as_ref().map(|ring| ring.formula())
        })
        .field("ring_name", None, "Name of the ring: 4 rectangular, 6 hexagonal, 7 heptagonal ...", |c| {
            c.ring.as_ref().map(|ring| ring.name())
        })
        .field(
            "ring_area",
            Some("Å²"),
            "Area of the polygon of the ring's centres, seen along the axis; NULL between layers.",
            |c| c.ring.as_ref().map(|ring| ring.area),
        )
        .field("window", None, "Atoms around the opening at the bottleneck.", |c| c.window_formula())
        .field(
            "area",
            Some("Å²"),
            "Area of the opening that no atom covers, seen along the axis from the bottleneck; NULL if the channel \
             winds.",
            |c| c.area,
        )
        .field(
            "accessible_volume",
            Some("Å³"),
            "Volume in the cell that the centre of the probe reaches; without a probe, the void that belongs to the channel.",
            |c| c.accessible_volume,
        )
}
