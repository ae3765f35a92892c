-- What: Whether a crystal's label agrees with the energy above the hull that its source states: ok, contradicted or unchecked, with both distances (eV/atom).
-- Why: A label that lies more than 0.1 eV/atom higher above the hull of all labels than the source's own, later hull says was
--   corrected since: an old choice of GGA or GGA+U, or of a pseudopotential. The check proves this side only: a label that is too low is
--   on the hull of the labels itself, and what lies above it then looks wrong.
--   `hollandite train --where` leaves such rows out of a training; test rows stay, whether or not they pass the check.
-- Figure: No figure of Datta et al., Energy Adv. 2024, 3, 968.
WITH distances AS (
    SELECT id, structure_hash, formula, split, formation_energy_per_atom, e_above_hull,
           TRY_CAST(extra ->> 'e_above_hull_derived' AS DOUBLE) AS e_above_hull_of_labels
    FROM tmo
    WHERE formation_energy_per_atom IS NOT NULL
)
SELECT id,
       structure_hash,
       formula,
       split,
       formation_energy_per_atom,
       e_above_hull,
       e_above_hull_of_labels,
       CASE WHEN e_above_hull_of_labels - e_above_hull > 0.1 THEN 'contradicted'
            WHEN e_above_hull_of_labels - e_above_hull IS NOT NULL THEN 'ok'
            ELSE 'unchecked' END AS label_check
FROM distances
ORDER BY e_above_hull_of_labels - e_above_hull DESC NULLS LAST, id
