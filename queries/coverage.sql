-- What: Stated against observed coverage of the intervals of each model, by the part of its training, with their mean width (eV/atom).
-- Why: An interval is worth what it holds. On the test set the observed share should be the stated one within about twice
--   standard_error; on the training set it is larger, and where crystals are unlike those of the calibration it may be smaller.
--   First run `hollandite evaluate --model NAME --coverage 0.9`.
-- Figure: No figure of Datta et al., Energy Adv. 2024, 3, 968, which gives single numbers without intervals.
SELECT model,
       split,
       coverage AS stated,
       avg(CASE WHEN target BETWEEN lower AND upper THEN 1.0 ELSE 0.0 END) FILTER (WHERE lower IS NOT NULL) AS observed,
       sqrt(coverage * (1 - coverage) / count(lower)) AS standard_error,
       avg(upper - lower) AS mean_width,
       count(lower) AS intervals,
       count(*) FILTER (WHERE lower IS NULL) AS without_interval,
       count(*) FILTER (WHERE NOT in_domain) AS out_of_domain
FROM predictions
WHERE target IS NOT NULL AND id IS NOT NULL
GROUP BY model, split, coverage
HAVING count(lower) > 0
ORDER BY model, split, coverage
