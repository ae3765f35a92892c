-- What: Electrons that each Ca, Li or Al gives to Nb12WO33, for one and two ions (Bader, e per atom), a row for the paper and one for each source computed here.
-- Why: Here, the paper says, a larger charge transfer goes with a lower potential; `trends` has the correlation.
--   Its 3.01 e for two Al is more than the three valence electrons of the atom: the basin of Al would be empty.
-- Figure: Table 2 of Datta et al., Energy Adv. 2024, 3, 968.
SELECT ion,
       source,
       avg(charge_transfer) FILTER (WHERE n = 1) AS one_ion,
       avg(charge_transfer) FILTER (WHERE n = 2) AS two_ions
FROM charges
WHERE host_formula = 'Nb12WO33' AND element = ion
GROUP BY ion, source
ORDER BY ion, source NOT LIKE 'Datta et al.%', source
