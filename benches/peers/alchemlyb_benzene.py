"""alchemlyb on the GROMACS files of benzene: parse, decorrelate, TI, BAR, MBAR of both legs. Prints one JSON line.

As its users write it: each file is parsed for u_nk and for dH/dl, samples are decorrelated by their own statistical inefficiency. Importing is
not counted.
"""

import argparse
import json
import pathlib
import sys
import time
import warnings

import alchemlyb
import alchemtest
import pandas as pd
from alchemlyb.estimators import BAR, MBAR, TI
from alchemlyb.parsing.gmx import extract_dHdl, extract_u_nk
from alchemlyb.preprocessing.subsampling import decorrelate_dhdl, decorrelate_u_nk
from loguru import logger

parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float, default=1.0)
parser.parse_args()  # one analysis takes longer than any timing that is asked for
logger.remove()
warnings.simplefilter("ignore")
root = pathlib.Path(alchemtest.__file__).parent / "gmx" / "benzene"
start = time.process_time()
for leg in ("Coulomb", "VDW"):
    files = sorted(map(str, (root / leg).glob("*/dhdl.xvg.bz2")))
    u_nk = pd.concat([decorrelate_u_nk(extract_u_nk(f, T=300)) for f in files])
    dhdl = pd.concat([decorrelate_dhdl(extract_dHdl(f, T=300)) for f in files])
    for estimator, data in ((TI(), dhdl), (BAR(), u_nk), (MBAR(), u_nk)):
        print(leg, type(estimator).__name__, estimator.fit(data).delta_f_.iloc[0, -1], file=sys.stderr)
seconds = time.process_time() - start
print(json.dumps({"rate": 1 / seconds, "unit": "analyses/cpu_s", "peer": "alchemlyb", "version": alchemlyb.__version__}))
