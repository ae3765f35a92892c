-- What: How many oxides of the paper's training set contain each element, theirs beside ours.
-- Why: A model knows the chemistry it has seen. Their query did not ask for Mo: its 196 oxides all have another listed metal.
--   Theirs are counted in the ids and labels that the authors publish (github.com/joy1303125/Graph-vs.-Descriptor-Approaches-for-Natural-
--   Transition-Metal-Oxide-Discovery, commit 72e4e618, graph/magnet_train_id.csv).
--   Where ours are fewer, the structure of a published id was in none of the files that the store was filled from.
--   `hollandite plot distribution --where "split = 'train'"` draws ours on the periodic table.
-- Figure: Fig. 2b and 2c of Datta et al., Energy Adv. 2024, 3, 968, whose periodic tables show no counts.
WITH paper (element, crystals) AS (
    VALUES
    ('O', 8098), ('H', 1265), ('P', 1175), ('Cu', 970), ('V', 896), ('Fe', 857), ('Mn', 778), ('Ba', 766), ('K', 729),
    ('N', 710), ('Na', 700), ('C', 630), ('Co', 600), ('S', 596), ('Zn', 559), ('Sr', 519), ('Cl', 517), ('Ti', 449),
    ('Si', 415), ('Ni', 413), ('Cr', 411), ('Nb', 385), ('F', 378), ('W', 359), ('Ca', 355), ('Se', 345), ('Ag', 341),
    ('Li', 338), ('Y', 318), ('Cd', 315), ('B', 282), ('Rb', 279), ('As', 274), ('Te', 268), ('La', 252), ('Ta', 249),
    ('Pb', 238), ('Cs', 231), ('Ru', 228), ('Hg', 212), ('Zr', 206), ('Bi', 203), ('Mo', 196), ('Sc', 161),
    ('Ge', 144), ('Nd', 133), ('Br', 131), ('I', 127), ('Ir', 124), ('Sb', 116), ('Pt', 114), ('Pd', 101),
    ('Tl', 101), ('U', 95), ('Sm', 92), ('Al', 90), ('Mg', 89), ('Pr', 89), ('Eu', 75), ('Au', 74), ('Gd', 73),
    ('Ce', 71), ('Ho', 63), ('Yb', 58), ('Dy', 57), ('Er', 56), ('Ga', 56), ('Hf', 56), ('Sn', 53), ('In', 51),
    ('Tb', 51), ('Lu', 50), ('Re', 49), ('Tm', 28), ('Be', 20), ('Os', 16), ('Rh', 14), ('Th', 10), ('Np', 4),
    ('Tc', 4), ('Pu', 1)
),
ours AS (
    SELECT element,
           count(*) FILTER (WHERE split = 'train') AS train,
           count(*) FILTER (WHERE split = 'test') AS test,
           count(*) AS crystals
    FROM (SELECT unnest(elements) AS element, split FROM tmo)
    GROUP BY element
)
SELECT coalesce(paper.element, ours.element) AS element,
       coalesce(paper.crystals, 0) AS paper_train,
       coalesce(ours.train, 0) AS train,
       coalesce(ours.train, 0) - coalesce(paper.crystals, 0) AS difference,
       coalesce(ours.test, 0) AS test,
       coalesce(ours.crystals, 0) AS crystals
FROM paper FULL JOIN ours ON paper.element = ours.element
ORDER BY paper_train DESC, element
