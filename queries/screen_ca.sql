-- What: The twenty open oxides that take calcium up at the highest voltage: void and channels first, then the energy above the hull, then the whole loop of insertion and relaxation for those that are left.
-- Why: The paper's question turned round: not how one tunnel holds three ions, but which of thousands of oxides has a tunnel that takes Ca. Each step is applied only to what the cheaper ones leave.
--   voltage is against calcium metal, by the session's energy model (its error: voltage_errors). A positive voltage alone shows little, since nearly every oxide of a reducible cation has one. The host must
--   converge, change its volume by less than 15 % and relax back to the same structure without the ion (host_kept): otherwise it has reacted, or calcium has driven it into another phase.
--   v_lower and v_upper hold the DFT value of v_ca with 90 %, or no_interval says why that is not known; barrier is that of the rigid framework, eV.
--   gain is by how many volts the reaction to the phases of the hull (CaO and lower oxides) lies above insertion: where it is large, the host decomposes if kinetics allow. The hull is that of tmo, which has no
--   CaO: import what competes into a table of its own and add `UNION ALL SELECT formula, ef FROM ..` to what `known` gathers. `screen_ions` asks the same for Mg, Al, Zn and Na.
-- Figure: The screening that the paper's outlook asks for (Datta et al., Energy Adv. 2024, 3, 968, section 4).
WITH asked (ion) AS (
    VALUES ('Ca')
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
      AND natoms <= 40
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
           place['n'] AS n, place['channel'] AS number, place['channel_name'] AS channel, place['adsorption_potential'] AS v_ca,
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
    SELECT * FROM ranked WHERE best = 1 ORDER BY voltage DESC LIMIT 20
),
trusted AS (
    SELECT *, adsorption_interval(structure, ion, n, coalesce(CAST(number AS VARCHAR), 'cavities')) AS trust FROM first
)
SELECT id, formula, natoms, void, e_hull, channel, voltage, v_ca,
       trust['lower'] AS v_lower, trust['upper'] AS v_upper, trust['reason'] AS no_interval,
       conversion, conversion - voltage AS gain, bvse_barrier(structure, ion) AS barrier, volume_change,
       ions_per_formula, spacing, spread
FROM trusted
ORDER BY voltage DESC
