-- What: How many generated crystals are valid, unique, novel and stable (S.U.N.), step by step: those of the table generated, relaxed by the session's energy model.
-- Why: Any generator makes crystals; the share that passes all steps is the rate by which generators are compared. Valid: charge-neutral, relaxed to convergence, and no two atoms within 0.5 Å.
--   Unique and novel by structure_match, among themselves and against tmo: add further tables of known crystals to `known` with UNION ALL. Stable by the hull of what the session's model
--   predicts for the known phases, relaxed as the generated crystals are, and never of labels: `SET hollandite.model = 'chgnet'` has one model relax and judge.
--   The hull lacks what `known` lacks: of tmo, every oxide without a transition metal (CaO, MgO). S.U.N. is an upper bound then.
--   S.U.N. by a model is not S.U.N. by DFT: models of energies take strained frameworks for more stable than they are. Seconds to minutes a crystal; what was relaxed is remembered.
--   `hollandite generate` fills the table; crystals of another generator go in with `hollandite import cifs/ --into generated`.
-- Figure: None; the rates that generators report (Kazeev et al., arXiv:2503.02407).
WITH made AS (
    SELECT id, formula, elements, structure FROM generated
),
known AS (
    SELECT formula, elements, structure FROM tmo
),
ended AS (
    SELECT id, formula, elements, r['structure'] AS structure, r['converged'] AS converged
    FROM (SELECT id, formula, elements, relax(structure) AS r FROM made)
),
neutral AS (
    SELECT * FROM ended WHERE is_charge_neutral(formula)
),
valid AS (
    SELECT * FROM neutral WHERE converged AND distance_min(structure) > 0.5
),
once AS (
    SELECT a.* FROM valid AS a LEFT ANTI JOIN valid AS b
    ON a.formula = b.formula AND b.id < a.id AND structure_match(a.structure, b.structure)['same']
),
novel AS (
    SELECT a.* FROM once AS a LEFT ANTI JOIN known AS b
    ON a.formula = b.formula AND structure_match(a.structure, b.structure)['same']
),
-- The known phases of the systems of what is left.
phases AS (
    SELECT known.formula, relax(known.structure)['structure'] AS structure
    FROM known LEFT SEMI JOIN novel ON array_has_all(novel.elements, known.elements)
),
hull AS (
    SELECT phase_diagram(formula, predict_ef(structure)) AS hull FROM phases
),
judged AS (
    SELECT id, structure, e_above_hull(hull, formula, predict_ef(structure)) AS above FROM novel CROSS JOIN hull
),
steps AS (
    SELECT 1 AS step, 'generated' AS what, count(*) AS crystals FROM made
    UNION ALL SELECT 2, 'charge-neutral', count(*) FROM neutral
    UNION ALL SELECT 3, 'valid: converged too, and no two atoms within 0.5 Å', count(*) FROM valid
    UNION ALL SELECT 4, 'unique', count(*) FROM once
    UNION ALL SELECT 5, 'novel', count(*) FROM novel
    UNION ALL SELECT 6, 'S.U.N.: at most 0.08 eV/atom above the hull', count(*) FROM judged WHERE above <= 0.08
    UNION ALL SELECT 7, 'at most 0.05 eV/atom above the hull', count(*) FROM judged WHERE above <= 0.05
    UNION ALL SELECT 8, 'on the hull or below', count(*) FROM judged WHERE above <= 0
    UNION ALL SELECT 9, 'on the hull or below, and of a space group other than P1', count(*) FROM judged
        WHERE above <= 0 AND spacegroup(structure) > 1
)
SELECT step, what, crystals, CAST(crystals AS DOUBLE) / nullif(max(crystals) OVER (), 0) AS share
FROM steps
ORDER BY step
