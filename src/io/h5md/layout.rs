//! What all our HDF5 files share: how they are opened, names, units, attributes, slabs.

use crate::io::sink::Header;
use crate::{Error, Result};
use hdf5::types::{FixedAscii, TypeDescriptor, VarLenUnicode};
use hdf5::{Dataset, File, Group, H5Type, Hyperslab, Location, SliceOrIndex};
use ndarray::{ArrayViewD, IxDyn};
use std::path::Path;

/// HDF5's refusal as ours; a full disk or a missing permission is recognised in HDF5's text.
pub(crate) fn failed(path: &Path, what: &'static str) -> impl Fn(hdf5::Error) -> Error {
    move |e| {
        let text = e.to_string();
        let errno = text.split("errno = ").nth(1).and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        match errno {
            Some(code) => Error::io(path, what, &std::io::Error::from_raw_os_error(code)),
            None => Error::io(path, what, &std::io::Error::other(text)),
        }
    }
}

/// A new file without locks, in the format of HDF5 1.10 (metadata carry checksums).
pub(crate) fn create(path: &Path) -> Result<File> {
    use hdf5::plist::file_access::LibraryVersion::V110;
    let mut builder = File::with_options();
    builder.with_fapl(|p| p.file_locking(false).libver_bounds(V110, V110));
    builder.create(path).map_err(failed(path, "cannot make this file"))
}

/// Opens a file for reading, without locks.
pub(crate) fn open(path: &Path) -> Result<File> {
    let mut builder = File::with_options();
    builder.with_fapl(|p| p.file_locking(false));
    builder.open(path).map_err(failed(path, "cannot open this file"))
}

/// A column's name as the name of an HDF5 group.
pub(super) fn group_name(column: &str) -> String {
    column.replace('/', "|")
}

/// `kJ/mol/nm` as H5MD writes it: `kJ mol-1 nm-1`.
pub(super) fn h5md_unit(unit: &str) -> String {
    let mut parts = unit.split('/');
    let mut out = parts.next().unwrap_or_default().trim().to_owned();
    for part in parts {
        out.push_str(&format!(" {}-1", part.trim()));
    }
    out
}

fn unicode(text: &str) -> hdf5::Result<VarLenUnicode> {
    text.replace('\0', " ").parse().map_err(|e| hdf5::Error::from(format!("{e}")))
}

/// A text attribute.
pub(crate) fn attribute(at: &Location, name: &str, text: &str) -> hdf5::Result<()> {
    at.new_attr::<VarLenUnicode>().create(name)?.write_scalar(&unicode(text)?)
}

/// An attribute that is a list of texts.
pub(crate) fn attribute_list(at: &Location, name: &str, texts: &[impl AsRef<str>]) -> hdf5::Result<()> {
    let list = texts.iter().map(|t| unicode(t.as_ref())).collect::<hdf5::Result<Vec<_>>>()?;
    at.new_attr_builder().with_data(&list).create(name)?;
    Ok(())
}

/// A text attribute of fixed length, as the dimension scales want them.
pub(crate) fn bytes_attribute(at: &Location, name: &str, text: &str) -> hdf5::Result<()> {
    let fixed = FixedAscii::<64>::from_ascii(text).map_err(|e| hdf5::Error::from(format!("{e}")))?;
    at.new_attr_builder().with_data_as(&[fixed], TypeDescriptor::FixedAscii(text.len() + 1)).create(name)?;
    Ok(())
}

/// Provenance, as attributes of the group `/provenance`, and the parts that H5MD asks for.
pub(crate) fn provenance(file: &File, header: &Header) -> hdf5::Result<()> {
    let h5md = file.create_group("h5md")?;
    h5md.new_attr_builder().with_data(&[1_i32, 1]).create("version")?;
    let author = h5md.create_group("author")?;
    attribute(&author, "name", header.provenance.iter().find(|(k, _)| k == "user").map_or("unknown", |(_, v)| v))?;
    let creator = h5md.create_group("creator")?;
    attribute(&creator, "name", "ergodica")?;
    attribute(&creator, "version", env!("CARGO_PKG_VERSION"))?;
    let group = file.create_group("provenance")?;
    for (name, text) in &header.provenance {
        attribute(&group, name, text)?;
    }
    attribute(file, "stage", &header.stage)
}

