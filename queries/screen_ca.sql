-- What: The twenty open oxides that hold calcium best: void and channels first, then the energy above the hull, then the whole loop of insertion and relaxation for those that are left.
-- Why: The paper's question turned round: not how one tunnel holds three ions, but which of thousands of oxides has a tunnel that takes Ca. Each step is asked of what the cheaper ones leave.
--   v_ca is the adsorption potential by the session's energy model, eV per ion, positive = favourable; voltage against calcium metal. A host
--   that does not come to rest, or whose cell changes by more than a fifth, has reacted with calcium and not taken it in: it is left out.
-- Figure: The screening that the paper's outlook asks for (Datta et al., Energy Adv. 2024, 3, 968, section 4).
WITH energies AS (
    SELECT id, formula, structure, natoms, void, coalesce(formation_energy_per_atom, predict_ef(structure)) AS ef FROM tmo
),
known AS (
    SELECT phase_diagram(formula, ef) AS hull FROM energies
),
open AS (
    SELECT * FROM energies
    WHERE void > 0.5
      AND natoms <= 40
      AND ion_passes(structure, 'Ca')
      -- Hosts only: no ion that would have to leave first, nothing that holds calcium for another reason.
      AND NOT has_element(formula, 'Li') AND NOT has_element(formula, 'Na') AND NOT has_element(formula, 'K')
      AND NOT has_element(formula, 'Ca') AND NOT has_element(formula, 'H') AND NOT has_element(formula, 'F')
),
stable AS (
    SELECT open.*, e_above_hull(hull, formula, ef) AS e_hull FROM open, known WHERE e_above_hull(hull, formula, ef) < 0.1
),
held AS (
    SELECT id, formula, natoms, void, e_hull, unnest(adsorption(structure, 'Ca')) AS place FROM stable
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY place['adsorption_potential'] DESC) AS rank
    FROM held
    WHERE place['converged'] AND abs(place['volume_change']) < 0.2
)
SELECT id, formula, natoms, void, e_hull, place['channel_name'] AS channel,
       place['adsorption_potential'] AS v_ca, place['voltage'] AS voltage, place['volume_change'] AS volume_change
FROM ranked
WHERE rank = 1
ORDER BY v_ca DESC
LIMIT 20
