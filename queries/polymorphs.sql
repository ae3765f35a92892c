-- What: The polymorphs of TiO2, most stable first, with how far each lies above the lowest (eV/atom). Put another formula in its place.
-- Why: Polymorphs share a composition and differ in openness: what a framework pays for its tunnels.
-- Figure: None; the paper compares hosts of different composition.
WITH polymorphs AS (
    SELECT id, spacegroup, natoms, density, void, predict_ef(structure) AS ef
    FROM tmo
    WHERE formula = 'TiO2'
)
SELECT id, spacegroup, natoms, density, void, ef, ef - min(ef) OVER () AS above_lowest
FROM polymorphs
ORDER BY ef, id
