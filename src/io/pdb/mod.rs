//! Protein Data Bank files: the atoms, their names and places, several models, bonds (CONECT), the unit cell (CRYST1).
//!
//! Columns as in the PDB format 3.3. Tolerated: serial numbers that overflow or are hybrid-36, a missing element column (the
//! element is then deduced from the name), END between models. Coordinates are read in angstroms and kept in nm.

mod columns;
mod write;

use std::ops::Range;
use std::path::Path;

use crate::error::{At, Complaint, Source};
use crate::io::elements::Element;
use crate::{Error, Result};
use columns::Line;
pub use write::write_pdb;

/// Largest file that is read.
const MAX_BYTES: usize = 128 << 20;
/// Complaints shown; the others are counted.
const MAX_COMPLAINTS: usize = 20;
/// Most atoms of one residue (its names are compared pairwise).
const MAX_RESIDUE: usize = 2000;
/// Records without atoms, bonds or cell; read past.
#[rustfmt::skip]
const OTHER_RECORDS: &[&str] = &[
    "HEADER", "OBSLTE", "TITLE", "SPLIT", "CAVEAT", "COMPND", "SOURCE", "KEYWDS", "EXPDTA", "NUMMDL", "MDLTYP", "AUTHOR", "REVDAT",
    "SPRSDE", "JRNL", "REMARK", "DBREF", "DBREF1", "DBREF2", "SEQADV", "SEQRES", "MODRES", "HET", "HETNAM", "HETSYN", "FORMUL",
    "HELIX", "SHEET", "TURN", "SSBOND", "LINK", "CISPEP", "SITE", "ORIGX1", "ORIGX2", "ORIGX3", "SCALE1", "SCALE2", "SCALE3",
    "MTRIX1", "MTRIX2", "MTRIX3", "ANISOU", "SIGATM", "SIGUIJ", "MASTER", "HYDBND", "SLTBRG", "FTNOTE", "TVECT", "USER", "PARENT",
    "LINKR",
];

/// An atom as the file describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct PdbAtom {
    /// `CA`, `H1`.
    pub name: String,
    /// `ALA`, `ACE`.
    pub residue_name: String,
    /// Chain letter; a space if there is none.
    pub chain: char,
    /// Number of the residue in its chain.
    pub residue_number: i32,
    /// Insertion code, if there is one.
    pub insertion: Option<char>,
    /// Element, from columns 77-78 or deduced from the name; `None` if neither says.
    pub element: Option<Element>,
    /// Whether the element was deduced.
    pub deduced: bool,
    /// Counts up at each new residue.
    pub residue: usize,
    /// Counts up at each TER and each new chain letter.
    pub segment: usize,
    /// Byte range of the atom's line.
    pub span: Range<usize>,
}

/// Lengths (nm) and angles (degrees) of the unit cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// a, b, c, nm.
    pub lengths: [f64; 3],
    /// alpha, beta, gamma, degrees.
    pub angles: [f64; 3],
}

/// A PDB file.
#[derive(Clone, Debug, PartialEq)]
pub struct Pdb {
    /// Atoms of every model.
    pub atoms: Vec<PdbAtom>,
    /// Positions in nm, `[model][atom]`; at least one model.
    pub models: Vec<Vec<[f64; 3]>>,
    /// Bonds of the CONECT records, each once, smaller index first, sorted.
    pub bonds: Vec<[usize; 2]>,
    /// CRYST1.
    pub cell: Option<Cell>,
    /// What was passed over, each a sentence for the user.
    pub warnings: Vec<String>,
}

/// Reads a file.
///
/// Errors: `Error::Io` if it cannot be read, otherwise as [`read_pdb`].
pub fn read_pdb_file(path: impl AsRef<Path>) -> Result<(Source, Pdb)> {
    let path = path.as_ref();
    let size = std::fs::metadata(path).map_err(|e| Error::io(path, "reading the PDB file", &e))?.len();
    if size > MAX_BYTES as u64 {
        return Err(too_large(&path.display().to_string(), size));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, "reading the PDB file", &e))?;
    // The format is ASCII; old remarks may hold other letters, which are replaced and never land in an atom unnoticed.
    let source = Source::new(path.display().to_string(), String::from_utf8_lossy(&bytes));
    let pdb = read_pdb(&source)?;
    Ok((source, pdb))
}

/// Reads a text.
///
/// Units: nm (the text has angstroms). Errors: `Error::Input` naming line, column and value of everything that is wrong.
pub fn read_pdb(source: &Source) -> Result<Pdb> {
    if source.text.len() > MAX_BYTES {
        return Err(too_large(&source.name, source.text.len() as u64));
    }
    let mut reader = Reader::new(source);
    let mut start = 0;
    for text in source.text.split_inclusive('\n') {
        reader.line(Line { text: text.trim_end_matches(['\n', '\r']), start });
        start += text.len();
    }
    reader.finish()
}

