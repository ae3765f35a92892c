use super::*;
use crystal::{Element, Lattice, neighbors};
use models::ModelError;

/// Lennard-Jones pairs of depth `epsilon` (eV) and zero at `sigma` (Å), cut and shifted to zero at `cutoff`.
struct LennardJones {
    epsilon: f64,
    sigma: f64,
    cutoff: f64,
}

impl LennardJones {
    fn pair(&self, r: f64) -> (f64, f64) {
        let s6 = (self.sigma / r).powi(6);
        (4.0 * self.epsilon * (s6 * s6 - s6), -24.0 * self.epsilon * (2.0 * s6 * s6 - s6) / r)
    }
}

impl Potential for LennardJones {
    fn name(&self) -> &str {
        "lennard-jones"
    }

    fn id(&self) -> &str {
        "lennard-jones"
    }

    fn single_points(&self, structures: &[&Structure]) -> Vec<Result<SinglePoint, ModelError>> {
        let one = |s: &&Structure| {
            if s.species().iter().any(|e| e.symbol() == "Xe") {
                return Err(ModelError::Coverage { element: "Xe", model: self.name().into() });
            }
            let mut answer =
                SinglePoint { energy: 0.0, forces: vec![[0.0; 3]; s.len()], stress: [[0.0; 3]; 3], magmoms: None };
            let pairs = neighbors(s, self.cutoff);
            for p in 0..pairs.len() {
                let (i, j) = (pairs.center[p] as usize, pairs.neighbor[p] as usize);
                let (x, y) = (s.frac_coords()[i], s.frac_coords()[j]);
                let to = s.lattice().to_cartesian(std::array::from_fn(|k| y[k] + f64::from(pairs.image[p][k]) - x[k]));
                let r = pairs.distance[p];
                let (energy, gradient) = self.pair(r);
                answer.energy += 0.5 * (energy - self.pair(self.cutoff).0);
                for a in 0..3 {
                    answer.forces[i][a] += gradient * to[a] / r;
                    (0..3).for_each(|b| answer.stress[a][b] += 0.5 * gradient * to[a] * to[b] / r / s.volume());
                }
            }
            Ok(answer)
        };
        structures.iter().map(one).collect()
    }
}

const ARGON: LennardJones = LennardJones { epsilon: 0.5, sigma: 2.4, cutoff: 9.0 };

/// A distorted face-centred cube.
fn distorted() -> Structure {
    let lattice = Lattice::new([[4.0, 0.1, 0.0], [0.0, 3.8, 0.2], [0.15, 0.0, 3.9]]).unwrap();
    let sites = vec![[0.02, 0.0, 0.01], [0.0, 0.53, 0.49], [0.5, -0.02, 0.47], [0.48, 0.5, 0.03]];
    Structure::new(lattice, vec![Element::from_symbol("Ar").unwrap(); 4], sites).unwrap()
}

fn run(structures: &[&Structure], options: &RelaxOptions) -> Vec<Result<Relaxed, AdsorptionError>> {
    match relax(&ARGON, structures, options, |_: Round| ControlFlow::Continue(())) {
        ControlFlow::Continue(answers) => answers,
        ControlFlow::Break(()) => panic!("no follower broke off"),
    }
}

fn one(structure: &Structure, options: &RelaxOptions) -> Relaxed {
    run(&[structure], options).remove(0).unwrap()
}

fn options(method: Method, cell: bool) -> RelaxOptions {
    RelaxOptions { method, cell, fmax: 1e-4, steps: 300, ..RelaxOptions::default() }
}

