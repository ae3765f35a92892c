-- What: Each model's error on its test crystals with and without hydrogen, halogens, carbon, phosphorus, sulphur and molybdenum, eV/atom.
-- Why: Hydrates, carbonates, phosphates and oxyhalides bond differently from plain oxides, and molybdenum is the metal of the paper's own compounds.
--   First run `hollandite evaluate --model NAME`.
-- Figure: Fig. 9 of Datta et al., Energy Adv. 2024, 3, 968, cut by chemistry.
SELECT p.model,
       chemistry.element,
       has_element(tmo.formula, chemistry.element) AS present,
       count(*) AS crystals,
       avg(abs(p.value - p.target)) AS mae,
       sqrt(avg(power(p.value - p.target, 2))) AS rmse,
       avg(p.value - p.target) AS bias,
       avg(CASE WHEN abs(p.value - p.target) < 0.2 THEN 1.0 ELSE 0.0 END) AS within_02
FROM predictions AS p
JOIN tmo ON tmo.id = p.id AND tmo.structure_hash = p.structure_hash
CROSS JOIN (VALUES ('H'), ('F'), ('Cl'), ('C'), ('P'), ('S'), ('Mo')) AS chemistry (element)
WHERE p.table_name = 'tmo' AND p.split = 'test' AND p.value IS NOT NULL AND p.target IS NOT NULL
GROUP BY p.model, chemistry.element, has_element(tmo.formula, chemistry.element)
ORDER BY p.model, chemistry.element, present DESC
