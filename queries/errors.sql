-- What: Errors of each model on its test crystals (eV/atom): all of them, those without qc_outlier, and those whose label is not contradicted, with an interval of 95 % for the RMSE.
-- Why: A few labels decide an RMSE. Rows are left out by what is known of their labels, never because a model errs on them, and the
--   interval says which differences between models mean something: a Poisson bootstrap of 500 samples, the same for every model.
--   within_01 is the share that errs by less than 0.1, and so on; above_05 the number that errs by more than 0.5. label_check of the
--   stored query of that name; first run `hollandite evaluate --model NAME`.
-- Figure: Figs. 8 and 9 of Datta et al., Energy Adv. 2024, 3, 968, with what their test rows are worth.
WITH judged AS (
    SELECT p.model, p.id, p.structure_hash, p.value - p.target AS error,
           coalesce(tmo.extra ->> 'qc_outlier' = 'true', false) AS outlier,
           coalesce(TRY_CAST(tmo.extra ->> 'e_above_hull_derived' AS DOUBLE) - tmo.e_above_hull > 0.1, false) AS contradicted
    FROM predictions AS p JOIN tmo ON tmo.id = p.id AND tmo.structure_hash = p.structure_hash
    WHERE p.table_name = 'tmo' AND p.split = 'test' AND p.value IS NOT NULL AND p.target IS NOT NULL
),
sets AS (
    SELECT 1 AS place, 'all' AS crystals, * FROM judged
    UNION ALL SELECT 2, 'without qc_outlier', * FROM judged WHERE NOT outlier
    UNION ALL SELECT 3, 'not contradicted', * FROM judged WHERE NOT contradicted
),
-- Each crystal has a seed of its own, seven digits of its hash, and in each sample a number below 2^31 - 1, which says how often it is
-- drawn: as a Poisson variable of mean 1.
seeds AS (
    SELECT model, place, error,
           strpos('123456789abcdef', substr(structure_hash, 1, 1)) + 16 * (strpos('123456789abcdef', substr(structure_hash, 2, 1))
               + 16 * (strpos('123456789abcdef', substr(structure_hash, 3, 1)) + 16 * (strpos('123456789abcdef', substr(structure_hash, 4, 1))
               + 16 * (strpos('123456789abcdef', substr(structure_hash, 5, 1)) + 16 * (strpos('123456789abcdef', substr(structure_hash, 6, 1))
               + 16 * strpos('123456789abcdef', substr(structure_hash, 7, 1))))))) AS seed
    FROM sets
),
numbers AS (
    SELECT model, place, error, sample, (seed + 1) * (sample * 7919 + 104729) % 2147483647 / 2147483647.0 AS number
    FROM seeds CROSS JOIN generate_series(1, 500) AS samples (sample)
),
draws AS (
    SELECT model, place, sample, error,
           CASE WHEN number < 0.36788 THEN 0.0 WHEN number < 0.73576 THEN 1.0 WHEN number < 0.91970 THEN 2.0
                WHEN number < 0.98101 THEN 3.0 WHEN number < 0.99634 THEN 4.0 ELSE 5.0 END AS times
    FROM numbers
),
samples AS (
    SELECT model, place, sqrt(sum(times * error * error) / sum(times)) AS rmse
    FROM draws
    GROUP BY model, place, sample
),
intervals AS (
    SELECT model, place,
           percentile_cont(0.025) WITHIN GROUP (ORDER BY rmse) AS rmse_low,
           percentile_cont(0.975) WITHIN GROUP (ORDER BY rmse) AS rmse_high
    FROM samples
    GROUP BY model, place
)
SELECT model,
       crystals,
       count(*) AS count,
       sqrt(avg(error * error)) AS rmse,
       min(rmse_low) AS rmse_low,
       min(rmse_high) AS rmse_high,
       avg(abs(error)) AS mae,
       median(abs(error)) AS median,
       avg(CASE WHEN abs(error) < 0.1 THEN 1.0 ELSE 0.0 END) AS within_01,
       avg(CASE WHEN abs(error) < 0.2 THEN 1.0 ELSE 0.0 END) AS within_02,
       avg(CASE WHEN abs(error) < 0.4 THEN 1.0 ELSE 0.0 END) AS within_04,
       count(*) FILTER (WHERE abs(error) > 0.5) AS above_05
FROM sets JOIN intervals USING (model, place)
GROUP BY model, place, crystals
ORDER BY model, place
