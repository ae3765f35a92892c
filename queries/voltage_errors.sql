-- What: Errors of the voltages of known electrodes by the session's energy model at the published geometries: by ion, by redox metal, by change of volume and for all (V).
-- Why: A single number hides where a model should not be trusted: mae, median and bias (ours less DFT), rank (Spearman) and the half-width that contains nine of ten.
--   An electrode with two transition metals counts for both.
-- Figure: None; see voltages.
WITH metals (metal) AS (
    VALUES ('Ti'), ('V'), ('Cr'), ('Mn'), ('Fe'), ('Co'), ('Ni'), ('Cu'), ('Nb'), ('Mo'), ('W')
),
computed AS (
    SELECT battery_id, charged_id, discharged_id, ion, valence, formula_charged, volume_change, voltage AS label,
           electrode_voltage(charged, discharged, ion) AS prediction
    FROM electrodes
    WHERE method = 'DFT' AND charged IS NOT NULL
),
errors AS (
    SELECT *, prediction - label AS error FROM computed WHERE prediction IS NOT NULL
),
groups AS (
    SELECT 1 AS kind, 'all' AS what, * FROM errors
    UNION ALL SELECT 2, CASE WHEN valence > 1 THEN 'multivalent' ELSE 'monovalent' END, * FROM errors
    UNION ALL SELECT 3, 'ion ' || ion, * FROM errors
    UNION ALL SELECT 4, 'metal ' || metal, errors.* FROM errors JOIN metals ON has_element(formula_charged, metal)
    UNION ALL
    SELECT 5, CASE WHEN volume_change < 0.05 THEN 'volume below 5 %' WHEN volume_change < 0.15 THEN 'volume 5 to 15 %' ELSE 'volume above 15 %' END, *
    FROM errors WHERE volume_change IS NOT NULL
),
ranked AS (
    SELECT *, rank() OVER (PARTITION BY what ORDER BY label) AS label_rank,
           rank() OVER (PARTITION BY what ORDER BY prediction) AS prediction_rank
    FROM groups
)
SELECT what,
       count(*) AS electrodes,
       avg(abs(error)) AS mae,
       median(abs(error)) AS median_error,
       avg(error) AS bias,
       corr(label_rank, prediction_rank) AS rank,
       approx_percentile_cont(0.9) WITHIN GROUP (ORDER BY abs(error)) AS nine_of_ten_within
FROM ranked
GROUP BY kind, what
ORDER BY kind, electrodes DESC, what
