-- What: How strongly Nb12WO33 holds one or two Li, Ca or Al: the paper's adsorption potential (eV per ion, positive = favourable) beside what was computed here, and the step from one ion to two.
-- Why: Its one channel, of 15.36 Å², takes a first ion of each kind and a second of Li only.
--   paper and computed are averages over the n ions of the cell; second is what the second ion alone gains, 2 P(2) - P(1), which a
--   battery would see. computed is the best of the rows of `adsorption` that are not the paper's.
-- Figure: Fig. 5g of Datta et al., Energy Adv. 2024, 3, 968.
WITH valences (ion, valence) AS (
    VALUES ('Li', 1), ('Ca', 2), ('Al', 3)
),
computed AS (
    SELECT ion, n, max(adsorption_potential) AS computed, count(adsorption_potential) AS calculations
    FROM adsorption
    WHERE host_formula = 'Nb12WO33' AND source NOT LIKE 'Datta et al.%'
    GROUP BY ion, n
),
paper AS (
    SELECT * FROM adsorption WHERE host_formula = 'Nb12WO33' AND source LIKE 'Datta et al.%'
)
SELECT paper.ion,
       paper.n,
       area,
       adsorption_potential AS paper,
       computed,
       coalesce(calculations, 0) AS calculations,
       adsorption_potential / valence AS voltage,
       CASE WHEN paper.n = 2 THEN 2 * adsorption_potential - first.potential END AS second,
       where_in_paper
FROM paper
JOIN valences ON valences.ion = paper.ion
JOIN (SELECT ion, adsorption_potential AS potential FROM paper WHERE n = 1) AS first ON first.ion = paper.ion
LEFT JOIN computed ON computed.ion = paper.ion AND computed.n = paper.n
ORDER BY valence, paper.n