#[test]
fn step_by_step_as_ase_goes() {
    // ASE 3.29: LennardJones(epsilon=0.5, sigma=2.4, rc=9), FrechetCellFilter or the atoms alone, fmax=1e-4. Energy, eV;
    // longest force, eV/Å; volume, Å³; and the number of steps.
    for (method, cell, steps, trace) in [
        (
            Method::Fire,
            true,
            118,
            [
                [-14.543048877, 3.676292687, 59.283000000],
                [-15.055934064, 2.714642214, 58.419890228],
                [-15.703671756, 2.650234351, 56.549393115],
                [-16.057256055, 3.055344663, 53.723006803],
                [-16.123114046, 2.633698753, 53.609582271],
                [-16.227367835, 1.896486422, 53.379716062],
                [-16.331115915, 1.500051432, 53.028344732],
                [-16.402721477, 1.275802226, 52.552845596],
            ],
        ),
        (
            Method::Fire,
            false,
            100,
            [
                [-14.543048877, 3.676292687, 59.283000000],
                [-14.893958824, 2.363013326, 59.283000000],
                [-15.148372094, 0.846099917, 59.283000000],
                [-15.095595342, 2.051730798, 59.283000000],
                [-15.117430677, 1.849851859, 59.283000000],
                [-15.152838564, 1.484777287, 59.283000000],
                [-15.189243911, 1.013497063, 59.283000000],
                [-15.214819244, 0.492634212, 59.283000000],
            ],
        ),
        (
            Method::Bfgs,
            true,
            25,
            [
                [-14.543048877, 3.676292687, 59.283000000],
                [-15.235509271, 2.766196453, 58.053843546],
                [-15.919011379, 4.729667733, 52.732129270],
                [-16.237054136, 1.796428081, 53.749358540],
                [-16.422585024, 1.202527092, 52.436527122],
                [-16.502952289, 0.522056484, 50.581813694],
                [-16.514070364, 0.285382846, 50.925663024],
                [-16.519214427, 0.245749686, 50.949070499],
            ],
        ),
        (
            Method::Bfgs,
            false,
            19,
            [
                [-14.543048877, 3.676292687, 59.283000000],
                [-14.995032488, 1.913356991, 59.283000000],
                [-15.170990385, 0.722488318, 59.283000000],
                [-15.199301374, 0.643249961, 59.283000000],
                [-15.217467786, 0.440826445, 59.283000000],
                [-15.225338036, 0.183372634, 59.283000000],
                [-15.226703440, 0.105031280, 59.283000000],
                [-15.227032598, 0.067335358, 59.283000000],
            ],
        ),
    ] {
        let relaxed = one(&distorted(), &options(method, cell));
        for (got, want) in relaxed.trace.iter().zip(trace) {
            let got = [got.energy, got.fmax, got.volume];
            assert!((0..3).all(|k| (got[k] - want[k]).abs() < 1e-6), "{method:?} {cell}: {got:?}, expected {want:?}");
        }
        assert!(relaxed.converged && relaxed.steps.abs_diff(steps) <= 1, "{method:?} {cell}: {} steps", relaxed.steps);
        assert_eq!(relaxed.trace.len(), relaxed.steps + 1);
    }
}

#[test]
fn both_reach_the_face_centred_cube_of_the_lattice_sums() {
    // The best cube by itself: the energy of the perfect lattice over a, by golden section.
    let energy = |a: f64| {
        let lattice = Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0).unwrap();
        let sites = vec![[0.0; 3], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]];
        let cube = Structure::new(lattice, distorted().species().to_vec(), sites).unwrap();
        ARGON.single_points(&[&cube]).remove(0).unwrap().energy
    };
    let (mut low, mut high) = (3.5, 3.9);
    while high - low > 1e-7 {
        let (p, q) = (high - 0.618_034 * (high - low), low + 0.618_034 * (high - low));
        if energy(p) < energy(q) { high = q } else { low = p }
    }
    // The lattice sums without a cutoff: a = 2^(1/2) 1.0902 σ and -8.610 ε per atom (Kittel, ch. 3), the tail beyond 3.75 σ
    // left out: a percent or so.
    assert!(
        (low / (2.0_f64.sqrt() * 1.0902 * 2.4) - 1.0).abs() < 0.005
            && (energy(low) / (4.0 * -8.610 * 0.5) - 1.0).abs() < 0.05
    );
    for method in [Method::Fire, Method::Bfgs] {
        let relaxed = one(&distorted(), &options(method, true));
        let parameters = relaxed.structure.lattice().parameters();
        assert!(parameters[..3].iter().all(|a| (a - low).abs() < 1e-4), "{parameters:?}, expected {low}");
        assert!(parameters[3..].iter().all(|angle| (angle - 90.0).abs() < 1e-2), "{parameters:?}");
        assert!((relaxed.energy - energy(low)).abs() < 1e-6);
        assert!((relaxed.volume_change - (low.powi(3) / 59.283 - 1.0)).abs() < 1e-4);
    }
}

