-- What: The paper's adsorption potentials of Nb12WO33 beside those of the session's energy model, in each configuration that the paper may mean (eV per ion, positive = favourable).
-- Why: The paper does not say where its ions stand. Two ions in one channel of 3.87 Å, as its text reads, are another thing than two ions as far apart as they want to be, and the second Ca differs
--   by up to 9 eV between them. The six numbers are PBE in a cell that is not stated, and partly not plausible (its Li lies 2.2 eV above what DFT gives for oxides of that couple, its Al stands on a
--   reference 0.3 eV above bulk Al): difference compares configurations, and is no error of the model; that is measured on electrodes whose voltage is known (voltages).
--   reading: how the paper is read. one column: n = 2 half a period apart in one channel, cell fixed; far apart: where they are held best in the rectangular channels; held at the centre: as one column,
--   ions held in the middle of the channel while the host relaxes. mae and rank (Spearman) are those of a reading. Minutes with CHGNet; remembered.
--   SET hollandite.energy_model names another model. Of the paper's hosts this one is at hand; the coordinates of orthorhombic and trigonal MoVO are in no open source.
-- Figure: Fig. 4 and 5 of Datta et al., Energy Adv. 2024, 3, 968.
WITH hosts AS (
    -- One crystal, whatever other entries share its formula: the ordered C2 phase of the Materials Project, or of Roth and Wadsley.
    SELECT id, primitive(structure) AS crystal FROM tmo WHERE id IN ('mp-1198790', 'nb12wo33') ORDER BY id LIMIT 1
),
centres AS (
    -- The widest place of a rectangular channel; of a primitive cell the first vector is the shortest, here along the channel.
    SELECT id, crystal, s['frac_coords'] AS c
    FROM (SELECT id, crystal, unnest(insertion_sites(crystal, 'Ca', 'rectangular')) AS s FROM hosts)
    ORDER BY s['radius'] DESC LIMIT 1
),
points AS (
    SELECT id, crystal, array_to_string(c, ' ') AS one,
           array_to_string(c, ' ') || '; ' || (c[1] + 0.5) || ' ' || c[2] || ' ' || c[3] AS two
    FROM centres
),
readings (reading, n, stated, relaxes) AS (
    VALUES ('far apart', 1, false, 'all'), ('far apart', 2, false, 'all'),
           ('one column', 1, true, 'atoms'), ('one column', 2, true, 'atoms'),
           ('held at the centre', 1, true, 'host'), ('held at the centre', 2, true, 'host')
),
asked AS (
    SELECT points.id, paper.ion, paper.n, reading, paper.adsorption_potential AS paper,
           adsorption(crystal, paper.ion, paper.n, '', paper.channel, 0,
                      CASE WHEN NOT stated THEN '' WHEN paper.n = 1 THEN one ELSE two END, relaxes)[1] AS place
    FROM points
    CROSS JOIN adsorption AS paper
    JOIN readings ON readings.n = paper.n
    WHERE paper.source LIKE 'Datta et al.%' AND paper.host = 'Nb12WO33' AND paper.adsorption_potential IS NOT NULL
),
ranked AS (
    SELECT *, place['adsorption_potential'] AS ours, place['adsorption_potential'] - paper AS difference,
           rank() OVER (PARTITION BY reading ORDER BY paper) AS paper_rank,
           rank() OVER (PARTITION BY reading ORDER BY place['adsorption_potential']) AS our_rank
    FROM asked
)
SELECT reading, id, ion, n, paper, ours, difference,
       place['spacing'] AS spacing, place['spread'] AS spread, place['converged'] AS converged, place['model'] AS model,
       avg(abs(difference)) OVER (PARTITION BY reading) AS mae,
       corr(paper_rank, our_rank) OVER (PARTITION BY reading) AS rank
FROM ranked
ORDER BY reading, n, ion