fn too_large(name: &str, bytes: u64) -> Error {
    let what = format!("{name}: the PDB file has {} MB; at most {} MB are read", bytes >> 20, MAX_BYTES >> 20);
    Error::input(what, "cut it to the frames and atoms that are needed")
}

struct Reader<'s> {
    source: &'s Source,
    atoms: Vec<PdbAtom>,
    models: Vec<Vec<[f64; 3]>>,
    /// Atoms seen in the model that is being read.
    current: Vec<[f64; 3]>,
    /// Serial of each atom of the first model, as text.
    serials: Vec<String>,
    conect: Vec<(String, String, Range<usize>)>,
    cell: Option<Cell>,
    /// First atom of the residue that is being read.
    residue_start: usize,
    /// Something is wrong in the first model, so later ones are not compared with it.
    first_model_broken: bool,
    /// A TER came after the last atom.
    ter: bool,
    complaints: Vec<Complaint>,
    left_off: usize,
    warnings: Vec<String>,
}

impl<'s> Reader<'s> {
    fn new(source: &'s Source) -> Self {
        Reader {
            source,
            atoms: Vec::new(),
            models: Vec::new(),
            current: Vec::new(),
            serials: Vec::new(),
            conect: Vec::new(),
            cell: None,
            residue_start: 0,
            first_model_broken: false,
            ter: false,
            complaints: Vec::new(),
            left_off: 0,
            warnings: Vec::new(),
        }
    }

    fn complain(&mut self, span: Range<usize>, what: impl Into<String>, remedy: &str) {
        if self.complaints.len() < MAX_COMPLAINTS {
            let at = Some(At { source: self.source.clone(), span });
            self.complaints.push(Complaint { what: what.into(), at, remedy: remedy.to_owned() });
        } else {
            self.left_off += 1;
        }
    }

    /// The line an atom stands on; not sought once the complaint would not be shown.
    fn line_of(&self, atom: usize) -> usize {
        if self.complaints.len() < MAX_COMPLAINTS { self.source.line_column(self.atoms[atom].span.start).0 } else { 0 }
    }

    fn line(&mut self, line: Line<'_>) {
        match line.record() {
            "ATOM" | "HETATM" => match self.models.is_empty() {
                true => self.first_model_atom(line),
                false => self.later_atom(line),
            },
            "TER" => self.ter = true,
            "MODEL" | "ENDMDL" | "END" => self.close_model(line),
            "CONECT" => self.conect(line),
            "CRYST1" => match line.cell() {
                Ok(cell) => self.cell = Some(cell),
                Err((span, what)) => {
                    self.complain(span, what, "CRYST1 has a, b, c in columns 7-33 and the angles in 34-54; or delete the line")
                }
            },
            record if record.is_empty() || OTHER_RECORDS.contains(&record) => {}
            record => {
                let what = format!("unknown record {record:?}");
                self.complain(line.span(), what, "atoms are ATOM or HETATM; if it is a remark, begin the line with REMARK");
            }
        }
    }

    fn position(&mut self, line: Line<'_>) -> Option<[f64; 3]> {
        match line.position() {
            Ok(x) => Some(x),
            Err((span, what)) => {
                let remedy = "x, y and z stand in columns 31-38, 39-46 and 47-54, in angstroms";
                self.complain(span, what, remedy);
                None
            }
        }
    }

    fn first_model_atom(&mut self, line: Line<'_>) {
        let Some(x) = self.position(line) else { return };
        let id = match line.identity() {
            Ok(id) => id,
            Err((span, what, remedy)) => return self.complain(span, what, remedy),
        };
        let before = self.atoms.last();
        let same_chain = before.is_some_and(|b| b.chain == id.chain) && !self.ter;
        let segment = before.map_or(0, |b| b.segment + usize::from(!same_chain));
        let mut residue = before.map_or(0, |b| b.residue);
        let same_residue = same_chain
            && before
                .is_some_and(|b| b.residue_number == id.residue_number && b.insertion == id.insertion && b.residue_name == id.residue_name);
        if same_residue {
            let start = self.residue_start;
            match (start..self.atoms.len()).find(|&a| self.atoms[a].name == id.name) {
                Some(_) if id.number_overflowed => residue += 1,
                Some(twin) => {
                    let first = self.line_of(twin);
                    let what = format!(
                        "a second atom {} in residue {} {} (the first is on line {first})",
                        id.name, id.residue_name, id.residue_number
                    );
                    let remedy = "names are unique in a residue; of alternate locations keep one, for example those marked A";
                    return self.complain(line.span(), what, remedy);
                }
                None if self.atoms.len() - start >= MAX_RESIDUE => {
                    let what = format!("a residue with more than {MAX_RESIDUE} atoms");
                    return self.complain(line.span(), what, "give each molecule its own residue number");
                }
                None => {}
            }
        } else if before.is_some() {
            residue += 1;
        }
        if before.is_none_or(|b| b.residue != residue) {
            self.residue_start = self.atoms.len();
        }
        self.ter = false;
        self.serials.push(id.serial.to_owned());
        self.current.push(x);
        self.atoms.push(PdbAtom {
            name: id.name.to_owned(),
            residue_name: id.residue_name.to_owned(),
            chain: id.chain,
            residue_number: id.residue_number,
            insertion: id.insertion,
            element: id.element,
            deduced: id.deduced,
            residue,
            segment,
            span: line.span(),
        });
    }

