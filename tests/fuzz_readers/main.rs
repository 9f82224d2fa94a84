//! The readers against mutated input: whatever is given, they answer with a value or an error, within a second and a gigabyte.
//!
//! `cargo test --release --test fuzz_readers -- --ignored` runs a million inputs through each reader.

mod alchemical;
#[path = "../alchemical_files/mod.rs"]
mod alchemical_files;
mod arrays;
#[path = "../fuzz/mod.rs"]
mod fuzz;
mod molecular;

const FEW: u64 = 2_000;
const MANY: u64 = 1_000_000;

macro_rules! both {
    ($($from:ident $reader:ident $many:ident),*) => { $(
        #[test]
        fn $reader() {
            super::$from::$reader(super::FEW);
        }
        #[test]
        #[ignore = "a million inputs each: a quarter of an hour"]
        fn $many() {
            super::$from::$reader(super::MANY);
        }
    )* };
}

mod run {
    both!(molecular xml xml_many, molecular pdb pdb_many, molecular selections selections_many, molecular npy npy_many,
        molecular xyz xyz_many, molecular json json_many,
        alchemical gromacs gromacs_many, alchemical packed packed_many, alchemical amber amber_many, alchemical namd namd_many,
        alchemical gomc gomc_many, arrays binary_arrays binary_arrays_many, arrays tables tables_many);
}
