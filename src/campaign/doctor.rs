//! `doctor`: what this machine and this build can do.

use super::provenance;
use crate::real::isa::{self, Path as Vector};
use std::fmt::Write as _;
use std::path::Path;

/// The findings as text, and whether everything needed is there.
pub fn doctor(dir: &Path) -> (String, bool) {
    let mut text = String::new();
    let mut well = true;
    let w = &mut text;
    let _ = writeln!(w, "ergodica {} (commit {}, {})", provenance::VERSION, provenance::COMMIT, provenance::RUSTC);
    let _ = writeln!(w, "features: {}", if provenance::features().is_empty() { "none".to_owned() } else { provenance::features() });
    let _ = writeln!(
        w,
        "machine: {}, {}, {} cores",
        provenance::host(),
        provenance::processor(),
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    for path in [Vector::Avx512, Vector::Avx2, Vector::Portable] {
        let chosen = isa::path().is_ok_and(|p| p == path);
        let _ = writeln!(
            w,
            "vectors {}: {}{}",
            path.name(),
            if path.available() { "available" } else { "not on this machine" },
            if chosen { ", in use" } else { "" }
        );
    }
    if let Ok(Vector::Portable) = isa::path() {
        let _ = writeln!(w, "  sampling is about 20 times slower than with AVX2; results are the same to the bit");
    }
    #[cfg(feature = "hdf5")]
    {
        let (a, b, c) = hdf5::library_version();
        let _ = writeln!(
            w,
            "HDF5 {a}.{b}.{c}, built in; filters: shuffle, gzip {}",
            if hdf5::filters::deflate_available() { "available" } else { "MISSING" }
        );
        well &= hdf5::filters::deflate_available();
    }
    #[cfg(not(feature = "hdf5"))]
    let _ = writeln!(w, "HDF5: not in this build; trajectories are written as NPY and CSV (build with the feature `hdf5` for H5MD)");
    let _ = writeln!(w, "GPU: not in this version");
    let probe = dir.join(format!(".ergodica-doctor-{}", std::process::id()));
    match std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => {
            let _ = writeln!(w, "{} can be written to", dir.display());
        }
        Err(e) => {
            well = false;
            let _ = writeln!(w, "{} CANNOT be written to ({e}): run elsewhere, or give --out", dir.display());
        }
    }
    let _ = write!(w, "{}", if well { "all is well" } else { "something is missing, see above" });
    (text, well)
}
