-- What: Stated against observed coverage of the intervals of each model on kinds of test crystals, with their mean width (eV/atom).
-- Why: Intervals that hold as many labels as they say on all crystals may hold fewer on the difficult ones. Those of an ensemble, whose
--   width follows the disagreement of its members, should come nearer to the stated share on each kind than those of one width.
--   A rare element is one that fewer than 50 crystals of the table with a label have. First run `hollandite evaluate --model NAME`.
-- Figure: No figure of Datta et al., Energy Adv. 2024, 3, 968, which gives single numbers without intervals.
WITH counts AS (
    SELECT element, count(*) AS crystals
    FROM (SELECT unnest(elements) AS element FROM tmo WHERE formation_energy_per_atom IS NOT NULL)
    GROUP BY element
),
rarest AS (
    SELECT id, structure_hash, min(counts.crystals) AS crystals
    FROM (SELECT id, structure_hash, unnest(elements) AS element FROM tmo WHERE formation_energy_per_atom IS NOT NULL) AS parts
    JOIN counts USING (element)
    GROUP BY id, structure_hash
),
judged AS (
    SELECT p.model, p.coverage, p.target BETWEEN p.lower AND p.upper AS held, p.upper - p.lower AS width,
           has_element(tmo.formula, 'H') AS hydrogen, tmo.class, rarest.crystals < 50 AS rare,
           TRY_CAST(tmo.extra ->> 'e_above_hull_derived' AS DOUBLE) AS above
    FROM predictions AS p
    JOIN tmo ON tmo.id = p.id AND tmo.structure_hash = p.structure_hash
    JOIN rarest ON rarest.id = p.id AND rarest.structure_hash = p.structure_hash
    WHERE p.table_name = 'tmo' AND p.split = 'test' AND p.lower IS NOT NULL AND p.target IS NOT NULL
),
kinds AS (
    SELECT *, CASE WHEN hydrogen THEN 'with hydrogen' ELSE 'without hydrogen' END AS kind FROM judged
    UNION ALL SELECT *, class AS kind FROM judged
    UNION ALL SELECT *, CASE WHEN rare THEN 'with a rare element' ELSE 'of common elements' END AS kind FROM judged
    UNION ALL
    SELECT *, CASE WHEN above < 0.05 THEN 'less than 0.05 above the hull' WHEN above < 0.2 THEN '0.05 to 0.2 above the hull'
                   ELSE 'more than 0.2 above the hull' END AS kind
    FROM judged WHERE above IS NOT NULL
)
SELECT model,
       coverage AS stated,
       kind,
       avg(CASE WHEN held THEN 1.0 ELSE 0.0 END) AS observed,
       sqrt(coverage * (1 - coverage) / count(*)) AS standard_error,
       avg(width) AS mean_width,
       count(*) AS intervals
FROM kinds
GROUP BY model, coverage, kind
ORDER BY model, coverage, kind
