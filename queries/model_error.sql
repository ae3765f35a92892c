-- What: The model's error against the DFT label for each transition metal, eV/atom.
-- Why: One figure for the whole set hides the chemistries where the model should not be believed.
--   Rows of every split are counted; add AND split = 'test' where the table has a split and only unseen rows should count.
-- Figure: Fig. 9a of Datta et al., Energy Adv. 2024, 3, 968, cut by element.
SELECT element,
       count(*) AS labelled,
       avg(abs(error)) AS mae,
       sqrt(avg(error * error)) AS rmse,
       avg(error) AS bias
FROM (
    SELECT unnest(elements) AS element, predict_ef(structure) - formation_energy_per_atom AS error
    FROM tmo
    WHERE formation_energy_per_atom IS NOT NULL
)
WHERE element <> 'O' AND error IS NOT NULL
GROUP BY element
ORDER BY labelled DESC, element
