-- What: How many oxides each step of a screening for calcium leaves: charge neutrality, void and channels, a formation energy, the hull, and at last those that hold the ion and stay what they are.
-- Why: Each step costs more than the one before it, and is asked only of what that one left; where a screening loses its rows is where its thresholds matter.
--   The hull is that of tmo, which has no oxide without a transition metal (CaO, P2O5): it is an upper bound. Import those into a table of their own and
--   add `UNION ALL SELECT formula, ef FROM ...` to what `known` gathers.
--   A positive potential against the metal alone shows little, since nearly every oxide of a reducible cation has one; `screen_ca` compares with conversion.
--   The last steps take seconds a row and need an energy model (`hollandite models add chgnet-*.whl`); what it computed is remembered.
-- Figure: The screening that the paper's outlook asks for (Datta et al., Energy Adv. 2024, 3, 968, section 4).
WITH energies AS (
    SELECT id, formula, structure, natoms, void, coalesce(formation_energy_per_atom, predict_ef(structure)) AS ef FROM tmo
),
known AS (
    SELECT phase_diagram(formula, ef) AS hull FROM energies
),
neutral AS (
    SELECT * FROM energies WHERE is_charge_neutral(formula)
),
open AS (
    SELECT * FROM neutral WHERE void > 0.5 AND natoms <= 40 AND ion_passes(structure, 'Ca')
),
bound AS (
    SELECT * FROM open WHERE predict_ef(structure) < -1.5
),
stable AS (
    SELECT bound.* FROM bound, known WHERE e_above_hull(hull, formula, ef) < 0.1
),
held AS (
    SELECT * FROM stable WHERE adsorption_potential(structure, 'Ca') > 0
),
kept AS (
    SELECT * FROM held WHERE adsorption(structure, 'Ca', 1, '', 'everywhere')[1]['host_kept']
)
SELECT 1 AS step, 'all' AS what, count(*) AS oxides FROM energies
UNION ALL SELECT 2, 'charge-neutral', count(*) FROM neutral
UNION ALL SELECT 3, 'void above 0.5 and a channel for Ca, at most 40 atoms', count(*) FROM open
UNION ALL SELECT 4, 'predicted formation energy below -1.5 eV/atom', count(*) FROM bound
UNION ALL SELECT 5, 'less than 0.1 eV/atom above the hull', count(*) FROM stable
UNION ALL SELECT 6, 'calcium is held', count(*) FROM held
UNION ALL SELECT 7, 'the host is the same again without it', count(*) FROM kept
ORDER BY step
