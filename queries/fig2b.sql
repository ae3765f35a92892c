-- What: Binary oxides of the paper's training set by metal, theirs beside ours.
-- Why: Fig. 2b colours the metals whose oxides were considered; here is how many each has. V has 43, Au none.
--   Theirs are counted in the ids and labels that the authors publish (github.com/joy1303125/Graph-vs.-Descriptor-Approaches-for-Natural-
--   Transition-Metal-Oxide-Discovery, commit 72e4e618, graph/magnet_train_id.csv).
--   Where ours are fewer, the structure of a published id was in none of the files that the store was filled from.
-- Figure: Fig. 2b of Datta et al., Energy Adv. 2024, 3, 968.
WITH paper (metal, crystals) AS (
    VALUES
    ('V', 43), ('Ti', 31), ('Fe', 24), ('W', 19), ('Mn', 18), ('Cr', 13), ('Nb', 13), ('Ag', 10), ('Co', 10),
    ('Cu', 9), ('Ta', 8), ('Zr', 8), ('Pt', 6), ('Sc', 5), ('Hf', 4), ('Hg', 4), ('Ni', 4), ('Pd', 4), ('Ru', 4),
    ('Y', 4), ('Zn', 4), ('Cd', 2), ('Ir', 1)
),
ours AS (
    SELECT metal,
           count(*) FILTER (WHERE split = 'train') AS train,
           count(*) FILTER (WHERE split = 'test') AS test,
           count(*) AS crystals
    FROM (SELECT unnest(elements) AS metal, split FROM tmo WHERE nelements = 2)
    WHERE metal <> 'O'
    GROUP BY metal
)
SELECT coalesce(paper.metal, ours.metal) AS metal,
       coalesce(paper.crystals, 0) AS paper_train,
       coalesce(ours.train, 0) AS train,
       coalesce(ours.train, 0) - coalesce(paper.crystals, 0) AS difference,
       coalesce(ours.test, 0) AS test,
       coalesce(ours.crystals, 0) AS crystals
FROM paper FULL JOIN ours ON paper.metal = ours.metal
ORDER BY paper_train DESC, metal
