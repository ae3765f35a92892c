-- What: As voltages, end to end: the charged crystal is relaxed, the ions are inserted where our own search puts them, the filled cell is relaxed (V against the metal).
-- Why: This is the error of `adsorption` as a screening uses it. same_site says whether the filled crystal is the published one (same_structure): where it is not, the site is at fault or
--   the published crystal is another polymorph. spread is the difference that the choice among several starts makes. Whole numbers of ions, cells of up to 26 atoms; tens of seconds a row; remembered.
-- Figure: None; see voltages.
WITH inserted AS (
    SELECT *, adsorption(charged, ion, n, '', 'everywhere')[1] AS place
    FROM electrodes
    WHERE method = 'DFT' AND charged IS NOT NULL AND n = floor(n) AND n <= 8 AND natoms(charged) <= 26
)
SELECT battery_id, ion, valence, formula_charged, formula_discharged, n, natoms(charged) AS atoms,
       volume_change AS dft_volume_change,
       voltage AS label,
       CASE WHEN place['converged'] THEN place['voltage'] END AS prediction,
       same_structure(place['structure'], discharged) AS same_site,
       place['starts'] AS starts, place['spread'] AS spread, place['spacing'] AS spacing, place['volume_change'] AS our_volume_change,
       place['host_kept'] AS host_kept, place['host_energy_change'] AS host_energy_change, place['reason'] AS reason, source
FROM inserted
ORDER BY ion, battery_id
