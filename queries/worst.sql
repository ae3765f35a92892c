-- What: The ten test crystals of each model on which it errs most, with label, prediction and interval (eV/atom).
-- Why: A worst case is a wrong label, a kind of crystal that the model never saw, or something to learn from. Look at them.
-- Figure: The outliers of Figs. 8 and 9 of Datta et al., Energy Adv. 2024, 3, 968.
WITH ranked AS (
    SELECT model, id, structure_hash, target, value, value - target AS error, lower, upper, in_domain, reason,
           row_number() OVER (PARTITION BY model ORDER BY abs(value - target) DESC, id) AS rank
    FROM predictions
    WHERE table_name = 'tmo' AND split = 'test' AND value IS NOT NULL AND target IS NOT NULL
)
SELECT ranked.model, rank, ranked.id, tmo.formula, tmo.spacegroup, tmo.natoms, target, value, error, lower, upper, in_domain, reason
FROM ranked JOIN tmo ON tmo.id = ranked.id AND tmo.structure_hash = ranked.structure_hash
WHERE rank <= 10
ORDER BY ranked.model, rank
