-- What: Each adsorption potential (eV per ion) beside what it is said to depend on: area of the channel (Å²), radius of the ion (Å), its charge density (e/Å³) and the charge it transfers (e).
-- Why: The points behind `trends`, to plot or to doubt.
--   Radii are Shannon's for six neighbours, the charge density is the charge of the cation over the sphere of that radius. By it Li
--   (0.54) and Ca (0.48) are alike and Al (4.7) stands apart. The paper's "charge density" of an ion refers to its table of
--   charge transfer.
-- Figure: None; the argument of section 3.1 of Datta et al., Energy Adv. 2024, 3, 968.
WITH ions (ion, valence) AS (
    VALUES ('Li', 1), ('Ca', 2), ('Al', 3)
),
transfer AS (
    SELECT source, host, ion, n, channel, avg(charge_transfer) AS charge_transfer
    FROM charges
    WHERE element = ion
    GROUP BY source, host, ion, n, channel
)
SELECT a.host,
       a.channel,
       a.ion,
       a.n,
       adsorption_potential,
       area,
       ionic_radius(a.ion) AS ion_radius,
       3 * valence / (4 * pi() * power(ionic_radius(a.ion), 3)) AS charge_density,
       charge_transfer,
       a.source
FROM adsorption AS a
JOIN ions ON ions.ion = a.ion
LEFT JOIN transfer AS t ON t.source = a.source AND t.host = a.host AND t.ion = a.ion AND t.n = a.n AND t.channel = a.channel
WHERE adsorption_potential IS NOT NULL
ORDER BY a.source, a.host, a.channel, valence, a.n
