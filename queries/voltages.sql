-- What: Average voltages of known insertion electrodes by the session's energy model at the published geometries (prediction), beside those of DFT (label), V against the metal.
-- Why: The error of adsorption potentials and voltages is measured on electrodes whose voltage is known, not on one host. Fill the table first:
--   `hollandite import electrodes.jsonl crystals.jsonl --into electrodes`. `voltage_errors` sums these rows up; `voltages_relaxed` relaxes both crystals
--   first, `voltages_inserted` begins with the empty host alone; `plot parity voltages` draws them. The model may have been trained on these very crystals: CHGNet was on most.
-- Figure: None; the test that section 2.1 of Datta et al., Energy Adv. 2024, 3, 968 does without.
SELECT battery_id, ion, valence, formula_charged, formula_discharged, volume_change, checked,
       voltage AS label,
       electrode_voltage(charged, discharged, ion) AS prediction,
       source
FROM electrodes
WHERE method = 'DFT' AND charged IS NOT NULL
ORDER BY ion, battery_id
