-- What: Each model's error on its test crystals by their likeness to the nearest training crystal of the same elements, eV/atom.
-- Why: A test crystal with a twin in the training set tests nothing. These rows show how much of a small error is memorization.
--   Likeness is similarity(a, b) of the fingerprints, within a chemical system; chemical systems absent from the training set are the first row
--   of a model. First run `hollandite evaluate --model NAME`; `hollandite featurize --features fingerprint` makes it faster.
-- Figure: Fig. 9 of Datta et al., Energy Adv. 2024, 3, 968, cut by distance to the training set.
WITH crystals AS (
    SELECT p.model, p.split, p.id, p.structure_hash, p.value - p.target AS error, tmo.chemsys, fingerprint(tmo.structure) AS print
    FROM predictions AS p
    JOIN tmo ON tmo.id = p.id AND tmo.structure_hash = p.structure_hash
    WHERE p.table_name = 'tmo' AND p.split IN ('train', 'test') AND p.value IS NOT NULL AND p.target IS NOT NULL
),
nearest AS (
    SELECT test.model, test.id, test.structure_hash, test.error, max(similarity(test.print, train.print)) AS likeness
    FROM (SELECT * FROM crystals WHERE split = 'test') AS test
    LEFT JOIN (SELECT * FROM crystals WHERE split = 'train') AS train
        ON train.model = test.model AND train.chemsys = test.chemsys
    GROUP BY test.model, test.id, test.structure_hash, test.error
),
binned AS (
    SELECT model, error,
           CASE WHEN likeness IS NULL THEN 'a chemical system of its own'
                WHEN likeness < 0.9 THEN 'likeness below 0.9'
                WHEN likeness < 0.97 THEN 'likeness 0.9 to 0.97'
                WHEN likeness < 0.99 THEN 'likeness 0.97 to 0.99'
                ELSE 'likeness from 0.99' END AS nearest_training_crystal,
           coalesce(likeness, 0) AS likeness
    FROM nearest
)
SELECT model,
       nearest_training_crystal,
       count(*) AS crystals,
       avg(abs(error)) AS mae,
       sqrt(avg(error * error)) AS rmse,
       avg(error) AS bias
FROM binned
GROUP BY model, nearest_training_crystal
ORDER BY model, min(likeness)
