-- What: Adsorption potentials of Li, Ca and Al in the hosts that are at hand, the paper's DFT beside the session's energy model (eV per ion, positive = favourable).
-- Why: How far a learned energy surface may be trusted in a screening: difference is ours less the paper's, mae its mean absolute value, rank the correlation of the two rankings (Spearman).
--   Of the paper's hosts Nb12WO33 is here (a DFT-relaxed order of the block phase); the coordinates of MoVO are in no open source. Minutes with CHGNet; remembered.
-- Figure: Fig. 4 and 5 of Datta et al., Energy Adv. 2024, 3, 968.
WITH asked AS (
    SELECT tmo.id, paper.host, paper.ion, paper.n, paper.channel, paper.adsorption_potential AS paper,
           adsorption_potential(tmo.structure, paper.ion, paper.n, 'channels') AS ours
    FROM adsorption AS paper
    JOIN tmo ON tmo.formula = paper.host_formula
    WHERE paper.source LIKE 'Datta et al.%' AND paper.adsorption_potential IS NOT NULL
),
ranked AS (
    SELECT *, ours - paper AS difference,
           rank() OVER (ORDER BY paper) AS paper_rank, rank() OVER (ORDER BY ours) AS our_rank
    FROM asked
)
SELECT id, ion, n, channel, paper, ours, difference,
       avg(abs(difference)) OVER () AS mae,
       corr(paper_rank, our_rank) OVER () AS rank
FROM ranked
ORDER BY host, id, ion, n
