-- What: Stated against observed coverage of the intervals of each model, by the part of its training, with their mean width and interval score (eV/atom).
-- Why: An interval is worth what it holds. On the test set the observed share should be the stated one within about twice
--   standard_error; on the training set it is larger, and where crystals are unlike those of the calibration it may be smaller.
--   The interval score is the width and, for a label outside, its distance times 2 / (1 - coverage): of two models that hold as many
--   labels, the lower says more (Gneiting and Raftery, J. Am. Stat. Assoc. 102 (2007) 359).
--   First run `hollandite evaluate --model NAME --coverage 0.9`, and others. `coverage_by_kind` takes the test set apart.
-- Figure: No figure of Datta et al., Energy Adv. 2024, 3, 968, which gives single numbers without intervals.
SELECT model,
       split,
       coverage AS stated,
       avg(CASE WHEN target BETWEEN lower AND upper THEN 1.0 ELSE 0.0 END) FILTER (WHERE lower IS NOT NULL) AS observed,
       sqrt(coverage * (1 - coverage) / count(lower)) AS standard_error,
       avg(upper - lower) AS mean_width,
       avg(upper - lower + 2 / (1 - coverage) * (greatest(lower - target, 0) + greatest(target - upper, 0))) AS interval_score,
       count(lower) AS intervals,
       count(*) FILTER (WHERE lower IS NULL) AS without_interval,
       count(*) FILTER (WHERE NOT in_domain) AS out_of_domain
FROM predictions
WHERE target IS NOT NULL AND id IS NOT NULL
GROUP BY model, split, coverage
HAVING count(lower) > 0
ORDER BY model, split, coverage
