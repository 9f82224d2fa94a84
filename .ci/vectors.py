"""Fails when a vector operation stands alone in a binary instead of being inlined.

A `std::arch` intrinsic, or a method of `Lane`, that has a symbol of its own is called through memory for every 8 numbers: a missing
`#[inline(always)]` or a closure somewhere above it. The results stay right and the program becomes 25 to 70 times slower.
"""

import re
import subprocess
import sys

# What may mention a lane and stand alone: printing, and the few entries that switch the instruction set on.
ENTRIES = re.compile(r"core::fmt::|isa::enter_(avx512|avx2)|drop_in_place")
INTRINSIC = re.compile(r"\bcore_arch::.*::_mm\d*_\w+")
# Mangled the new way, a symbol names the lanes it was made for; the old way, only those that its impl block belongs to (`Lane<I>`).
LANE = re.compile(r"\bLane<(I>|[^>]*\b(Avx512|Avx2)\b)")


def alone(symbol):
    """Is this demangled symbol a vector operation that should have been inlined?"""
    return bool((INTRINSIC.search(symbol) or LANE.search(symbol)) and not ENTRIES.search(symbol))


def symbols(binary):
    text = subprocess.run(["nm", "--demangle", "--defined-only", binary], check=True, capture_output=True, text=True).stdout
    return [line.split(" ", 2)[2] for line in text.splitlines() if line.count(" ") >= 2]


if sys.argv[1:2] == ["--self-test"]:
    for bad in [
        "core::core_arch::x86::avx512f::_mm512_add_pd",
        "core::core_arch::x86::avx::_mm256_mul_pd::h0123456789abcdef",
        "<ergodica::real::lane::Lane<ergodica::real::avx512::Avx512> as core::ops::arith::Add>::add",
        "<ergodica::real::lane::Lane<I> as core::ops::arith::Mul>::mul::h0123456789abcdef",
        "ergodica::energy::lj::pair::<ergodica::real::lane::Lane<ergodica::real::avx2::Avx2>>",
    ]:
        assert alone(bad), bad
    for fine in [
        "<core::core_arch::x86::__m256d as core::fmt::Debug>::fmt",
        "<ergodica::real::lane::Lane<ergodica::real::avx2::Avx2> as core::fmt::Debug>::fmt",
        "ergodica::real::isa::enter_avx512::<ergodica::energy::Work>",
        "<ergodica::real::lane::Lane<ergodica::real::portable::Portable> as core::ops::arith::Add>::add",
        "std_detect::detect::cache::Initializer",
        "core::core_arch::x86::xsave::_xgetbv",
    ]:
        assert not alone(fine), fine
    # A program with one such function, deliberately: it has to be found.
    for broken in sys.argv[2:]:
        assert any(alone(name) for name in symbols(broken)), f"{broken}: the function that stands alone was not found"
    print("self-test passed")
    sys.exit(0)

bad = 0
for binary in sys.argv[1:]:
    names = symbols(binary)
    entries = sum("isa::enter_avx" in name for name in names)
    # A stripped binary, or one without lanes, would pass for the wrong reason.
    if entries == 0:
        sys.exit(f"{binary}: none of its {len(names)} symbols is a dispatch entry: stripped, or not the program")
    found = sorted({name for name in names if alone(name)})
    print(f"{binary}: {len(names)} symbols, {entries} dispatch entries, {len(found)} vector operations standing alone")
    for name in found[:40]:
        print(f"  {name}")
    bad += len(found)
sys.exit(bool(bad))
