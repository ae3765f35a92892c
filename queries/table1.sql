-- What: Electrons that each Ca, Li or Al gives to trigonal MoVO, by channel and number of ions (Bader, e per atom), a row for the paper and one for each source computed here.
-- Why: Charge transfer is what the paper explains the potentials with.
--   The paper's column "Trigonal" is the channel that its text calls triangular.
-- Figure: Table 1 of Datta et al., Energy Adv. 2024, 3, 968.
SELECT ion,
       source,
       avg(charge_transfer) FILTER (WHERE channel = 'heptagonal' AND n = 1) AS heptagonal_1,
       avg(charge_transfer) FILTER (WHERE channel = 'hexagonal' AND n = 1) AS hexagonal_1,
       avg(charge_transfer) FILTER (WHERE channel = 'triangular' AND n = 1) AS triangular_1,
       avg(charge_transfer) FILTER (WHERE channel = 'heptagonal' AND n = 2) AS heptagonal_2,
       avg(charge_transfer) FILTER (WHERE channel = 'hexagonal' AND n = 2) AS hexagonal_2
FROM charges
WHERE host_formula = 'V3MoO6' AND element = ion
GROUP BY ion, source
ORDER BY ion, source NOT LIKE 'Datta et al.%', source
