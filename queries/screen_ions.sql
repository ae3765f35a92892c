-- What: For Mg, Al, Zn and Na each, the ten open oxides of up to 24 atoms that take the ion up at the highest voltage, as screen_ca does for calcium.
-- Why: A host that takes several ions is worth more, and insertion of a multivalent ion is judged by what it gains over conversion, not by a positive voltage. The columns are those of screen_ca, potential and its interval in eV per ion.
-- Figure: The screening that the paper's outlook asks for (Datta et al., Energy Adv. 2024, 3, 968, section 4).
WITH asked (ion) AS (
    VALUES ('Mg'), ('Al'), ('Zn'), ('Na')
),
energies AS (
    SELECT id, formula, structure, natoms, void, coalesce(formation_energy_per_atom, predict_ef(structure)) AS ef FROM tmo
),
known AS (
    SELECT phase_diagram(formula, ef) AS hull FROM energies
),
open AS (
    SELECT energies.*, ion FROM energies, asked
    WHERE void > 0.5
      AND natoms <= 24
      AND ion_passes(structure, ion)
      -- Hosts only: no ion that would have to leave first, nothing that holds the ion for another reason.
      AND NOT has_element(formula, 'Li') AND NOT has_element(formula, 'Na') AND NOT has_element(formula, 'K')
      AND NOT has_element(formula, ion) AND NOT has_element(formula, 'H') AND NOT has_element(formula, 'F')
),
stable AS (
    SELECT open.*, e_above_hull(hull, formula, ef) AS e_hull FROM open, known WHERE e_above_hull(hull, formula, ef) < 0.1
),
held AS (
    SELECT id, ion, structure, formula, formula(structure) AS cell, natoms, void, ef, e_hull, unnest(adsorption(structure, ion)) AS place FROM stable
),
judged AS (
    SELECT held.*, place['voltage'] AS voltage, place['volume_change'] AS volume_change,
           place['n'] AS n, place['channel'] AS number, place['channel_name'] AS channel, place['adsorption_potential'] AS potential,
           place['ions_per_formula'] AS ions_per_formula, place['spacing'] AS spacing, place['spread'] AS spread,
           conversion_voltage(hull, cell, ef, ion, place['n']) AS conversion,
           place['converged'] AND place['host_kept'] AND abs(place['volume_change']) < 0.15 AS is_host
    FROM held, known
    WHERE place['adsorption_potential'] IS NOT NULL
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY id, ion ORDER BY voltage DESC) AS best FROM judged WHERE is_host
),
first AS (
    SELECT *, row_number() OVER (PARTITION BY ion ORDER BY voltage DESC) AS rank FROM ranked WHERE best = 1
),
trusted AS (
    SELECT *, adsorption_interval(structure, ion, n, coalesce(CAST(number AS VARCHAR), 'cavities')) AS trust
    FROM first
    WHERE rank <= 10
)
SELECT ion, rank, id, formula, natoms, void, e_hull, channel, voltage,
       potential, trust['lower'] AS lower, trust['upper'] AS upper, trust['reason'] AS no_interval,
       conversion, conversion - voltage AS gain, bvse_barrier(structure, ion) AS barrier, volume_change,
       ions_per_formula, spacing, spread
FROM trusted
ORDER BY ion, rank
