"""Reads `cargo metadata` and fails when a dependency's licence does not let a "MIT OR Apache-2.0" program be given away."""

import json
import re
import sys

FINE = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0",
    "Unicode-3.0", "Unlicense", "Zlib",
}
# No SPDX expression in the manifest; read by a person.
READ = {"hdf5-metno-src": "ext/hdf5/LICENSE: BSD-3-Clause (The HDF Group)"}


def allowed(expression):
    """Does one way of satisfying the SPDX expression use fine licences only? `/` is cargo's old spelling of OR."""
    tokens = re.findall(r"\(|\)|[^\s()/]+|/", expression)

    def either():
        value = both()
        while tokens and tokens[0] in ("OR", "/"):
            tokens.pop(0)
            value = both() or value
        return value

    def both():
        value = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = one() and value
        return value

    def one():
        name = tokens.pop(0)
        if name == "(":
            value = either()
            tokens.pop(0)
            return value
        if tokens and tokens[0] == "WITH":
            name = f"{name} {tokens.pop(0)} {tokens.pop(0)}"
        return name in FINE

    return either()


assert allowed("MIT/Apache-2.0") and allowed("(MIT OR GPL-3.0) AND Zlib") and allowed("Apache-2.0 WITH LLVM-exception")
assert not allowed("GPL-3.0-only") and not allowed("MIT AND AGPL-3.0") and not allowed("(GPL-2.0 OR LGPL-3.0)")

packages = json.load(sys.stdin)["packages"]
bad = [p for p in packages if not (allowed(p["license"]) if p["license"] else p["name"] in READ)]
for p in bad:
    print(f"{p['name']} {p['version']}: licence {p['license']!r} is not on the list of .ci/licences.py")
print(f"{len(packages)} packages, {len(bad)} with a licence that does not fit")
sys.exit(bool(bad))
