-- The tables of the lake and the dictionary of their columns. The program reads this file: the types here are the types
-- of the store, the comments are what `\d tmo` and any DuckLake client show.
--
-- Every table that `hollandite import` fills has the shape of tmo; `tmo` differs only in what it admits: oxides of the
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
    void                      DOUBLE COMMENT 'fraction of the cell outside all atomic spheres, Slater''s radii, no probe; void(structure, radii, probe) computes others',
    spacegroup                INTEGER COMMENT 'space-group number at 0.1 Å; NULL where no consistent symmetry is found',
    formation_energy_per_atom DOUBLE COMMENT 'DFT formation energy, eV/atom',
    e_above_hull              DOUBLE COMMENT 'DFT energy above the convex hull, eV/atom',
    band_gap                  DOUBLE COMMENT 'DFT band gap, eV',
    correction_scheme         VARCHAR COMMENT 'origin and energy-correction scheme of the DFT labels',
    split                     VARCHAR COMMENT 'train, test, ... where the source assigns one',
    extra                     VARCHAR COMMENT 'every other property of the record, a JSON object',
    path                      VARCHAR COMMENT 'file that the row comes from, as it was given to import; tables of earlier releases lack it'
);

-- What `hollandite featurize` writes: a table features_NAME for each feature, with these columns and one called NAME that
-- holds the values, of whatever type the function has. All of them joined, by id and structure_hash, are the view `features`.
CREATE TABLE features_name (
    id             VARCHAR COMMENT 'id of the row',
    structure_hash VARCHAR COMMENT 'content hash of the row; with id it identifies the row',
    exact_hash     VARCHAR COMMENT 'hash of the very numbers in structure, 32 hex digits: a call reads the value only for these',
    featurizer     VARCHAR COMMENT 'function, constant arguments and version: void(ionic,0.76)/1'
);

-- What `hollandite enumerate` makes: a table of the shape of tmo, and after its columns these.
CREATE TABLE lineage (
    parent        VARCHAR COMMENT 'id of the prototype that the crystal was made from',
    substitution  VARCHAR COMMENT 'substitution: Ti>Sn,La>Y; Ti>Nb1V1#2 for an element divided between two, the second ordering',
    prototype     VARCHAR COMMENT 'anonymous label of its structure type, as prototype(structure)',
    radius_change DOUBLE COMMENT 'largest relative change of an ionic radius by the exchange, Shannon''s, each in the state that balances its composition'
);

-- What `hollandite generate` makes: a table of the shape of tmo, and after its columns these.
CREATE TABLE lineage_of_generated (
    request     VARCHAR COMMENT 'what was asked for: elements or a formula, the largest cell, conditions, and where templates are from or which network draws',
    sampler     VARCHAR COMMENT 'what drew the crystal: templates, those of known crystals with other elements on them, or wyckoff, a network',
    template    VARCHAR COMMENT 'id of the known crystal whose pattern of orbits it has, where it is taken from one',
    tokens      VARCHAR COMMENT 'what was drawn: the space group, then ion and Wyckoff position of each orbit (136 Ti4+:2a O2-:4f)',
    seed        BIGINT COMMENT 'seed of all draws',
    draw        BIGINT COMMENT 'number of the draw, from 0; with the seed it makes the crystal again',
    instability DOUBLE COMMENT 'root-mean-square deviation between bond-valence sums and oxidation states before any relaxation, valence units'
);

