-- What: The paper's training and test set, theirs beside ours: how many, which share, and the formation energies (eV/atom).
-- Why: A split is fair where both parts have the same distribution; predicting the mean of either errs by its deviation.
--   Theirs are the ids and labels that the authors publish (github.com/joy1303125/Graph-vs.-Descriptor-Approaches-for-Natural-
--   Transition-Metal-Oxide-Discovery, commit 72e4e618: graph/magnet_train_id.csv and
--   descriptor/y_test_formation.npy). The text also says 2026 test crystals; the file has 2025.
--   Where ours are fewer, the structure of a published id was in none of the files that the store was filled from.
--   For the test set they publish labels without ids: ours are the rows that the diffraction patterns identify.
-- Figure: Fig. 2d of Datta et al., Energy Adv. 2024, 3, 968.
WITH paper (split, crystals, mean, deviation, lowest, highest, above_zero) AS (
    VALUES
    ('train', 8098, -2.0726, 0.8427, -5.7918, 2.4033, 95),
    ('test', 2025, -2.0911, 0.8405, -4.2346, 2.2990, 17)
),
ours AS (
    SELECT split,
           count(*) AS crystals,
           avg(formation_energy_per_atom) AS mean,
           stddev_pop(formation_energy_per_atom) AS deviation,
           min(formation_energy_per_atom) AS lowest,
           max(formation_energy_per_atom) AS highest,
           count(*) FILTER (WHERE formation_energy_per_atom > 0) AS above_zero
    FROM tmo
    WHERE split IN ('train', 'test')
    GROUP BY split
)
SELECT paper.split,
       paper.crystals AS paper_crystals,
       coalesce(ours.crystals, 0) AS crystals,
       coalesce(ours.crystals, 0) - paper.crystals AS difference,
       paper.crystals / 10123.0 AS paper_share,
       ours.crystals / CAST(sum(ours.crystals) OVER () AS DOUBLE) AS share,
       paper.mean AS paper_mean,
       ours.mean,
       paper.deviation AS paper_deviation,
       ours.deviation,
       paper.lowest AS paper_lowest,
       ours.lowest,
       paper.highest AS paper_highest,
       ours.highest,
       paper.above_zero AS paper_above_zero,
       coalesce(ours.above_zero, 0) AS above_zero
FROM paper LEFT JOIN ours ON paper.split = ours.split
ORDER BY paper_crystals DESC
