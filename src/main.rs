<<<<<<< HEAD
//! The command line of Ergodica.

=======
>>>>>>> readers
fn main() {}
