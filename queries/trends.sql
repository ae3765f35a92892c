-- What: What the adsorption potential goes with: slope and correlation against channel area, ion radius, charge density of the ion and charge transfer, by host and for all.
-- Why: The paper concludes that channel area and charge density decide, and that in Nb12WO33 the potential falls as charge transfer rises. A handful of points
--   stands behind each, and in Table 2 two of six charges cannot be charges of one atom (3.01 e of an Al with three valence electrons; 0.22 e of Li): slope is in eV per unit of the quantity, correlation is Pearson's, and under five points it says little.
--   `trend_points` lists the points and says what the quantities are.
-- Figure: None; the argument of section 3.1 of Datta et al., Energy Adv. 2024, 3, 968.
WITH ions (ion, valence) AS (
    VALUES ('Li', 1), ('Ca', 2), ('Al', 3)
),
transfer AS (
    SELECT source, host, ion, n, channel, avg(charge_transfer) AS charge_transfer
    FROM charges
    WHERE element = ion
    GROUP BY source, host, ion, n, channel
),
points AS (
    SELECT a.source, a.host, adsorption_potential AS potential, area, ionic_radius(a.ion) AS radius, valence, charge_transfer
    FROM adsorption AS a
    JOIN ions ON ions.ion = a.ion
    LEFT JOIN transfer AS t ON t.source = a.source AND t.host = a.host AND t.ion = a.ion AND t.n = a.n AND t.channel = a.channel
),
pairs AS (
    SELECT source, host, 'channel area, Å²' AS quantity, area AS x, potential FROM points
    UNION ALL
    SELECT source, host, 'ion radius, Å', radius, potential FROM points
    UNION ALL
    SELECT source, host, 'charge density, e/Å³', 3 * valence / (4 * pi() * power(radius, 3)), potential FROM points
    UNION ALL
    SELECT source, host, 'charge transfer, e', charge_transfer, potential FROM points
)
SELECT quantity,
       coalesce(host, 'all') AS host,
       count(*) AS points,
       regr_slope(potential, x) AS slope,
       corr(potential, x) AS correlation,
       source
FROM pairs
WHERE x IS NOT NULL AND potential IS NOT NULL
GROUP BY GROUPING SETS ((source, quantity, host), (source, quantity))
ORDER BY source, quantity, host NULLS FIRST
