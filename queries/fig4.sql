-- What: How strongly each channel of trigonal MoVO holds one or two Ca, Li or Al: the paper's adsorption potential (eV per ion, positive = favourable) beside what was computed here.
-- Why: Which tunnel takes which ion is what the paper is about: the widest channel takes all three, the narrowest refuses Al.
--   paper is NULL where the paper shows a figure only; voltage is the paper's potential over the charge of the ion, V against the metal.
--   computed is the mean of the rows of `adsorption` that are not the paper's, for the same host, ion, number and channel.
-- Figure: Fig. 4d (with S1g, S2f, S3f) of Datta et al., Energy Adv. 2024, 3, 968.
WITH valences (ion, valence) AS (
    VALUES ('Li', 1), ('Ca', 2), ('Al', 3)
),
computed AS (
    SELECT ion, n, channel, avg(adsorption_potential) AS computed, count(adsorption_potential) AS calculations
    FROM adsorption
    -- By host: the formula that the paper gives it is also that of a dense oxide without tunnels (mp-1216518).
    WHERE host = 'trigonal MoVO' AND source NOT LIKE 'Datta et al.%'
    GROUP BY ion, n, channel
)
SELECT paper.channel,
       area,
       paper.ion,
       paper.n,
       adsorption_potential AS paper,
       computed,
       coalesce(calculations, 0) AS calculations,
       adsorption_potential / valence AS voltage,
       where_in_paper
FROM adsorption AS paper
JOIN valences ON valences.ion = paper.ion
LEFT JOIN computed ON computed.ion = paper.ion AND computed.n = paper.n AND computed.channel = paper.channel
WHERE host = 'trigonal MoVO' AND source LIKE 'Datta et al.%'
ORDER BY area DESC NULLS LAST, paper.n, valence
