-- What: How many crystals of the paper's training set are open: void fraction over 0.5 and packing fraction under 0.5, theirs beside ours.
-- Why: The two counts are the paper's case for tunnels in its data. They hang on radii that the paper does not state.
--   Theirs stand in section 2.2.1: 6500 of 8098 by a "VoronoiNN approach", 6190 of 8098 by a packing fraction "from the
--   Materials Project", whose documents hold none. Ours use Slater's atomic radii: void counts overlaps of atoms once and
--   packing_fraction counts them twice. The shares compare, the counts only where all ids are there.
-- Figure: None; the text beside Fig. 2a of Datta et al., Energy Adv. 2024, 3, 968.
WITH paper (condition, open, crystals) AS (
    VALUES ('void > 0.5', 6500, 8098), ('packing_fraction < 0.5', 6190, 8098)
),
ours AS (
    SELECT 'void > 0.5' AS condition, count(*) FILTER (WHERE void > 0.5) AS open, count(void) AS crystals
    FROM tmo WHERE split = 'train'
    UNION ALL
    SELECT 'packing_fraction < 0.5', count(*) FILTER (WHERE packing_fraction < 0.5), count(packing_fraction)
    FROM tmo WHERE split = 'train'
)
SELECT condition,
       paper.open AS paper_open,
       paper.crystals AS paper_crystals,
       CAST(paper.open AS DOUBLE) / paper.crystals AS paper_share,
       ours.open,
       ours.crystals,
       CAST(ours.open AS DOUBLE) / nullif(ours.crystals, 0) AS share
FROM paper LEFT JOIN ours USING (condition)
ORDER BY condition DESC
