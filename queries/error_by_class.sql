-- What: Each model's error on its test crystals by class, binary to senary, eV/atom.
-- Why: More elements leave more room between the crystals that a model has seen.
--   First run `hollandite evaluate --model NAME`.
-- Figure: Fig. 9 of Datta et al., Energy Adv. 2024, 3, 968, cut by the classes of Fig. 2a.
SELECT p.model,
       tmo.class,
       count(*) AS crystals,
       avg(abs(p.value - p.target)) AS mae,
       sqrt(avg(power(p.value - p.target, 2))) AS rmse,
       avg(p.value - p.target) AS bias,
       stddev_pop(p.target) AS deviation,
       avg(CASE WHEN abs(p.value - p.target) < 0.2 THEN 1.0 ELSE 0.0 END) AS within_02,
       avg(CASE WHEN abs(p.value - p.target) < 0.4 THEN 1.0 ELSE 0.0 END) AS within_04
FROM predictions AS p
JOIN tmo ON tmo.id = p.id AND tmo.structure_hash = p.structure_hash
WHERE p.table_name = 'tmo' AND p.split = 'test' AND p.value IS NOT NULL AND p.target IS NOT NULL
GROUP BY p.model, tmo.class, tmo.nelements
ORDER BY p.model, tmo.nelements
