"""Opens a run's files with the programs that people will open them with, and compares what each of them sees.

    check.py RUN [--export FOLDER]      RUN: a finished run directory of a molecule with columns positions, energy, phi and psi

h5py reads everything there is; MDAnalysis and mdtraj read the trajectories of the first and of the last replica; ArviZ reads the
chains. Positions must agree among the readers, dihedrals recomputed by MDAnalysis and mdtraj with the stored ones, and ArviZ's last
chain with the last replica. `benches/peers/setup --readers` installs them.
"""

import argparse
import pathlib
import warnings

import h5py
import numpy as np

warnings.filterwarnings("ignore")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("run", type=pathlib.Path)
parser.add_argument("--export", type=pathlib.Path, nargs="*", default=[], help="folders written by `ergodica export`")
args = parser.parse_args()


def angle_between(a, b):
    """The largest difference of two series of angles on the circle, in radians."""
    return float(np.max(np.abs((np.asarray(a) - np.asarray(b) + np.pi) % (2 * np.pi) - np.pi)))


def series(file, name):
    """An observable by name, `[frame]`."""
    return file[f"observables/{name}/value"][...]


def read_everything(path):
    """h5py: every dataset can be read and every floating-point number in it is finite."""
    count = 0

    def visit(name, node):
        nonlocal count
        if isinstance(node, h5py.Dataset):
            count += 1
            value = node[()]
            if getattr(value, "dtype", np.dtype("O")).kind == "f":
                assert np.isfinite(value).all(), f"{path}:{name} holds numbers that are not finite"

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    assert count > 0, f"{path} holds no dataset"
    return count


def mdanalysis(topology, trajectory):
    """What MDAnalysis sees: positions in nm, phi and psi in radians."""
    import MDAnalysis
    from MDAnalysis.lib.distances import calc_dihedrals

    universe = MDAnalysis.Universe(str(topology), str(trajectory), format="H5MD")
    residue = universe.select_atoms("resname ALA").residues[0]
    phi, psi = residue.phi_selection(), residue.psi_selection()
    positions, phis, psis = [], [], []
    for frame in universe.trajectory:
        positions.append(frame.positions / 10.0)
        phis.append(calc_dihedrals(*phi.positions))
        psis.append(calc_dihedrals(*psi.positions))
    return np.array(positions), np.array(phis), np.array(psis)


def mdtraj(trajectory):
    """What mdtraj sees."""
    import mdtraj

    t = mdtraj.load(str(trajectory))
    return t.xyz, mdtraj.compute_phi(t)[1][:, 0], mdtraj.compute_psi(t)[1][:, 0]


files = sorted(args.run.rglob("*.h5")) + sorted(p for folder in args.export for p in folder.rglob("*") if p.suffix in (".h5", ".nc"))
assert files, f"{args.run} holds no HDF5 file"
print(f"h5py {h5py.__version__}: {len(files)} files, {sum(map(read_everything, files))} datasets, all finite")

replicas = sorted(args.run.rglob("replica-*.h5"))
assert len(replicas) > 8, f"{args.run}: {len(replicas)} replica files; the test wants more than one block of 8"
topology = next(iter(sorted(args.run.rglob("topology.pdb"))))
for path in (replicas[0], replicas[-1]):
    with h5py.File(path, "r") as file:
        stored = file["particles/trajectory/position/value"][...]
        phi, psi = series(file, "dihedral:phi"), series(file, "dihedral:psi")
        energies = series(file, "energy")
    assert len(stored) > 10 and len(stored) == len(phi) == len(energies)
    for name, (positions, phis, psis) in {"MDAnalysis": mdanalysis(topology, path), "mdtraj": mdtraj(path)}.items():
        assert positions.shape == stored.shape, f"{name}: {path.name}: {positions.shape} instead of {stored.shape}"
        assert np.allclose(positions, stored, atol=2e-6), f"{name}: {path.name}: positions differ"
        off = max(angle_between(phis, phi), angle_between(psis, psi))
        assert off < 2e-3, f"{name}: {path.name}: its dihedrals differ from the stored ones by {off} rad"
        print(f"{name}: {path.name}, {len(positions)} frames of {positions.shape[1]} atoms, dihedrals within {off:.1e} rad of the stored ones")

chains = [p for p in files if p.suffix == ".nc"]
if chains:
    import arviz

    data = arviz.from_netcdf(str(chains[0]), engine="h5netcdf")
    posterior = data.posterior
    assert posterior.sizes["chain"] == len(replicas), f"ArviZ sees {posterior.sizes['chain']} chains of {len(replicas)}"
    energy = next(data[g]["energy"] for g in data.groups() if "energy" in data[g])
    assert np.allclose(energy.values[-1][-len(energies):], energies, rtol=1e-5), "ArviZ: the last chain is not the last replica"
    ess, rhat = arviz.ess(posterior), arviz.rhat(posterior)
    for name in posterior.data_vars:
        assert np.isfinite(ess[name].values).all() and np.isfinite(rhat[name].values).all(), f"ArviZ: ess or rhat of {name}"
    print(f"ArviZ {arviz.__version__}: {dict(posterior.sizes)}, ess and rhat of {', '.join(map(str, posterior.data_vars))} are finite")
