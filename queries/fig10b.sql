-- What: How many test crystals err by how much, in steps of 0.05 eV/atom, for every model that was evaluated, with the share that errs by less.
-- Why: The same mean may be that of many small errors or of a few large ones.
--   Of ALIGNN the paper reports 95 % below 0.2 and 98.52 % below 0.4 eV/atom. What errs by 1 eV/atom or more is in the last row of a model.
-- Figure: Fig. 10b of Datta et al., Energy Adv. 2024, 3, 968; the picture is `hollandite plot errors alignn`.
WITH steps AS (
    SELECT model, least(floor(abs(value - target) / 0.05), 20) AS step
    FROM predictions
    WHERE table_name = 'tmo' AND split = 'test' AND value IS NOT NULL AND target IS NOT NULL
),
counts AS (
    SELECT model, step, count(*) AS crystals FROM steps GROUP BY model, step
)
SELECT model,
       round(step * 0.05, 2) AS at_least,
       CASE WHEN step < 20 THEN round(step * 0.05 + 0.05, 2) END AS below,
       crystals,
       CAST(crystals AS DOUBLE) / sum(crystals) OVER (PARTITION BY model) AS share,
       CAST(sum(crystals) OVER (PARTITION BY model ORDER BY step) AS DOUBLE) / sum(crystals) OVER (PARTITION BY model) AS share_below,
       CASE WHEN model = 'alignn' AND step = 3 THEN 0.95 WHEN model = 'alignn' AND step = 7 THEN 0.9852 END AS paper_below
FROM counts
ORDER BY model, at_least