-- What is known of ions in tunnels: the numbers of the paper (fixtures/published), and what this program computed, told apart by
-- source. A quantity that nobody states is NULL.
CREATE TABLE adsorption (
    host                 VARCHAR COMMENT 'the empty host: its name in the source, or the id of its row',
    host_formula         VARCHAR COMMENT 'reduced formula of the host, as tmo.formula',
    structure_hash       VARCHAR COMMENT 'content hash of the host, where its structure is known',
    ion                  VARCHAR COMMENT 'inserted element',
    n                    INTEGER COMMENT 'ions in the cell',
    channel              VARCHAR COMMENT 'the tunnel, by its shape or number: heptagonal',
    area                 DOUBLE COMMENT 'cross-section of the tunnel as the source states it, Å²',
    adsorption_potential DOUBLE COMMENT 'eV per ion, positive = favourable: -(e_inserted - e_host - n e_ion) / n',
    voltage              DOUBLE COMMENT 'average voltage against the metal, V: adsorption_potential / valence',
    e_host               DOUBLE COMMENT 'total energy of the empty cell, eV',
    e_inserted           DOUBLE COMMENT 'total energy of the same cell with n ions, eV',
    e_ion                DOUBLE COMMENT 'reference energy of the ion, eV/atom',
    functional           VARCHAR COMMENT 'functional with what was added (PBE, PBE+U, PBE-D3), or the energy model',
    source               VARCHAR COMMENT 'citation, or the program and model that computed the row',
    where_in_paper       VARCHAR COMMENT 'section, table or figure of the source',
    host_run             VARCHAR COMMENT 'calculation of e_host: run of dft_runs',
    inserted_run         VARCHAR COMMENT 'calculation of e_inserted',
    ion_run              VARCHAR COMMENT 'calculation of e_ion',
    note                 VARCHAR COMMENT 'remarks'
);

-- Charges of atoms in a cell with ions, by a partition of its density. A published table gives one row for its ions together; a
-- computed one gives a row for each atom.
CREATE TABLE charges (
    host            VARCHAR COMMENT 'the empty host: its name in the source, or the id of its row',
    host_formula    VARCHAR COMMENT 'reduced formula of the host, as tmo.formula',
    structure_hash  VARCHAR COMMENT 'content hash of the host, where its structure is known',
    ion             VARCHAR COMMENT 'element that was inserted; NULL for the empty host',
    n               INTEGER COMMENT 'ions in the cell',
    channel         VARCHAR COMMENT 'the tunnel, by its shape or number: heptagonal',
    site            INTEGER COMMENT 'number of the atom in the cell, from 1; NULL for an average over the ions',
    element         VARCHAR COMMENT 'its element',
    net_charge      DOUBLE COMMENT 'valence electrons of the neutral atom less those of its basin, e: positive = cation',
    charge_transfer DOUBLE COMMENT 'electrons that the atom has given by the insertion, e per atom; of an inserted ion, its net charge',
    electrons       DOUBLE COMMENT 'valence electrons in its basin',
    volume          DOUBLE COMMENT 'volume of its basin, Å³',
    method          VARCHAR COMMENT 'the partition: Bader, and how its surfaces were found',
    functional      VARCHAR COMMENT 'functional with what was added (PBE, PBE+U, PBE-D3), or the energy model',
    source          VARCHAR COMMENT 'citation, or the program that computed the row',
    where_in_paper  VARCHAR COMMENT 'section, table or figure of the source',
    run             VARCHAR COMMENT 'calculation of the density: run of dft_runs',
    note            VARCHAR COMMENT 'remarks'
);

