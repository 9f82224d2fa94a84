"""Writes DIR/NAME.json for every record of alchemtest_reference.json that has a time series: the sum of the dH/dl columns of each
file, and the energy differences that alchemlyb's `dE` decorrelation looks at. 15 MB; the tests read them with
ERGODICA_ALCHEMTEST_SERIES=DIR.

    python -m venv v && v/bin/pip install alchemlyb==2.5.0 alchemtest==1.0.0 && v/bin/python alchemtest_series.py DIR
"""
import json, os, sys
import alchemtest
import pandas as pd
from alchemlyb.parsing import amber, gmx, gomc
from alchemlyb.preprocessing.subsampling import u_nk2series

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(alchemtest.__file__))
with open(os.path.join(here, "alchemtest_reference.json")) as f:
    records = json.load(f)["datasets"]
os.makedirs(sys.argv[1], exist_ok=True)
for name, record in records.items():
    if "timeseries_dhdl" not in record:
        continue
    parser = dict(gmx=gmx, amber=amber, gomc=gomc)[record["parser"]]
    dhdl, energy = [], []
    for file in record["files"]:
        path = os.path.join(root, file)
        dhdl.append([float(v) for v in parser.extract_dHdl(path, T=record["T"]).sum(axis=1)])
        if "decorrelated_dE" in record:
            energy.append([float(v) for v in u_nk2series(parser.extract_u_nk(path, T=record["T"]), method="dE")])
    with open(os.path.join(sys.argv[1], name + ".json"), "w") as f:
        json.dump(dict(dhdl=dhdl, dE=energy), f)
