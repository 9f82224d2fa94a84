//! A growing sum of Gaussians over one or two variables, kept on a grid and interpolated smoothly.

use crate::real::{Lanewise, Octet, Real, Wide, dispatch};
use crate::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};

/// One direction of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// First node.
    pub low: f64,
    /// Last node; on a circle the first one again.
    pub high: f64,
    /// Cells between them.
    pub cells: usize,
    /// Does the variable live on a circle of length `high - low`?
    pub circle: bool,
}

impl Axis {
    /// Cells of at most a fifth of the Gaussians' width.
    ///
    /// # Errors
    /// `Error::Input` unless low < high and width > 0, all finite, and there are fewer than 100 000 cells.
    pub fn new(low: f64, high: f64, width: f64, circle: bool) -> Result<Self> {
        let cells = (5.0 * (high - low) / width).ceil();
        if !(low.is_finite() && high.is_finite() && low < high && width > 0.0 && cells < 1e5) {
            return Err(Error::input(
                format!("Gaussians of width {width} between {low} and {high}"),
                "give low < high and a width above 0, at least 1/20000 of the range",
            ));
        }
        Ok(Axis { low, high, cells: (cells as usize).max(2), circle })
    }

    /// Nodes with a value of their own.
    pub fn nodes(&self) -> usize {
        self.cells + usize::from(!self.circle)
    }

    /// Where node `i` lies.
    pub fn node(&self, i: usize) -> f64 {
        self.low + i as f64 * self.step()
    }

    /// Width of a cell.
    pub fn step(&self) -> f64 {
        (self.high - self.low) / self.cells as f64
    }

    /// Is the value on the grid? On a circle always.
    pub fn holds(&self, xi: f64) -> bool {
        self.circle || (self.low <= xi && xi <= self.high)
    }

    /// Number of the cell, place in it (0 to 1), and 1 inside the grid, 0 outside it, where the value of the edge holds.
    #[inline(always)]
    fn locate<T: Real>(&self, xi: T) -> (T, T, T) {
        let (zero, one, cells) = (T::of(0.0), T::of(1.0), T::of(self.cells as f64));
        let raw = (xi - T::of(self.low)) * T::of(1.0 / self.step());
        let (at, inside) = if self.circle {
            ((raw * T::of(1.0 / self.cells as f64)).floor().mul_add(-cells, raw), one)
        } else {
            (raw, T::select(zero.le(raw) & raw.le(cells), one, zero))
        };
        let at = at.max(zero).min(cells);
        let cell = at.floor().min(cells - one);
        (cell, at - cell, inside)
    }
}

/// V(xi) = sum of Gaussians, as values and derivatives at the nodes of a grid; between them Hermite's cubic (two variables: bicubic)
/// polynomials, so V has continuous first derivatives and forces are exactly those of the interpolated V.
///
/// Interpolation is off by at most 2e-5 of a Gaussian's height where cells are a fifth of its width. Gaussians end at 6.25 widths (3e-9
/// of their height). Outside the grid V has the value of the edge and no slope.
/// Adding takes `&self`: the numbers are atomic, so that propagators hold a table that grows between their steps. Whoever adds while
/// others evaluate gets some mixture.
#[derive(Debug)]
pub struct Table {
    axes: Vec<Axis>,
    /// `[node of axis 0][node of axis 1][V, dV/d0, dV/d1, d2V/d0d1]`, derivatives in units of cells; one axis: `[node][V, dV/d0]`.
    nodes: Vec<AtomicU64>,
}

const REACH: f64 = 6.25;

/// Values at the corners of a cell, `[corner 0][corner 1][V, d0, d1, d01]`.
type Corners<T> = [[[T; 4]; 2]; 2];

impl Table {
    /// Zero over one or two axes.
    ///
    /// # Errors
    /// `Error::Input` for another number of axes.
    pub fn new(axes: Vec<Axis>) -> Result<Self> {
        if axes.is_empty() || axes.len() > 2 {
            return Err(Error::input(format!("a grid over {} variables", axes.len()), "give one or two collective variables"));
        }
        let mut count = axes.len() * 2;
        for axis in &axes {
            count *= axis.nodes();
        }
        if count > 100_000_000 {
            return Err(Error::input(format!("a grid of {count} numbers"), "give wider Gaussians or a smaller range"));
        }
        Ok(Table { axes, nodes: (0..count).map(|_| AtomicU64::new(0)).collect() })
    }