-- Insertion electrodes whose voltage is known, to measure energy models by: `hollandite import LIST --into electrodes` fills it, and
-- every store has ten by experiment (fixtures/published).
CREATE TABLE electrodes (
    battery_id         VARCHAR COMMENT 'name of the electrode in its source',
    ion                VARCHAR COMMENT 'inserted element',
    valence            INTEGER COMMENT 'charge of the ion',
    formula_charged    VARCHAR COMMENT 'reduced formula with the fewer ions',
    formula_discharged VARCHAR COMMENT 'reduced formula with the more ions',
    charged_id         VARCHAR COMMENT 'name of the charged crystal in its source',
    discharged_id      VARCHAR COMMENT 'name of the discharged crystal in its source',
    charged            STRUCT(lattice DOUBLE[], numbers INTEGER[], frac_coords DOUBLE[]) COMMENT 'the crystal with the fewer ions, as tmo.structure; NULL for experiments',
    discharged         STRUCT(lattice DOUBLE[], numbers INTEGER[], frac_coords DOUBLE[]) COMMENT 'the crystal with the more ions, as tmo.structure; NULL for experiments',
    n                  DOUBLE COMMENT 'ions that one cell of charged takes up',
    cells              DOUBLE COMMENT 'cells of discharged that hold the host of one cell of charged',
    voltage            DOUBLE COMMENT 'average voltage between the two, against the metal, V',
    volume_change      DOUBLE COMMENT 'largest relative change of volume between the two, as the source states it',
    checked            BOOLEAN COMMENT 'whether formation energies of both crystals give the voltage within 0.15 V, where the source says so',
    method             VARCHAR COMMENT 'DFT or experiment',
    source             VARCHAR COMMENT 'citation',
    note               VARCHAR COMMENT 'remarks'
);

-- Energies of the elements that go in, by how they were computed. Energies of two rows that differ in functional, dispersion or
-- potential have no common zero.
CREATE TABLE reference_energies (
    ion            VARCHAR COMMENT 'element',
    energy         DOUBLE COMMENT 'eV/atom',
    phase          VARCHAR COMMENT 'crystal or molecule that it is of',
    functional     VARCHAR COMMENT 'functional with what was added (PBE, PBE+U, PBE-D3), or the energy model',
    dispersion     VARCHAR COMMENT 'dispersion correction; NULL for none or not stated',
    potential      VARCHAR COMMENT 'pseudopotential (PAW_PBE Ca_sv 06Sep2000); NULL where not stated',
    source         VARCHAR COMMENT 'citation, or the program that computed the row',
    where_in_paper VARCHAR COMMENT 'section, table or figure of the source',
    run            VARCHAR COMMENT 'calculation of the energy: run of dft_runs',
    note           VARCHAR COMMENT 'remarks'
);

