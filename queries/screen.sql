-- What: The twenty most stable oxides whose cell is more than half open, by the formation energy that the model predicts.
-- Why: An open framework leaves room for Li, Ca or Al; a low formation energy (eV/atom) says that it can exist.
-- Figure: The screening that Fig. 9 and 10 of Datta et al., Energy Adv. 2024, 3, 968 make possible; the paper lists no hits.
SELECT id, formula, predict_ef(structure) AS ef FROM tmo WHERE void > 0.5 ORDER BY ef LIMIT 20
