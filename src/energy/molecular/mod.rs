//! Molecules: bonded terms, pairs, implicit solvent.
