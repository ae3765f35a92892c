-- What: Each model's error on its test crystals for each metal, eV/atom.
-- Why: One figure for the whole set hides the chemistries where the model should not be trusted.
--   First run `hollandite evaluate --model NAME`.
-- Figure: Fig. 9 of Datta et al., Energy Adv. 2024, 3, 968, cut by element.
SELECT model,
       element,
       count(*) AS labelled,
       avg(abs(error)) AS mae,
       sqrt(avg(error * error)) AS rmse,
       avg(error) AS bias
FROM (
    SELECT p.model, unnest(tmo.elements) AS element, p.value - p.target AS error
    FROM predictions AS p JOIN tmo ON tmo.id = p.id AND tmo.structure_hash = p.structure_hash
    WHERE p.table_name = 'tmo' AND p.split = 'test'
)
WHERE element <> 'O' AND error IS NOT NULL
GROUP BY model, element
ORDER BY model, labelled DESC, element