    /// The axes.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    fn load(&self, i: usize) -> f64 {
        f64::from_bits(self.nodes[i].load(Ordering::Relaxed))
    }

    fn add(&self, i: usize, value: f64) {
        self.nodes[i].store((self.load(i) + value).to_bits(), Ordering::Relaxed);
    }

    /// All numbers of the nodes.
    pub fn numbers(&self) -> Vec<f64> {
        (0..self.nodes.len()).map(|i| self.load(i)).collect()
    }

    /// Takes them back.
    ///
    /// # Errors
    /// `Error::Shape` for another count.
    pub fn set_numbers(&self, numbers: &[f64]) -> Result<()> {
        if numbers.len() != self.nodes.len() {
            return Err(Error::Shape { what: "numbers of the grid", expected: self.nodes.len(), found: numbers.len() });
        }
        for (node, n) in self.nodes.iter().zip(numbers) {
            node.store(n.to_bits(), Ordering::Relaxed);
        }
        Ok(())
    }

    /// V at the nodes, `[node of axis 0][node of axis 1]`.
    pub fn values(&self) -> Vec<f64> {
        (0..self.nodes.len()).step_by(2 * self.axes.len()).map(|i| self.load(i)).collect()
    }

    /// Adds height exp(-sum_i (xi_i - centre_i)^2 / (2 width_i^2)), the shortest way around circles.
    pub fn add_gaussian(&self, centre: &[f64], width: &[f64], height: f64) {
        let first = profile(&self.axes[0], centre[0], width[0]);
        if self.axes.len() == 1 {
            for (i, g, slope) in first {
                self.add(2 * i, height * g);
                self.add(2 * i + 1, height * slope);
            }
            return;
        }
        let (second, row) = (profile(&self.axes[1], centre[1], width[1]), self.axes[1].nodes());
        for (i, g, slope) in first {
            for (j, h, tilt) in &second {
                let at = 4 * (i * row + j);
                self.add(at, height * g * h);
                self.add(at + 1, height * slope * h);
                self.add(at + 2, height * g * tilt);
                self.add(at + 3, height * slope * tilt);
            }
        }
    }

    /// V and its gradient at 8 points, `xi` and `slope` being `[axis]`.
    pub fn value_block(&self, xi: &[Octet], slope: &mut [Octet]) -> Octet {
        let mut cell = [[Octet::of(0.0); 3]; 2];
        dispatch(Locate { axes: &self.axes, xi, cell: &mut cell });
        let mut corners = [[[Octet::of(0.0); 4]; 2]; 2];
        for lane in 0..8 {
            // A value that is not a number sits in cell 0, and V there is not a number either.
            let at = [cell[0][0].0[lane] as usize, cell[1][0].0[lane] as usize];
            self.corners(at, |a, b, part, value| corners[a][b][part].0[lane] = value);
        }
        dispatch(Evaluate { table: self, cell: &cell, corners: &corners, slope })
    }

    /// V and its gradient at one point, equal to the lanes of [`Table::value_block`].
    pub fn value(&self, xi: &[f64], slope: &mut [f64]) -> f64 {
        let mut cell = [[0.0; 3]; 2];
        for (axis, (cell, xi)) in self.axes.iter().zip(cell.iter_mut().zip(xi)) {
            let (number, place, inside) = axis.locate(*xi);
            *cell = [number, place, inside];
        }
        let mut corners = [[[0.0; 4]; 2]; 2];
        self.corners([cell[0][0] as usize, cell[1][0] as usize], |a, b, part, value| corners[a][b][part] = value);
        self.evaluate(&cell, &corners, slope)
    }

    fn corners(&self, cell: [usize; 2], mut put: impl FnMut(usize, usize, usize, f64)) {
        let wrap = |axis: &Axis, i: usize| if i == axis.nodes() { 0 } else { i };
        for a in 0..2 {
            let i = wrap(&self.axes[0], cell[0] + a);
            if self.axes.len() == 1 {
                put(a, 0, 0, self.load(2 * i));
                put(a, 0, 1, self.load(2 * i + 1));
                continue;
            }
            for b in 0..2 {
                let j = wrap(&self.axes[1], cell[1] + b);
                for part in 0..4 {
                    put(a, b, part, self.load(4 * (i * self.axes[1].nodes() + j) + part));
                }
            }
        }
    }

    /// `cell` holds number, place and inside of each axis.
    #[inline(always)]
    fn evaluate<T: Real>(&self, cell: &[[T; 3]; 2], corners: &Corners<T>, slope: &mut [T]) -> T {
        let (h, dh) = hermite(cell[0][1]);
        let across = cell[0][2] * T::of(1.0 / self.axes[0].step());
        if self.axes.len() == 1 {
            let [v, dv] = blend(&h, &dh, [corners[0][0][0], corners[1][0][0]], [corners[0][0][1], corners[1][0][1]]);
            slope[0] = dv * across;
            return v;
        }
        // Along axis 0 first: V and dV/d1 with their slopes, at both ends of axis 1.
        let mut ends = [[T::of(0.0); 4]; 2];
        for b in 0..2 {
            let [v, dv] = blend(&h, &dh, [corners[0][b][0], corners[1][b][0]], [corners[0][b][1], corners[1][b][1]]);
            let [w, dw] = blend(&h, &dh, [corners[0][b][2], corners[1][b][2]], [corners[0][b][3], corners[1][b][3]]);
            ends[b] = [v, dv, w, dw];
        }
        let (k, dk) = hermite(cell[1][1]);
        let [v, along_1] = blend(&k, &dk, [ends[0][0], ends[1][0]], [ends[0][2], ends[1][2]]);
        let [along_0, _] = blend(&k, &dk, [ends[0][1], ends[1][1]], [ends[0][3], ends[1][3]]);
        slope[0] = along_0 * across;
        slope[1] = along_1 * cell[1][2] * T::of(1.0 / self.axes[1].step());
        v
    }
}