#[test]
fn forces_of_the_frame_are_gradients_of_the_energy() {
    let frame = Frame::new(&distorted(), true);
    let mut at = frame.start();
    // Somewhere strained, and turned, so that exp and its derivative are put to the test.
    for (k, x) in at[12..].iter_mut().enumerate() {
        *x = 0.4 * ((k * 7 % 5) as f64 - 2.0) / 2.0;
    }
    let energy = |at: &[f64]| ARGON.single_points(&[&frame.structure(at).unwrap()]).remove(0).unwrap();
    let here = energy(&at);
    let forces = frame.forces(&at, frame.structure(&at).unwrap().volume(), &here);
    for k in 0..at.len() {
        let mut step = |h: f64| {
            at[k] += h;
            let moved = energy(&at).energy;
            at[k] -= h;
            moved
        };
        let gradient = (step(1e-5) - step(-1e-5)) / 2e-5;
        assert!((forces[k] + gradient).abs() < 1e-4 * (1.0 + gradient.abs()), "{k}: {} {gradient}", forces[k]);
    }
}

#[test]
fn order_rotation_and_company_do_not_matter() {
    let alone = one(&distorted(), &options(Method::Fire, true));
    let s = distorted();
    let (sin, cos) = 0.7_f64.sin_cos();
    let rotated = s.lattice().rows().map(|[x, y, z]| [x * cos - y * sin, x * sin + y * cos, z]);
    let sites: Vec<[f64; 3]> = s.frac_coords().iter().rev().copied().collect();
    let other = Structure::new(Lattice::new(rotated).unwrap(), s.species().to_vec(), sites).unwrap();
    let double = s.supercell([2, 1, 1]).unwrap();
    let together: Vec<Relaxed> =
        run(&[&other, &s, &double], &options(Method::Fire, true)).into_iter().map(Result::unwrap).collect();
    assert_eq!(together[1], alone);
    // The same way, though the longest of the forces on the cell, a row of a matrix, depends on the axes, and so the step it ends at.
    for (a, b) in together[0].trace.iter().zip(&alone.trace).take(40) {
        assert!((a.energy - b.energy).abs() < 1e-6 && (a.volume - b.volume).abs() < 1e-4, "{a:?} {b:?}");
    }
    assert!((together[0].energy - alone.energy).abs() < 1e-6);
    assert!((together[2].energy - 2.0 * alone.energy).abs() < 1e-5);
    assert!((together[2].volume_change - alone.volume_change).abs() < 1e-4);
}

#[test]
fn flags_tell_why_it_ended_and_a_fault_stays_with_its_crystal() {
    let short = one(&distorted(), &RelaxOptions { steps: 3, ..RelaxOptions::default() });
    assert!((short.converged, short.steps) == (false, 3));
    let still = one(&short.structure, &RelaxOptions { fmax: 100.0, ..RelaxOptions::default() });
    assert!((still.converged, still.steps, still.volume_change) == (true, 0, 0.0));
    assert_eq!(still.structure.lattice(), short.structure.lattice());

    let xenon = Structure::new(
        *distorted().lattice(),
        vec![Element::from_symbol("Xe").unwrap(); 4],
        distorted().frac_coords().to_vec(),
    );
    let mut answers = run(&[&xenon.unwrap(), &distorted()], &RelaxOptions::default());
    assert!(answers.remove(0).unwrap_err().to_string().contains("Xe"));
    assert!(answers.remove(0).unwrap().converged);

    let refused = run(&[&distorted()], &RelaxOptions { fmax: 0.0, ..RelaxOptions::default() });
    assert!(refused[0].is_err());
}

