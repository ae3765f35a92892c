-- What: The twenty open, stable oxides that hold calcium best: void and channels first, then the formation energy, then the whole loop of insertion and relaxation for those that are left.
-- Why: The paper's question turned round: not how one tunnel holds three ions, but which of thousands of oxides has a tunnel that takes Ca. Each step is asked of what the cheaper ones leave.
--   v_ca is the adsorption potential by the session's energy model, eV per ion, positive = favourable; half of it is the voltage against calcium metal.
-- Figure: The screening that the paper's outlook asks for (Datta et al., Energy Adv. 2024, 3, 968, section 4).
WITH open AS (
    SELECT id, formula, structure, natoms, void, channels(structure, 'Ca')[1] AS widest
    FROM tmo
    WHERE void > 0.5
      AND natoms <= 40
      AND ion_passes(structure, 'Ca')
      -- Hosts only: no ion that would have to leave first, nothing that holds calcium for another reason.
      AND NOT has_element(formula, 'Li') AND NOT has_element(formula, 'Na') AND NOT has_element(formula, 'K')
      AND NOT has_element(formula, 'Ca') AND NOT has_element(formula, 'H') AND NOT has_element(formula, 'F')
),
stable AS (
    SELECT *, predict_ef(structure) AS ef FROM open WHERE predict_ef(structure) < -1.5
)
SELECT id, formula, natoms, void, widest['bottleneck_radius'] AS bottleneck, widest['ring_name'] AS channel, ef,
       adsorption_potential(structure, 'Ca') AS v_ca
FROM stable
ORDER BY v_ca DESC NULLS LAST
LIMIT 20
