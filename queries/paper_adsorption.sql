-- What: The paper's adsorption potentials of Nb12WO33 beside those of every energy model that is installed, in each configuration that the paper may mean (eV per ion, positive = favourable).
-- Why: What the comparison means: the paper does not say where its ions stand, and the second Ca alone differs by several eV between two ions in one channel of 3.87 Å, as its text reads, and in two.
--   Its numbers are PBE in a cell that is not stated and partly not plausible (Li lies 2.2 eV above what DFT gives for oxides of that couple, Al stands on a reference 0.3 eV above bulk Al), so that
--   mae and rank compare configurations and models with one another. They are no error of a model: that is measured on electrodes whose voltage is known (voltage_errors).
--   configuration: free: sites of the rectangular channels that the search finds, host and cell relaxed; one column: n = 2 half a period apart in the widest rectangular channel, cell held; two columns:
--   in the widest places of two such channels, cell held; held at the centre: as one column, the ions held in the middle of the channel while the host relaxes. mae and rank (Spearman) are those of a
--   model in a configuration. Minutes a model; remembered. Of the paper's hosts this one is at hand; coordinates of orthorhombic and trigonal MoVO are in no open source; the guide to ions makes a tetragonal one.
-- Figure: Fig. 4 and 5 of Datta et al., Energy Adv. 2024, 3, 968.
WITH hosts AS (
    -- One crystal, whatever other entries share its formula: the ordered C2 phase of the Materials Project, or of Roth and Wadsley.
    SELECT id, primitive(structure) AS crystal FROM tmo WHERE id IN ('mp-1198790', 'nb12wo33') ORDER BY id LIMIT 1
),
widest AS (
    -- The widest place of each rectangular channel.
    SELECT id, crystal, s['frac_coords'] AS c, row_number() OVER (ORDER BY s['radius'] DESC) AS place
    FROM (
        SELECT id, crystal, s, row_number() OVER (PARTITION BY s['channel'] ORDER BY s['radius'] DESC) AS best
        FROM (SELECT id, crystal, unnest(insertion_sites(crystal, 'Ca', 'rectangular')) AS s FROM hosts)
    )
    WHERE best = 1
),
points AS (
    -- Of a primitive cell the first vector is the shortest, here along the channel.
    SELECT a.id, a.crystal, array_to_string(a.c, ' ') AS one,
           array_to_string(a.c, ' ') || '; ' || (a.c[1] + 0.5) || ' ' || a.c[2] || ' ' || a.c[3] AS close_pair,
           array_to_string(a.c, ' ') || '; ' || array_to_string(b.c, ' ') AS far_pair
    FROM widest AS a
    JOIN widest AS b ON a.place = 1 AND b.place = 2
),
configurations (configuration, relaxes) AS (
    VALUES ('free', 'all'), ('one column', 'atoms'), ('two columns', 'atoms'), ('held at the centre', 'host')
),
asked AS (
    SELECT points.id, models.name AS model, paper.ion, paper.n, configuration, paper.adsorption_potential AS paper,
           adsorption(crystal, paper.ion, paper.n, models.name, paper.channel, 0,
                      CASE WHEN configuration = 'free' THEN '' WHEN paper.n = 1 THEN one
                           WHEN configuration = 'two columns' THEN far_pair ELSE close_pair END, relaxes)[1] AS place
    FROM points
    CROSS JOIN configurations
    CROSS JOIN adsorption AS paper
    -- Without one the published numbers stand alone: `hollandite models add` installs an energy model.
    LEFT JOIN models ON models.forces
    WHERE paper.source LIKE 'Datta et al.%' AND paper.host = 'Nb12WO33' AND paper.adsorption_potential IS NOT NULL
),
ranked AS (
    SELECT *, place['adsorption_potential'] AS ours, place['adsorption_potential'] - paper AS difference,
           rank() OVER (PARTITION BY model, configuration ORDER BY paper) AS paper_rank,
           rank() OVER (PARTITION BY model, configuration ORDER BY place['adsorption_potential']) AS our_rank
    FROM asked
)
SELECT model, place['functional'] AS functional, configuration, id, ion, n, paper, ours, difference,
       place['spacing'] AS spacing, place['spread'] AS spread, place['converged'] AS converged,
       avg(abs(difference)) OVER (PARTITION BY model, configuration) AS mae,
       corr(paper_rank, our_rank) OVER (PARTITION BY model, configuration) AS rank
FROM ranked
ORDER BY model, configuration, n, ion
