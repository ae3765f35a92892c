-- What: The most open oxides: void fraction and density beside symmetry and cell size.
-- Why: Tunnel and block structures (hollandite, todorokite, the Wadsley-Roth niobates) lie at the open end of this list.
-- Figure: Fig. 1 of Datta et al., Energy Adv. 2024, 3, 968, which shows two of them, Nb12WO33 and trigonal MoVO.
SELECT id, formula, spacegroup, natoms, density, void
FROM tmo
WHERE void > 0.5
ORDER BY void DESC, id
LIMIT 20
