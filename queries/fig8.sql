-- What: Errors on the test set of the convolutional networks over descriptors, with the trend of predictions against labels, beside the paper's RMSE (eV/atom).
-- Why: What a descriptor leaves out no network can find: the powder pattern knows the cell and not the chemistry, Magpie the opposite.
--   within_02 and within_04 are the shares of the crystals that err by less than 0.2 and 0.4 eV/atom, deviation is the RMSE of always
--   answering the mean, worst the crystal that errs most. Neither ships with the program: fit both by `hollandite train --split column
--   --name cnn-xrd --model cnn-xrd` and so on, then run `hollandite evaluate --model cnn-xrd` and `--model cnn-magpie`.
-- Figure: Fig. 8 of Datta et al., Energy Adv. 2024, 3, 968; the pictures are `hollandite plot parity cnn-xrd` and `plot parity cnn-magpie`.
WITH paper (panel, model, paper_rmse) AS (
    VALUES ('a', 'cnn-xrd', 0.56), ('b', 'cnn-magpie', 0.25)
),
ours AS (
    SELECT model, id, value, target, value - target AS error
    FROM predictions
    WHERE table_name = 'tmo' AND split = 'test' AND value IS NOT NULL AND target IS NOT NULL
)
SELECT panel,
       paper.model,
       paper_rmse,
       sqrt(avg(error * error)) AS rmse,
       avg(abs(error)) AS mae,
       stddev_pop(target) AS deviation,
       avg(CASE WHEN abs(error) < 0.2 THEN 1.0 WHEN error IS NOT NULL THEN 0.0 END) AS within_02,
       avg(CASE WHEN abs(error) < 0.4 THEN 1.0 WHEN error IS NOT NULL THEN 0.0 END) AS within_04,
       regr_slope(value, target) AS slope,
       regr_intercept(value, target) AS intercept,
       count(error) AS crystals,
       first_value(id ORDER BY abs(error) DESC NULLS LAST) AS worst,
       max(abs(error)) AS worst_error
FROM paper LEFT JOIN ours USING (model)
GROUP BY panel, paper.model, paper_rmse
ORDER BY panel
