-- The tables of the lake and the dictionary of their columns. The program reads this file: the types here are the types
-- of the store, the comments are what `\d tmo` and any DuckLake client show.
--
-- Every table that `hollandite import` fills has this shape; `tmo` differs only in what it admits: oxides of the
-- transition metals named in src/features/scope.rs.

CREATE TABLE tmo (
    id                        VARCHAR COMMENT 'name of the crystal in its source (mp-19395), or of its file; with structure_hash it identifies the row',
    source                    VARCHAR COMMENT 'where the crystal comes from: the record''s own statement, --source, or the file name',
    source_id                 VARCHAR COMMENT 'name in that source where it differs from id',
    structure_hash            VARCHAR COMMENT '128-bit content hash, 32 hex digits; equal for equal crystals whatever the order of sites or rotation',
    formula                   VARCHAR COMMENT 'reduced formula, electropositive elements first (TiO2)',
    elements                  VARCHAR[] COMMENT 'symbols, alphabetical',
    nelements                 INTEGER COMMENT 'number of different elements',
    class                     VARCHAR COMMENT 'unary, binary, ternary, quaternary, quinary, senary, ... after nelements',
    chemsys                   VARCHAR COMMENT 'chemical system: symbols in alphabetical order joined by - (Li-Mn-O)',
    structure                 STRUCT(lattice DOUBLE[], numbers INTEGER[], frac_coords DOUBLE[]) COMMENT 'lattice: rows a, b, c in Å, 9 numbers; numbers: atomic number of each site; frac_coords: 3 numbers a site',
    natoms                    INTEGER COMMENT 'atoms in the cell as given',
    volume                    DOUBLE COMMENT 'cell volume, Å³',
    density                   DOUBLE COMMENT 'mass density, g/cm³',
    packing_fraction          DOUBLE COMMENT 'sum of atomic spheres (Slater radii) over the cell volume; overlaps count twice, so it may exceed 1',
    void                      DOUBLE COMMENT 'fraction of the cell outside all atomic spheres, convention of definitions section 4; void(structure, radii, probe) computes others',
    spacegroup                INTEGER COMMENT 'space-group number at 0.1 Å; NULL where no consistent symmetry is found',
    formation_energy_per_atom DOUBLE COMMENT 'DFT formation energy, eV/atom',
    e_above_hull              DOUBLE COMMENT 'DFT energy above the convex hull, eV/atom',
    band_gap                  DOUBLE COMMENT 'DFT band gap, eV',
    correction_scheme         VARCHAR COMMENT 'origin and energy-correction scheme of the DFT labels',
    split                     VARCHAR COMMENT 'train, test, ... where the source assigns one',
    extra                     VARCHAR COMMENT 'every other property of the record, a JSON object'
);

-- What `hollandite featurize` writes: a table features_NAME for each feature, with these columns and one called NAME that
-- holds the values, of whatever type the function has. All of them joined, by id and structure_hash, are the view `features`.
CREATE TABLE features_name (
    id             VARCHAR COMMENT 'id of the row',
    structure_hash VARCHAR COMMENT 'content hash of the row; with id it identifies the row',
    exact_hash     VARCHAR COMMENT 'hash of the very numbers in structure, 32 hex digits: a call reads the value only for these',
    featurizer     VARCHAR COMMENT 'function, constant arguments and version: void(ionic,0.76)/1'
);
