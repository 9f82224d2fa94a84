//! Chains of two and three levels: everything is enumerated, E[w] = Z_1 / Z_0 to 1e-12.

use super::chain::{Rule, Sites, Table, kernels};
use super::path::mean;
use ergodica::batch::{Ensemble, Thermo};
use ergodica::path::*;
use ergodica::real::Real;
use ergodica::stream::{Purpose, Root};

/// beta and lambda both move, lambda not evenly.
fn ladder(steps: usize) -> Vec<Thermo> {
    let level = |k: usize| {
        let s = k as f64 / steps as f64;
        Thermo { beta: 0.6 + 0.9 * s, lambda: s * s, state: k as u32 }
    };
    (0..=steps).map(level).collect()
}

fn two() -> Table {
    Table { from: vec![0.0, 0.3], to: vec![1.7, -0.4] }
}

fn three() -> Table {
    Table { from: vec![0.0, 0.3, -1.0], to: vec![1.7, -0.4, 2.0] }
}

/// What the ledger says of going from site to site in step k; 0 where that cannot happen.
fn entries(path: &Path<Sites>, table: &Table, rule: Rule, k: usize) -> Vec<Vec<f64>> {
    let rows = rule(table, path.ladder()[k + 1]);
    let n = rows.len();
    let mut found = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..n {
            if rows[i][j] > 0.0 {
                let (from, to) = (Sites(vec![i as u64]), Sites(vec![j as u64]));
                path.ledger(k, &from, &to, &mut found[i][j..=j]).unwrap();
            }
        }
    }
    found
}

/// All paths are summed, forward and backward, with the weights that `Path::ledger` gives them.
#[test]
fn every_path_of_a_chain_sums_to_the_ratio_of_z() {
    for table in [two(), three()] {
        let ladder = ladder(7);
        let n = table.from.len();
        let exact = table.z(ladder[7]) / table.z(ladder[0]);
        for kernel in kernels(&table) {
            let path = Path::new(ladder.clone(), kernel.moves).unwrap();
            let (mut ahead, mut behind) = (table.p(ladder[0]), table.p(ladder[7]));
            for k in 0..7 {
                let (book, rows) = (entries(&path, &table, kernel.there, k), (kernel.there)(&table, ladder[k + 1]));
                ahead = (0..n).map(|j| (0..n).map(|i| ahead[i] * rows[i][j] * Real::exp(book[i][j])).sum()).collect();
            }
            for k in (0..7).rev() {
                let (book, rows) = (entries(&path, &table, kernel.there, k), (kernel.back)(&table, ladder[k + 1]));
                behind = (0..n).map(|i| (0..n).map(|j| behind[j] * rows[j][i] * Real::exp(-book[i][j])).sum()).collect();
            }
            let (forward, backward) = (ahead.iter().sum::<f64>() / exact, behind.iter().sum::<f64>() * exact);
            assert!((forward - 1.0).abs() < 1e-12, "{}: {forward}", kernel.name);
            assert!((backward - 1.0).abs() < 1e-12, "{} backward: {backward}", kernel.name);
            // Each level's own law comes out too: the weights are right, not their sum alone.
            for (found, p) in ahead.iter().zip(table.p(ladder[7])) {
                assert!((found / exact - p).abs() < 1e-12, "{}", kernel.name);
            }
        }
    }
}

/// A population of three on two sites, as `Anneal` runs it, all of whose histories are summed.
struct Tree<'a> {
    table: &'a Table,
    ladder: &'a [Thermo],
    rows: Vec<Vec<Vec<f64>>>,
    books: Vec<Vec<Vec<f64>>>,
    share: f64,
}

impl Tree<'_> {
    fn mean(&self, k: usize, sites: [usize; 3], log_w: [f64; 3]) -> f64 {
        if k + 1 == self.ladder.len() {
            return Real::exp(log_mean_exp(&log_w));
        }
        let g = sites.map(|s| self.table.u(s, self.ladder[k]) - self.table.u(s, self.ladder[k + 1]));
        let log_w = [0, 1, 2].map(|r| log_w[r] + g[r]);
        if ess(&log_w) / 3.0 >= self.share {
            return self.moves(k, sites, log_w);
        }
        // systematic(.., u) changes where (i + u) / 3 crosses a cumulated weight.
        let w = log_w.map(Real::exp);
        let (total, mut cuts, mut sum) = (w[0] + w[1] + w[2], vec![0.0, 1.0], 0.0);
        for w in w {
            sum += w / total;
            cuts.push((3.0 * sum).fract());
        }
        cuts.sort_by(f64::total_cmp);
        let mut found = 0.0;
        for cut in cuts.windows(2) {
            if cut[1] - cut[0] > 1e-14 {
                let from = systematic(&log_w, 0.5 * (cut[0] + cut[1]));
                let copies = [0, 1, 2].map(|r| sites[from[r] as usize]);
                found += (cut[1] - cut[0]) * self.moves(k, copies, [log_mean_exp(&log_w); 3]);
            }
        }
        found
    }

    fn moves(&self, k: usize, sites: [usize; 3], log_w: [f64; 3]) -> f64 {
        let mut found = 0.0;
        for code in 0..8 {
            let to = [code & 1, code >> 1 & 1, code >> 2];
            let p: f64 = (0..3).map(|r| self.rows[k][sites[r]][to[r]]).product();
            if p > 0.0 {
                let [a, b] = [self.ladder[k], self.ladder[k + 1]];
                let knobs = |s: usize| self.table.u(s, a) - self.table.u(s, b);
                let log_w = [0, 1, 2].map(|r| log_w[r] + self.books[k][sites[r]][to[r]] - knobs(sites[r]));
                found += p * self.mean(k + 1, to, log_w);
            }
        }
        found
    }
}