    /// An atom of a model after the first: it must be the one that stands at its place in the first.
    fn later_atom(&mut self, line: Line<'_>) {
        let Some(x) = self.position(line) else { return };
        if self.first_model_broken {
            return;
        }
        let name = line.columns(12, 16).unwrap_or_default().trim();
        let place = self.current.len();
        match self.atoms.get(place) {
            Some(atom) if atom.name == name => self.current.push(x),
            Some(atom) => {
                let (model, first) = (self.models.len() + 1, self.line_of(place));
                let what = format!("model {model}: atom {name:?} where the first model has {} (line {first})", atom.name);
                self.complain(line.span(), what, "every model must have the same atoms in the same order");
                self.current.push(x);
            }
            None => {
                let what = format!("model {} has more atoms than the first, which has {}", self.models.len() + 1, self.atoms.len());
                self.complain(line.span(), what, "every model must have the same atoms in the same order");
            }
        }
    }

    fn close_model(&mut self, line: Line<'_>) {
        self.ter = true;
        if self.models.is_empty() {
            self.first_model_broken = !self.complaints.is_empty();
        }
        if self.current.is_empty() {
            return;
        }
        if self.current.len() < self.atoms.len() && !self.first_model_broken {
            let what = format!("model {} has {} atoms, the first has {}", self.models.len() + 1, self.current.len(), self.atoms.len());
            self.complain(line.span(), what, "every model must have the same atoms in the same order; the file may be cut short");
        }
        self.models.push(std::mem::take(&mut self.current));
    }

    fn conect(&mut self, line: Line<'_>) {
        let Some(first) = line.columns(6, 11).map(str::trim).filter(|s| !s.is_empty()) else {
            return self.complain(line.span(), "CONECT without an atom", "the serial numbers stand in columns 7-11, 12-16, ...");
        };
        for k in 0..4 {
            if let Some(other) = line.columns(11 + 5 * k, 16 + 5 * k).map(str::trim).filter(|s| !s.is_empty()) {
                self.conect.push((first.to_owned(), other.to_owned(), line.span()));
            }
        }
    }

    fn finish(mut self) -> Result<Pdb> {
        let end = self.source.text.len();
        self.close_model(Line { text: "", start: end });
        if self.atoms.is_empty() && self.complaints.is_empty() {
            self.complain(0..0, "no ATOM or HETATM record", "check that it is a PDB file (mmCIF is not read)");
        }
        if self.left_off > 0 {
            self.complaints.push(Complaint { what: format!("and {} more", self.left_off), at: None, remedy: String::new() });
        }
        if !self.complaints.is_empty() {
            return Err(Error::Input(self.complaints));
        }
        let bonds = self.bonds();
        Ok(Pdb { atoms: self.atoms, models: self.models, bonds, cell: self.cell, warnings: self.warnings })
    }

    /// Translates the serial numbers of the CONECT records. A number that no atom or several atoms have is warned of.
    fn bonds(&mut self) -> Vec<[usize; 2]> {
        let mut index: Vec<(&str, usize)> = self.serials.iter().enumerate().map(|(i, s)| (s.as_str(), i)).collect();
        index.sort_unstable();
        let find = |serial: &str| {
            let from = index.partition_point(|(s, _)| *s < serial);
            let to = index.partition_point(|(s, _)| *s <= serial);
            (to - from == 1).then(|| index[from].1)
        };
        let (mut bonds, mut lost) = (Vec::new(), Vec::new());
        for (a, b, span) in &self.conect {
            match (find(a), find(b)) {
                (Some(i), Some(j)) if i != j => bonds.push([i.min(j), i.max(j)]),
                _ => lost.push(span.start),
            }
        }
        if let Some(first) = lost.first() {
            let (line, _) = self.source.line_column(*first);
            self.warnings.push(format!(
                "{}: {} CONECT entries (first on line {line}) name no atom, several atoms or one atom twice, and were left out",
                self.source.name,
                lost.len()
            ));
        }
        bonds.sort_unstable();
        bonds.dedup();
        bonds
    }
}
