//! The command line of Ergodica.

fn main() {}
