-- What: As voltages, with both crystals relaxed by the session's energy model first (V against the metal).
-- Why: Between the error at the published geometry and this one lies what the model makes of the crystals; a collapse shows as a large volume change.
--   Seconds a crystal; what was relaxed is remembered, and a query that was interrupted goes on.
-- Figure: None; see voltages.
SELECT battery_id, ion, valence, formula_charged, formula_discharged, volume_change, checked,
       voltage AS label,
       electrode_voltage(charged, discharged, ion, 'relaxed') AS prediction,
       source
FROM electrodes
WHERE method = 'DFT' AND charged IS NOT NULL
ORDER BY ion, battery_id
