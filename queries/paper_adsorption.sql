-- What: The paper's adsorption potentials of Nb12WO33 beside those of every installed energy model, for each arrangement of the ions that the paper may mean (eV per ion, positive = favourable).
-- Why: The paper does not say where its ions are, and this matters: the second Ca alone changes by several eV between two ions in one channel, whose period is 3.87 Å, as the text reads, and one ion in each of two channels.
--   The paper's values are PBE in a cell that it does not describe, and some are implausible: Li is bound 2.2 eV more strongly than in DFT calculations of other oxides of the same redox couple, and Al is
--   referred to an energy 0.3 eV above that of bulk Al. mae and rank (Spearman) therefore compare arrangements and models with one another; neither is the error of a model, which voltage_errors measures on
--   electrodes whose voltage is known.
--   configuration: 'free': the sites that the search finds in the rectangular channels; host and cell are relaxed. 'one column': the ions are half a period apart in the widest rectangular channel; the cell
--   is fixed. 'two columns': one ion at the widest place of each of two such channels; the cell is fixed. 'held at the centre': as 'one column', with the ions fixed at the centre of the channel while the
--   atoms of the host relax. Takes minutes per model; the results are remembered. This is the only host of the paper whose structure is openly available: coordinates of orthorhombic and trigonal MoVO are
--   not; the guide to ions builds a tetragonal MoVO.
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
