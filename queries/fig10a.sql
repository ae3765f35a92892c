-- What: RMSE on the test set of every model that was evaluated, best first, beside the paper's and that of always answering the mean (eV/atom).
-- Why: All models on one list, those of the paper and those that it does not have, each on the rows that its own training held out.
--   within_02 and within_04 are the shares of the crystals that err by less than 0.2 and 0.4 eV/atom.
-- Figure: Fig. 10a of Datta et al., Energy Adv. 2024, 3, 968.
WITH paper (model, paper_rmse) AS (
    VALUES ('cnn-magpie', 0.25), ('cnn-xrd', 0.56), ('megnet', 0.13), ('deeper-gatgnn', 0.11), ('alignn', 0.11)
),
ours AS (
    SELECT model,
           count(*) AS crystals,
           sqrt(avg(power(value - target, 2))) AS rmse,
           avg(abs(value - target)) AS mae,
           avg(CASE WHEN abs(value - target) < 0.2 THEN 1.0 ELSE 0.0 END) AS within_02,
           avg(CASE WHEN abs(value - target) < 0.4 THEN 1.0 ELSE 0.0 END) AS within_04,
           stddev_pop(target) AS deviation
    FROM predictions
    WHERE table_name = 'tmo' AND split = 'test' AND value IS NOT NULL AND target IS NOT NULL
    GROUP BY model
)
SELECT coalesce(ours.model, paper.model) AS model, paper_rmse, rmse, mae, within_02, within_04, deviation, crystals
FROM paper FULL JOIN ours ON paper.model = ours.model
ORDER BY rmse NULLS LAST, paper_rmse, model