#[test]
fn a_batch_can_be_watched_and_broken_off() {
    let (a, b) = (distorted(), distorted().supercell([1, 1, 2]).unwrap());
    let mut rounds = Vec::new();
    let end = relax(&ARGON, &[&a, &b], &RelaxOptions::default(), |round: Round| {
        rounds.push(round);
        if round.step == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(end.is_break());
    assert_eq!(rounds.len(), 5);
    assert_eq!((rounds[0].active, rounds[0].of), (2, 2));
}

#[test]
fn a_nudge_leaves_a_saddle() {
    // An atom in the middle of a cage that is too wide for it feels no force there and is drawn to the wall.
    let lattice = Lattice::from_parameters(6.6, 6.6, 6.6, 90.0, 90.0, 90.0).unwrap();
    let sites = vec![[0.0; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5], [0.5; 3]];
    let cage = Structure::new(lattice, vec![Element::from_symbol("Ar").unwrap(); 5], sites).unwrap();
    let held = RelaxOptions { cell: false, fmax: 1e-3, ..RelaxOptions::default() };
    let stuck = one(&cage, &held);
    let freed = one(&cage, &RelaxOptions { nudge: 0.02, ..held });
    assert!((stuck.steps, stuck.converged) == (0, true));
    assert!(freed.energy < stuck.energy - 0.1, "{} {}", freed.energy, stuck.energy);
}

/// Remembers how relaxations end, and counts the rounds.
#[derive(Default)]
struct Book {
    ends: Vec<(Structure, Relaxed)>,
    rounds: Vec<Round>,
    /// Breaks off when so many have ended.
    until: Option<usize>,
}

impl Follower for &mut Book {
    fn known(&mut self, start: &Structure, _: &RelaxOptions) -> Option<Relaxed> {
        self.ends.iter().find(|(other, _)| other == start).map(|(_, end)| end.clone())
    }

    fn keep(&mut self, start: &Structure, _: &RelaxOptions, end: &Relaxed) {
        self.ends.push((start.clone(), end.clone()));
    }

    fn round(&mut self, round: Round) -> ControlFlow<()> {
        self.rounds.push(round);
        if self.until.is_some_and(|n| self.ends.len() >= n) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

#[test]
fn a_long_batch_ends_crystal_by_crystal_and_goes_on_where_it_was_broken_off() {
    // More crystals than go at once, each a little larger than the one before.
    let number = 3 * queue::AT_ONCE * rayon::current_num_threads();
    let wider = |k: usize| {
        let f = 1.0 + 1e-3 * k as f64;
        let rows = distorted().lattice().rows().map(|row| row.map(|x| f * x));
        Structure::new(Lattice::new(rows).unwrap(), distorted().species().to_vec(), distorted().frac_coords().to_vec())
            .unwrap()
    };
    let crystals: Vec<Structure> = (0..number).map(wider).collect();
    let all: Vec<&Structure> = crystals.iter().collect();
    let options = RelaxOptions { fmax: 0.3, ..RelaxOptions::default() };
    let whole = run(&all, &options);
    let mut book = Book { until: Some(number / 4), ..Book::default() };
    assert!(relax(&ARGON, &all, &options, &mut book).is_break());
    let kept = book.ends.len();
    assert!(kept >= number / 4 && kept < number, "{kept} of {number}");
    assert!(book.rounds.iter().all(|round| round.of == number), "{:?}", book.rounds);
    book.until = None;
    let ControlFlow::Continue(ends) = relax(&ARGON, &all, &options, &mut book) else { panic!("no follower broke off") };
    assert_eq!(book.ends.len(), number, "what had ended was relaxed for a second time");
    assert_eq!(book.rounds.last().unwrap().active, 0);
    for (end, alone) in ends.into_iter().zip(whole) {
        assert_eq!(end.unwrap(), alone.unwrap());
    }
    // All of it remembered: no round at all.
    let rounds = book.rounds.len();
    assert!(relax(&ARGON, &all, &options, &mut book).is_continue());
    assert_eq!(book.rounds.len(), rounds);
}

#[test]
fn what_is_held_stays_and_the_others_come_to_rest() {
    let start = distorted();
    let held = |cell| one(&start, &RelaxOptions { held: 1, nudge: 0.05, ..options(Method::Fire, cell) });
    for end in [held(false), held(true)] {
        assert!(end.converged, "{}", end.fmax);
        let (from, to) = (start.frac_coords(), end.structure.frac_coords());
        assert!((0..3).all(|k| (from[3][k] - to[3][k]).abs() < 1e-12), "{to:?}");
        assert!((0..3).any(|k| (from[0][k] - to[0][k]).abs() > 1e-3), "{to:?}");
    }
    // With everything held nothing moves, and that is an end.
    let end = one(&start, &RelaxOptions { held: 4, ..options(Method::Fire, false) });
    assert_eq!((end.steps, end.converged, end.volume_change), (0, true, 0.0));
    let pairs = end.structure.frac_coords().iter().flatten().zip(start.frac_coords().iter().flatten());
    assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-12));
}
