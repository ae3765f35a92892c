-- What: Ternary oxides of the paper's training set by third element, the one beside oxygen and the listed metals; theirs beside ours.
-- Why: Fig. 2c says that any element but the alkali metals may be the third. Their ids have 395 with Li, Na, K, Rb or Cs.
--   Theirs are counted in the ids and labels that the authors publish (github.com/joy1303125/Graph-vs.-Descriptor-Approaches-for-Natural-
--   Transition-Metal-Oxide-Discovery, commit 72e4e618, graph/magnet_train_id.csv).
--   Where ours are fewer, the structure of a published id was in none of the files that the store was filled from.
--   The listed metals are the paper's 24; Mo is a third element here because it is not among them.
-- Figure: Fig. 2c of Datta et al., Energy Adv. 2024, 3, 968.
WITH paper (third, crystals) AS (
    VALUES
    ('P', 195), ('Sr', 139), ('Na', 132), ('Ba', 127), ('K', 96), ('La', 92), ('Ca', 91), ('Li', 79), ('Bi', 78),
    ('S', 71), ('Se', 70), ('Si', 69), ('N', 67), ('Cl', 64), ('As', 63), ('Te', 61), ('Mo', 53), ('B', 50),
    ('Nd', 50), ('Rb', 49), ('Pb', 48), ('Cs', 39), ('Ge', 39), ('C', 36), ('Pr', 35), ('Eu', 32), ('I', 30),
    ('Sm', 28), ('Al', 27), ('F', 27), ('Gd', 25), ('H', 24), ('Sb', 24), ('U', 24), ('Yb', 24), ('Ho', 23),
    ('Lu', 23), ('Mg', 23), ('Dy', 21), ('Er', 21), ('Sn', 21), ('Tl', 20), ('In', 18), ('Ce', 17), ('Re', 17),
    ('Br', 15), ('Tm', 14), ('Ga', 11), ('Tb', 11), ('Rh', 8), ('Th', 4), ('Os', 3), ('Tc', 3), ('Be', 1)
),
ours AS (
    SELECT third,
           count(*) FILTER (WHERE split = 'train') AS train,
           count(*) FILTER (WHERE split = 'test') AS test,
           count(*) AS crystals
    FROM (SELECT unnest(elements) AS third, split FROM tmo WHERE nelements = 3)
    WHERE third NOT IN (
        'O', 'Ti', 'Nb', 'W', 'Cu', 'Fe', 'V', 'Ni', 'Mn', 'Co', 'Cr', 'Zn', 'Sc', 'Pd', 'Ru', 'Pt', 'Au', 'Hf', 'Ir', 'Ag',
        'Ta', 'Y', 'Zr', 'Hg', 'Cd'
    )
    GROUP BY third
)
SELECT coalesce(paper.third, ours.third) AS third,
       coalesce(paper.third, ours.third) IN ('Li', 'Na', 'K', 'Rb', 'Cs', 'Fr') AS alkali,
       coalesce(paper.crystals, 0) AS paper_train,
       coalesce(ours.train, 0) AS train,
       coalesce(ours.train, 0) - coalesce(paper.crystals, 0) AS difference,
       coalesce(ours.test, 0) AS test,
       coalesce(ours.crystals, 0) AS crystals
FROM paper FULL JOIN ours ON paper.third = ours.third
ORDER BY paper_train DESC, third
