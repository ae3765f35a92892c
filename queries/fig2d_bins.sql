-- What: How the formation energies of the paper's training and test set are distributed, in bins of 0.5 eV/atom; theirs beside ours.
-- Why: Equal means may hide unlike tails: here is the whole curve of Fig. 2d.
--   Theirs are counted in the ids and labels that the authors publish (github.com/joy1303125/Graph-vs.-Descriptor-Approaches-for-Natural-
--   Transition-Metal-Oxide-Discovery, commit 72e4e618:
--   graph/magnet_train_id.csv and descriptor/y_test_formation.npy).
--   Where ours are fewer, the structure of a published id was in none of the files that the store was filled from.
--   `hollandite plot distribution` draws ours.
-- Figure: Fig. 2d of Datta et al., Energy Adv. 2024, 3, 968.
WITH paper (from_ev, train, test) AS (
    VALUES
    (-6.0, 1, 0),
    (-4.5, 13, 3),
    (-4.0, 255, 79),
    (-3.5, 825, 192),
    (-3.0, 1588, 393),
    (-2.5, 1813, 467),
    (-2.0, 1602, 392),
    (-1.5, 1130, 280),
    (-1.0, 613, 168),
    (-0.5, 163, 34),
    (0.0, 49, 9),
    (0.5, 35, 4),
    (1.0, 6, 3),
    (1.5, 1, 0),
    (2.0, 4, 1)
),
ours AS (
    SELECT floor(formation_energy_per_atom / 0.5) * 0.5 AS from_ev,
           count(*) FILTER (WHERE split = 'train') AS train,
           count(*) FILTER (WHERE split = 'test') AS test
    FROM tmo
    WHERE split IN ('train', 'test') AND formation_energy_per_atom IS NOT NULL
    GROUP BY 1
)
SELECT coalesce(paper.from_ev, ours.from_ev) AS from_ev,
       coalesce(paper.from_ev, ours.from_ev) + 0.5 AS below_ev,
       coalesce(paper.train, 0) AS paper_train,
       coalesce(ours.train, 0) AS train,
       coalesce(ours.train, 0) - coalesce(paper.train, 0) AS difference,
       coalesce(paper.test, 0) AS paper_test,
       coalesce(ours.test, 0) AS test
FROM paper FULL JOIN ours ON CAST(round(2 * paper.from_ev) AS INT) = CAST(round(2 * ours.from_ev) AS INT)
ORDER BY from_ev