-- What `hollandite import-dft` reads of calculations with VASP. Energies of two rows have a common zero only where functional,
-- hubbard, encut and potcars are the same.
CREATE TABLE dft_runs (
    run                  VARCHAR COMMENT 'identity: first 128 bits of the SHA-256 of the file, unpacked, 32 hex digits',
    name                 VARCHAR COMMENT 'folder of the calculation as seen from the one that was imported, with what its files'' names add',
    path                 VARCHAR COMMENT 'the file: vasprun.xml, or OUTCAR where there is none',
    version              VARCHAR COMMENT 'version of VASP',
    status               VARCHAR COMMENT 'converged, or why the energy is not that of a ground state',
    electronic_converged BOOLEAN COMMENT 'whether the last electronic loop ended because it had converged',
    ionic_converged      BOOLEAN COMMENT 'whether the relaxation converged; true if no atom was free to move',
    formula              VARCHAR COMMENT 'reduced formula, as tmo.formula',
    natoms               INTEGER COMMENT 'atoms in the cell',
    structure_hash       VARCHAR COMMENT 'content hash of structure, as tmo.structure_hash',
    structure            STRUCT(lattice DOUBLE[], numbers INTEGER[], frac_coords DOUBLE[]) COMMENT 'the crystal of the last ionic step, which energy and forces are of; as tmo.structure',
    initial_structure    STRUCT(lattice DOUBLE[], numbers INTEGER[], frac_coords DOUBLE[]) COMMENT 'the crystal that it began with',
    energy               DOUBLE COMMENT 'E(sigma -> 0) of the cell, eV: e_0_energy of the last electronic step with what is added after it',
    free_energy          DOUBLE COMMENT 'free energy of the cell, eV (TOTEN), whose negative gradients are the forces',
    forces               DOUBLE[] COMMENT 'force on each site, eV/Å, 3 numbers a site',
    max_force            DOUBLE COMMENT 'the largest force on a site, eV/Å',
    stress               DOUBLE[] COMMENT 'derivative of the energy with respect to strain, over the volume, eV/Å³, 9 numbers; positive on the diagonal: the cell would shrink',
    magmoms              DOUBLE[] COMMENT 'magnetic moment of each site, bohr magnetons; from OUTCAR, collinear calculations only',
    magnetization        DOUBLE COMMENT 'magnetic moment of the cell, bohr magnetons; from OUTCAR',
    functional           VARCHAR COMMENT 'functional with what was added (PBE, PBE+U, PBE-D3, SCAN, HSE06)',
    dispersion           VARCHAR COMMENT 'what was added for dispersion (D3, TS); dispersion where the energy shows one that no tag names',
    hubbard              STRUCT(element VARCHAR, l INTEGER, u DOUBLE, j DOUBLE)[] COMMENT 'Hubbard terms: element, angular momentum of the shell, U and J in eV',
    hubbard_type         INTEGER COMMENT 'LDAUTYPE: how they enter; 2 is Dudarev''s, in which U - J counts',
    encut                DOUBLE COMMENT 'plane-wave cutoff, eV',
    kpoint_scheme        VARCHAR COMMENT 'how the k-points were made: Gamma, Monkhorst-Pack',
    kpoint_mesh          INTEGER[] COMMENT 'divisions of the reciprocal axes, for a regular mesh',
    nkpoints             INTEGER COMMENT 'k-points after symmetry',
    ispin                INTEGER COMMENT '2 for a spin-polarised calculation, else 1',
    noncollinear         BOOLEAN COMMENT 'whether spins may point anywhere, as with spin-orbit coupling',
    lasph                BOOLEAN COMMENT 'whether the non-spherical density inside the spheres counts (LASPH)',
    potcars              VARCHAR[] COMMENT 'titles of the pseudopotentials, in the order of the sites',
    nelect               DOUBLE COMMENT 'electrons in the cell',
    charge               DOUBLE COMMENT 'charge of the cell, e',
    ionic_steps          INTEGER COMMENT 'ionic steps',
    electronic_steps     INTEGER COMMENT 'electronic steps of the last ionic step',
    ibrion               INTEGER COMMENT 'how ions move (IBRION): -1 not, 0 by Newton''s law, 1 to 3 downhill',
    nsw                  INTEGER COMMENT 'maximum number of ionic steps',
    isif                 INTEGER COMMENT 'what may move (ISIF): 2 the ions, 3 the cell too',
    nelm                 INTEGER COMMENT 'most electronic steps',
    ediff                DOUBLE COMMENT 'change of energy that ends an electronic loop, eV',
    ediffg               DOUBLE COMMENT 'what ends a relaxation: a change of energy, eV, or where negative the largest force, eV/Å',
    ismear               INTEGER COMMENT 'how occupations are smeared (ISMEAR)',
    sigma                DOUBLE COMMENT 'width of the smearing, eV',
    correction_per_atom  DOUBLE COMMENT 'what correction_scheme adds to energy, eV/atom, as it was at import; NULL where the scheme does not apply',
    correction_scheme    VARCHAR COMMENT 'the scheme: MP2020',
    correction_parts     STRUCT(species VARCHAR, count DOUBLE, per_atom DOUBLE)[] COMMENT 'its parts: kind of atom, how many in the cell, eV per atom of the kind',
    oxide_type           VARCHAR COMMENT 'what the oxygen is by its distances: oxide, hydroxide, peroxide, superoxide, ozonide',
    oxidation_states     STRUCT(element VARCHAR, state DOUBLE)[] COMMENT 'oxidation states used to identify the anions; empty where no choice is neutral',
    corrected_energy     DOUBLE COMMENT 'energy with its correction, of the cell, eV',
    formation_energy_per_atom DOUBLE COMMENT 'of corrected_energy and the elements of the scheme (schema/elements/reference_energies.csv), eV/atom',
    correction_note      VARCHAR COMMENT 'why there is no correction or no formation energy'
);