/// Hermite's cubic basis (value left, slope left, value right, slope right) at t in (0, 1), and its derivatives.
#[inline(always)]
fn hermite<T: Real>(t: T) -> ([T; 4], [T; 4]) {
    let (one, two, three) = (T::of(1.0), T::of(2.0), T::of(3.0));
    let s = one - t;
    let values = [two.mul_add(t, one) * s * s, t * s * s, t * t * (three - two * t), -(t * t * s)];
    let rise = T::of(6.0) * t * s;
    (values, [-rise, s * (one - three * t), rise, t * (three * t - two)])
}

/// Interpolated value and slope of two ends with values `v` and slopes `d`.
#[inline(always)]
fn blend<T: Real>(h: &[T; 4], dh: &[T; 4], v: [T; 2], d: [T; 2]) -> [T; 2] {
    let value = h[0].mul_add(v[0], h[1].mul_add(d[0], h[2].mul_add(v[1], h[3] * d[1])));
    let slope = dh[0].mul_add(v[0], dh[1].mul_add(d[0], dh[2].mul_add(v[1], dh[3] * d[1])));
    [value, slope]
}

/// Nodes within reach of a Gaussian along one axis: number, value, derivative in units of cells. In the order of the nodes.
fn profile(axis: &Axis, centre: f64, width: f64) -> Vec<(usize, f64, f64)> {
    let (step, length) = (axis.step(), axis.high - axis.low);
    let mut found = Vec::new();
    for i in 0..axis.nodes() {
        let mut away = axis.node(i) - centre;
        if axis.circle {
            away -= length * (away / length).round_ties_even();
        }
        let t = away / width;
        if t.abs() <= REACH {
            let g = Real::exp(-0.5 * t * t);
            found.push((i, g, -(t / width) * g * step));
        }
    }
    found
}

struct Locate<'a> {
    axes: &'a [Axis],
    xi: &'a [Octet],
    cell: &'a mut [[Octet; 3]; 2],
}

impl Lanewise for Locate<'_> {
    type Out = ();
    #[inline(always)]
    fn run<L: Wide>(self) {
        for i in 0..self.axes.len() {
            let (number, place, inside) = self.axes[i].locate(L::load(self.xi[i]));
            self.cell[i] = [number.store(), place.store(), inside.store()];
        }
    }
}

struct Evaluate<'a> {
    table: &'a Table,
    cell: &'a [[Octet; 3]; 2],
    corners: &'a Corners<Octet>,
    slope: &'a mut [Octet],
}

impl Lanewise for Evaluate<'_> {
    type Out = Octet;
    #[inline(always)]
    fn run<L: Wide>(self) -> Octet {
        let zero = L::of(0.0);
        let mut cell = [[zero; 3]; 2];
        let mut corners = [[[zero; 4]; 2]; 2];
        for i in 0..2 {
            for j in 0..3 {
                cell[i][j] = L::load(self.cell[i][j]);
            }
            for b in 0..2 {
                for part in 0..4 {
                    corners[i][b][part] = L::load(self.corners[i][b][part]);
                }
            }
        }
        self.table.evaluate(&cell, &corners, L::of_octets_mut(self.slope)).store()
    }
}
