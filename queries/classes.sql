-- What: How many oxides there are of each class, binary to senary, with the mean of their DFT and predicted formation energies (eV/atom).
-- Why: A model is trusted where it has seen crystals: this is the shape of the data.
-- Figure: Fig. 2a of Datta et al., Energy Adv. 2024, 3, 968.
SELECT class,
       count(*) AS crystals,
       count(DISTINCT formula) AS formulas,
       avg(formation_energy_per_atom) AS mean_dft_ef,
       avg(predict_ef(structure)) AS mean_predicted_ef,
       avg(void) AS mean_void
FROM tmo
GROUP BY class, nelements
ORDER BY nelements
