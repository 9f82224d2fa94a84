//! Formulas given as text: parsed once, evaluated on lanes, differentiated exactly.
