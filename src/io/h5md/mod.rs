//! HDF5 output after H5MD 1.1, so that MDAnalysis, mdtraj and h5py read it.
//!
//! A stage's folder holds
//! * `segment-000001.h5` ...: everything, positions as (draw, replica, atom, dimension);
//! * `traj/replica-000.h5` ...: one replica as (frame, atom, 3), *virtual*: it points into the segments by relative
//!   names, so a run directory may be moved as a whole, and a replica file alone is empty. HDF5 shows missing segments as zeros;
//!   [`super::reader`] refuses instead, `ergodica export --merge` makes files that stand alone.
//!
//! Files are written with HDF5's locking off, under the name `.part`, and get their final name when they are
//! closed and on the disk: nobody ever reads a file that is still written.

pub(super) mod layout;
pub(crate) mod read;
mod replica;
mod segment;
mod sink;

pub use replica::index;
pub use sink::SegmentSink;

pub(crate) use layout::{Slab, attribute, attribute_list, bytes_attribute, create, failed, provenance};
pub(crate) use replica::{copy as replica_copy, has_trajectory, name as replica_name};
pub(crate) use segment::{Gzip, SegmentFile};
