"""Opens a stage's files with MDAnalysis, mdtraj, ArviZ and h5py and compares them with the segments, number by number.

    python tests/readers/stage.py RUN/<stage> [--standalone FOLDER]

Needs: h5py MDAnalysis mdtraj tables "arviz<1" h5netcdf. Checks the first replica and the last. With --standalone the
replica files of FOLDER (`ergodica export --format mdtraj`) are checked instead of traj/.
Exit status 0 when everything agrees.
"""

import argparse
import json
import pathlib
import warnings

import h5py
import numpy as np

warnings.simplefilter("ignore")


def segments(stage):
    """Everything in the segments, by h5py alone: path of the dataset -> array over all frames."""
    paths = sorted(stage.glob("segment-*.h5"))
    assert paths, f"no segments in {stage}"
    parts = {}
    for path in paths:
        with h5py.File(path, "r") as f:
            found = []
            f.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
            for name in found + [n for n in ("step", "time") if n not in found]:
                parts.setdefault(name, []).append(f[name][()])
            assert f["h5md"].attrs["version"].tolist() == [1, 1]
            assert len(f["provenance"].attrs) > 0
    assert len({len(v) for v in parts.values()}) == 1, "segments differ in what they hold"
    return {name: np.concatenate(v) for name, v in parts.items()}, paths


def same(found, expected, what, scale=1.0):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    if scale == 1.0:
        assert np.array_equal(found.astype("f8"), expected.astype("f8"), equal_nan=True), what
    else:
        assert np.allclose(found, scale * expected, rtol=2e-6, atol=0, equal_nan=True), what


def spatial(values):
    """Vectors in the plane get z = 0."""
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, 3 - values.shape[-1])]).astype("f4")


def observables(header, data):
    """Name in a replica file -> (draw, replica) array."""
    out = {}
    for column in header["columns"]:
        values = data.get(f"observables/{column['name'].replace('/', '|')}/value")
        if values is None:
            continue
        if column["width"] > 1 and len(column["labels"]) == column["width"]:
            for k, label in enumerate(column["labels"]):
                out[f"{column['name']}/{label}"] = values[:, :, k]
        else:
            out[column["name"]] = values
    return out


def check_h5py(path, header, data, replica):
    with h5py.File(path, "r") as f:
        for name in ("position", "velocity", "force"):
            values = data.get(f"particles/trajectory/{name}/value")
            if values is not None:
                element = f[f"particles/trajectory/{name}"]
                same(element["value"][()], spatial(values[:, replica]), f"h5py {name}")
                same(element["step"][()], data["step"], "h5py step")
                same(element["time"][()], data["time"], "h5py time")
        for name, values in observables(header, data).items():
            same(f[f"observables/{name}/value"][()], values[:, replica], f"h5py {name}")


def check_mdanalysis(path, topology, header, data, replica):
    import MDAnalysis as mda

    x = data["particles/trajectory/position/value"]
    units = any(c["kind"] == "positions" and c["unit"] for c in header["columns"])
    if topology.exists():
        universe = mda.Universe(str(topology), str(path), format="H5MD", convert_units=units)
    else:
        universe = mda.Universe.empty(x.shape[2], trajectory=False)
        universe.load_new(str(path), format="H5MD", convert_units=units)
    assert len(universe.trajectory) == len(x)
    length = 10.0 if units else 1.0
    force = data.get("particles/trajectory/force/value")
    velocity = data.get("particles/trajectory/velocity/value")
    for frame in {0, len(x) // 2, len(x) - 1}:
        ts = universe.trajectory[frame]
        same(ts.positions, spatial(x[frame, replica]), "MDAnalysis positions", length)
        if velocity is not None:
            same(ts.velocities, spatial(velocity[frame, replica]), "MDAnalysis velocities", length)
        if force is not None:
            same(ts.forces, spatial(force[frame, replica]), "MDAnalysis forces", 1 / length)
        assert ts.data["step"] == data["step"][frame]
        same(ts.time, data["time"][frame], "MDAnalysis time")
        for name, values in observables(header, data).items():
            same(ts.data[name], values[frame, replica], f"MDAnalysis {name}")


def check_mdtraj(path, topology, header, data, replica):
    import mdtraj

    x = data["particles/trajectory/position/value"]
    if header["topology_json"] is None:
        return
    trajectory = mdtraj.load(str(path))
    same(trajectory.xyz, spatial(x[:, replica]), "mdtraj positions")
    same(trajectory.time, data["time"].astype(trajectory.time.dtype), "mdtraj time")
    if topology.exists():
        pdb = mdtraj.load(str(topology)).topology
        assert [a.name for a in pdb.atoms] == [a.name for a in trajectory.topology.atoms], "topologies differ"
    last = mdtraj.load_frame(str(path), len(x) - 1)
    same(last.xyz[0], spatial(x[-1, replica]), "mdtraj last frame")


def check_arviz(path, header, data):
    import arviz
    import xarray

    chains = arviz.from_netcdf(str(path), engine="h5netcdf")
    for column in header["columns"]:
        values = data.get(f"observables/{column['name'].replace('/', '|')}/value")
        if values is None:
            continue
        turned = np.swapaxes(values, 0, 1)
        if column["width"] > 1 and len(column["labels"]) == column["width"]:
            for k, label in enumerate(column["labels"]):
                same(chains.posterior[f"{column['name']}.{label}"].values, turned[:, :, k], f"ArviZ {label}")
        else:
            same(chains.posterior[column["name"]].values, turned, f"ArviZ {column['name']}")
    assert list(chains.posterior.sizes)[:2] == ["chain", "draw"]
    if any(c["name"] == "energy" for c in header["columns"]):
        same(chains.sample_stats["energy"].values, data["observables/energy/value"].T, "ArviZ energy")
    if data["step"].size >= 8 and chains.posterior.sizes["chain"] > 1:
        assert set(arviz.rhat(chains).data_vars) == set(chains.posterior.data_vars)
        assert set(arviz.ess(chains).data_vars) == set(chains.posterior.data_vars)
    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        assert set(tree["posterior"].data_vars) == set(chains.posterior.data_vars)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", type=pathlib.Path)
    parser.add_argument("--standalone", type=pathlib.Path)
    arguments = parser.parse_args()
    stage = arguments.stage
    header = json.loads((stage / "header.json").read_text())
    data, paths = segments(stage)
    done = ["h5py"]
    topology = next((p for p in (stage / "topology.pdb", stage.parent / "topology.pdb") if p.exists()), stage / "none")
    if "particles/trajectory/position/value" in data:
        folder = arguments.standalone or stage / "traj"
        files = sorted(folder.glob("replica-*.h5"))
        assert len(files) == header["replicas"], f"{len(files)} replica files, {header['replicas']} replicas"
        for replica in {0, len(files) - 1}:
            check_h5py(files[replica], header, data, replica)
            check_mdanalysis(files[replica], topology, header, data, replica)
            check_mdtraj(files[replica], topology, header, data, replica)
        done += ["MDAnalysis", "mdtraj"]
    if any(name.startswith("observables/") for name in data):
        check_arviz(stage / "chains.h5", header, data)
        done.append("ArviZ")
    print(f"{stage}: {len(data['step'])} frames, {header['replicas']} replicas, {len(paths)} segments read by {', '.join(done)}")


if __name__ == "__main__":
    main()
