-- What: How many candidates of `hollandite enumerate` each step of a screening for calcium leaves: charges, radii, room and channels, a predicted formation energy, the hull of the known oxides, and at last those that hold the ion.
-- Why: Candidates are cheap and models are not: what chemistry and geometry refuse is never asked of a model. The crystals are not relaxed: what is left is where to begin.
--   The hull is that of tmo, which has no oxide without a transition metal (CaO, P2O5): it is an upper bound. Import those into a table of their own and
--   add `UNION ALL SELECT formula, ef FROM ...` to what `known` gathers.
--   Needs a table `candidates`; the last step needs an energy model (`hollandite models add chgnet-*.whl`) where rows come so far, and is remembered.
-- Figure: The search beyond known structures that the paper's outlook asks for (Datta et al., Energy Adv. 2024, 3, 968, section 4).
WITH known AS (
    SELECT phase_diagram(formula, coalesce(formation_energy_per_atom, predict_ef(structure))) AS hull FROM tmo
),
balanced AS (
    SELECT * FROM candidates WHERE electronegativity_balanced(formula)
),
fitting AS (
    SELECT * FROM balanced WHERE radius_change < 0.2
),
open AS (
    SELECT * FROM fitting WHERE void > 0.5 AND natoms <= 40 AND ion_passes(structure, 'Ca')
),
bound AS (
    SELECT id, formula, structure, predict_ef(structure) AS ef FROM open WHERE predict_ef(structure) < -1.5
),
stable AS (
    SELECT bound.* FROM bound, known WHERE e_above_hull(hull, formula, ef) < 0.1
),
held AS (
    SELECT * FROM stable WHERE adsorption_potential(structure, 'Ca') > 0
)
SELECT 1 AS step, 'charge-neutral' AS what, count(*) AS candidates FROM candidates
UNION ALL SELECT 2, 'anions pull harder than cations', count(*) FROM balanced
UNION ALL SELECT 3, 'ionic radii change by less than a fifth', count(*) FROM fitting
UNION ALL SELECT 4, 'void above 0.5 and a channel for Ca, at most 40 atoms', count(*) FROM open
UNION ALL SELECT 5, 'predicted formation energy below -1.5 eV/atom', count(*) FROM bound
UNION ALL SELECT 6, 'less than 0.1 eV/atom above the hull of the known', count(*) FROM stable
UNION ALL SELECT 7, 'calcium is held', count(*) FROM held
ORDER BY step