/// One text of any length as a dataset of one fixed-length string: the only kind of text that PyTables reads.
/// Texts over 16 MiB are left out (HDF5 strings of fixed length go through memory of a size known to the compiler).
pub(crate) fn fixed_text(group: &Group, name: &str, text: &str) -> hdf5::Result<()> {
    fn write<const N: usize>(group: &Group, name: &str, text: &str) -> hdf5::Result<()> {
        let fixed = FixedAscii::<N>::from_ascii(text).map_err(|e| hdf5::Error::from(format!("{e}")))?;
        let list = vec![fixed];
        group.new_dataset_builder().with_data_as(&list, TypeDescriptor::FixedAscii(text.len())).create(name)?;
        Ok(())
    }
    let text = &ascii(text);
    match text.len() {
        0 => Ok(()),
        n if n < 1 << 12 => write::<{ 1 << 12 }>(group, name, text),
        n if n < 1 << 16 => write::<{ 1 << 16 }>(group, name, text),
        n if n < 1 << 24 => std::thread::scope(|scope| {
            // Such a string lies on the stack several times over.
            let big = move || if n < 1 << 20 { write::<{ 1 << 20 }>(group, name, text) } else { write::<{ 1 << 24 }>(group, name, text) };
            let thread = std::thread::Builder::new().stack_size(160 << 20).spawn_scoped(scope, big);
            let joined = thread.map_err(|e| hdf5::Error::from(format!("no thread: {e}")))?.join();
            joined.unwrap_or_else(|_| Err(hdf5::Error::from("the topology could not be written")))
        }),
        _ => Ok(()),
    }
}

/// JSON text with everything beyond ASCII escaped.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && c != '\0' {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// A rectangular part of a dataset: first index and length of each axis.
#[derive(Clone, Debug)]
pub(crate) struct Slab {
    start: Vec<usize>,
    len: Vec<usize>,
}

impl Slab {
    /// Axes of (first index, length).
    pub(crate) fn new(axes: &[(usize, usize)]) -> Self {
        Slab { start: axes.iter().map(|a| a.0).collect(), len: axes.iter().map(|a| a.1).collect() }
    }

    /// As HDF5's selection: a slice of every axis.
    pub(crate) fn hyperslab(&self) -> Hyperslab {
        let slice = |(&start, &count): (&usize, &usize)| SliceOrIndex::SliceCount { start, step: 1, count, block: 1 };
        Hyperslab::from(self.start.iter().zip(&self.len).map(slice).collect::<Vec<_>>())
    }

    /// Writes row-major values there.
    pub(crate) fn write<T: H5Type>(&self, dataset: &Dataset, values: &[T]) -> hdf5::Result<()> {
        let view = ArrayViewD::from_shape(IxDyn(&self.len), values).map_err(|e| hdf5::Error::from(e.to_string()))?;
        dataset.write_slice(view, self.hyperslab())
    }

    /// Reads row-major values from there.
    pub(crate) fn read<T: H5Type>(&self, dataset: &Dataset) -> hdf5::Result<Vec<T>> {
        Ok(dataset.read_slice::<T, _, IxDyn>(self.hyperslab())?.into_raw_vec_and_offset().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_written_as_h5md_does() {
        assert_eq!(h5md_unit("nm"), "nm");
        assert_eq!(h5md_unit("kJ/mol/nm"), "kJ mol-1 nm-1");
    }

    #[test]
    fn texts_are_escaped_to_ascii() {
        assert_eq!(ascii("C\u{3b1}\u{1f600}"), "C\\u03b1\\ud83d\\ude00");
    }

    #[test]
    fn a_full_disk_is_recognised() {
        let error = failed(Path::new("x.h5"), "cannot write")(hdf5::Error::from(
            "H5FD__sec2_write(): file write failed: time = x, filename = 'x.h5', errno = 28, error message = 'No space left on device'",
        ));
        assert!(error.to_string().contains("free some space"), "{error}");
    }
}