#[test]
fn resampling_leaves_the_mean_weight_exactly_where_it_is() {
    let (table, ladder) = (two(), ladder(3));
    let exact = table.z(ladder[3]) / table.z(ladder[0]);
    for kernel in kernels(&table) {
        let path = Path::new(ladder.clone(), kernel.moves).unwrap();
        let rows = (0..3).map(|k| (kernel.there)(&table, ladder[k + 1])).collect::<Vec<_>>();
        let books = (0..3).map(|k| entries(&path, &table, kernel.there, k)).collect::<Vec<_>>();
        let p = table.p(ladder[0]);
        for share in [0.95, 2.0] {
            let tree = Tree { table: &table, ladder: &ladder, rows: rows.clone(), books: books.clone(), share };
            let mut found = 0.0;
            for code in 0..8 {
                let sites = [code & 1, code >> 1 & 1, code >> 2];
                found += sites.iter().map(|&s| p[s]).product::<f64>() * tree.mean(0, sites, [0.0; 3]);
            }
            assert!((found / exact - 1.0).abs() < 1e-12, "{} below {share}: {found} against {exact}", kernel.name);
        }
    }
}

/// The same by `Anneal` itself: 2000 runs of 16, |z| < 3.5; smallest visible bias 1 % for the kernels that keep the level, 10 % for the others.
#[test]
fn annealed_chains_have_the_ratio_of_z() {
    let (table, ladder) = (two(), ladder(6));
    let exact = table.z(ladder[6]) / table.z(ladder[0]);
    for resample in [Resample::Never, Resample::Below(0.8), Resample::Always] {
        for kernel in kernels(&table) {
            let root = Root::new(4, kernel.name, "");
            let stream = root.stream(0, Purpose::Start);
            let p = table.p(ladder[0])[0];
            let sites = (0..32_000).map(|r| u64::from(stream.uniform::<f64>(0, 0, r) >= p)).collect();
            let mut ens = Ensemble::new(Sites(sites), vec![ladder[0]; 32_000], root).unwrap();
            let path = Path::new(ladder.clone(), kernel.moves).unwrap();
            let mut run = Anneal::new(path, AnnealOptions { resample, runs: 2000, ..AnnealOptions::default() }).unwrap();
            run.start(&mut ens).unwrap();
            run.finish(&mut ens).unwrap();
            let z_over_exact: Vec<f64> = run.log_z(&ens).iter().map(|l| Real::exp(*l) / exact).collect();
            let (m, e) = mean(&z_over_exact);
            println!("{} {resample:?}: {m:.4} +- {e:.4}", kernel.name);
            assert!(((m - 1.0) / e).abs() < 3.5 && e < 0.03, "{}, {resample:?}: {m} +- {e}", kernel.name);
        }
    }
}

/// Two levels 0 and E raised from E = 0 to 2 in four steps, 30 % redrawn at each: the whole law of the work, by enumeration
/// through the ledger; and its mean, variance and mean exp(-W) by `Anneal`, |z| < 4 over 64 groups of 500.
#[test]
fn the_work_of_a_two_level_chain() {
    let law = [(0.0, 0.385290002), (0.5, 0.1239592731), (1.0, 0.1293675556), (1.5, 0.1217950602), (2.0, 0.2395881091)];
    let (exact_mean, exact_variance, exact_df) = (0.8532160007204928, 0.6647711520021684, 0.5662191695169727);
    let table = Table { from: vec![0.0, 0.0], to: vec![0.0, 2.0] };
    let ladder = linear_lambdas(1.0, 4).unwrap();
    let kernel = kernels(&table).swap_remove(1);
    assert_eq!(kernel.name, "mix");
    let path = Path::new(ladder.clone(), kernel.moves).unwrap();
    let mut walks: Vec<(usize, f64, f64)> = vec![(0, 0.0, 0.5), (1, 0.0, 0.5)];
    for k in 0..4 {
        let (book, rows) = (entries(&path, &table, kernel.there, k), (kernel.there)(&table, ladder[k + 1]));
        let mut longer = Vec::new();
        for (i, work, p) in walks {
            for j in 0..2 {
                longer.push((j, work - book[i][j], p * rows[i][j]));
            }
        }
        walks = longer;
    }
    for (work, p) in law {
        let found: f64 = walks.iter().filter(|w| (w.1 - work).abs() < 1e-9).map(|w| w.2).sum();
        assert!((found - p).abs() < 1e-9, "W = {work}: {found} against {p}");
    }

    let root = Root::new(5, "two levels", "");
    let stream = root.stream(0, Purpose::Start);
    let sites = (0..32_000).map(|r| u64::from(stream.uniform::<f64>(0, 0, r) >= 0.5)).collect();
    let mut ens = Ensemble::new(Sites(sites), vec![ladder[0]; 32_000], root).unwrap();
    let mut run = Anneal::new(path, AnnealOptions::default()).unwrap();
    run.start(&mut ens).unwrap();
    run.finish(&mut ens).unwrap();
    let works: Vec<f64> = ens.log_w.iter().map(|w| -w).collect();
    let groups = |f: &dyn Fn(f64) -> f64| works.chunks(500).map(|g| g.iter().map(|w| f(*w)).sum::<f64>() / 500.0).collect::<Vec<_>>();
    let checks = [
        ("mean", groups(&|w| w), exact_mean),
        ("variance", groups(&|w| (w - exact_mean) * (w - exact_mean)), exact_variance),
        ("exp(-W)", groups(&|w| Real::exp(exact_df - w)), 1.0),
    ];
    for (what, values, exact) in checks {
        let (m, e) = mean(&values);
        assert!(((m - exact) / e).abs() < 4.0, "{what}: {m} +- {e} against {exact}");
    }
}
