"""How time and memory of `predict` grow with slices, phases and studies: a process a point, a line through the points.

    python tests/benchmarks/growth.py [-m MODEL] [--small] -o docs/performance/growth.json

Writes the figures, and a plot of the same name that ends in .svg. Cines are phantoms; the studies are of 5 slices and 8
phases. Wall times mean something on a quiet machine only; CPU times and memory nearly always.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FULL = {"slices": (6, 12, 24, 48), "phases": (8, 16, 32, 64), "studies": (1, 2, 4, 8, 16, 32, 64)}
SMALL = {"slices": (6, 12), "phases": (8, 16), "studies": (1, 2, 4)}
CLOCKS = ("wall_s", "cpu_s", "peak_mb")
PANEL, MARGIN, GAP = (210, 130), 46, 64  # of the plot, in its units
INK, LINE, DOT = "#333333", "#9bb7d4", "#1f5f99"

Point = dict[str, float]


def run(arguments: list[str]) -> tuple[float, float, float]:
    """Wall and CPU seconds and peak MB of `cardioseg` in a process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "cardioseg", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"cardioseg {' '.join(arguments)} left with {process.returncode}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measured(scans: Path, model: str, threads: int, turns: int) -> Point:
    """The best of some turns."""
    settings = ["--overwrite", "-q", "-m", model, "--threads", str(threads)]
    runs = [run(["predict", str(scans), "-o", f"{scans}.results", *settings]) for _ in range(turns)]
    return dict(zip(CLOCKS, map(min, zip(*runs, strict=True)), strict=True))


def write(folder: Path, of: str, count: int) -> Path:
    """Phantoms: one cine of so many slices or phases, or so many small studies. In a process of its own: see below."""
    scans = folder / f"{of}-{count}"
    program = (
        "import sys; from pathlib import Path; from cardioseg.phantom import Phantom, write_dicom\n"
        "of, count, scans = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])\n"
        "usual = dict(slices=5, phases=8, rows=128, columns=128, spacing_mm=(18.0, 2.5, 2.5))\n"
        "if of == 'studies':\n"
        "    for number in range(count): write_dicom(Phantom(**usual, seed=number + 1), scans / f'{number:03d}')\n"
        "elif of == 'slices':\n"
        "    write_dicom(Phantom(slices=count, phases=8, spacing_mm=(110 / count, 1.37, 1.37)), scans)\n"
        "else: write_dicom(Phantom(slices=8, phases=count, spacing_mm=(12.0, 1.37, 1.37)), scans)\n"
    )
    subprocess.run([sys.executable, "-c", program, of, str(count), str(scans)], check=True)
    return scans


def line(points: list[Point], clock: str) -> dict[str, float]:
    """The straight line through the points by least squares, and how much of their variance it explains."""
    xs, ys = [point["count"] for point in points], [point[clock] for point in points]
    x0, y0 = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - x0) * (y - y0) for x, y in zip(xs, ys, strict=True)) / sum((x - x0) ** 2 for x in xs)
    left = sum((y - y0 - slope * (x - x0)) ** 2 for x, y in zip(xs, ys, strict=True))
    whole = sum((y - y0) ** 2 for y in ys)
    return {"slope": slope, "at_zero": y0 - slope * x0, "r2": 1 - left / whole if whole else 1.0}


def measure(model: str, sizes: dict[str, tuple[int, ...]], threads: int, turns: int) -> dict[str, Any]:
    """Every size in turn."""
    grown: dict[str, Any] = {}
    for of, counts in sizes.items():
        points = []
        for count in counts:
            with tempfile.TemporaryDirectory() as folder:
                once = 1 if of == "studies" and count > 8 else turns
                points.append({"count": count} | measured(write(Path(folder), of, count), model, threads, once))
            print(f"{count} {of}: " + ", ".join(f"{points[-1][clock]:.1f} {clock}" for clock in CLOCKS), flush=True)
        grown[of] = {"points": points, "lines": {clock: line(points, clock) for clock in CLOCKS}}
    return grown


def plot(grown: dict[str, Any]) -> str:
    """Wall time above, peak memory below; a column a kind of growth."""
    rows = (("wall_s", "s"), ("peak_mb", "MB"))
    width, height = (MARGIN + len(grown) * (PANEL[0] + GAP), MARGIN // 2 + len(rows) * (PANEL[1] + GAP))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="11" fill="{INK}"><rect width="100%" height="100%" fill="#ffffff"/>'
    ]
    for column, (of, found) in enumerate(grown.items()):
        for row, (clock, unit) in enumerate(rows):
            corner = MARGIN + column * (PANEL[0] + GAP), MARGIN // 2 + row * (PANEL[1] + GAP)
            parts += panel(found["points"], found["lines"][clock], clock, unit, of, corner)
    return "\n".join([*parts, "</svg>\n"])


def panel(
    points: list[Point], fit: dict[str, float], clock: str, unit: str, of: str, corner: tuple[int, int]
) -> list[str]:
    """One diagram, from zero in both directions."""
    (left, top), (width, height) = corner, PANEL
    far, high = max(point["count"] for point in points), 1.15 * max(point[clock] for point in points)

    def place(x: float, y: float) -> tuple[float, float]:
        return round(left + width * x / far, 1), round(top + height * (1 - y / high), 1)

    ends = [place(x, max(0.0, fit["at_zero"] + fit["slope"] * x)) for x in (0, far)]
    bottom = top + height
    parts = [
        f'<path d="M{left} {top}V{bottom}H{left + width}" fill="none" stroke="{INK}"/>',
        f'<path d="M{ends[0][0]} {ends[0][1]}L{ends[1][0]} {ends[1][1]}" stroke="{LINE}" stroke-width="2"/>',
    ]
    parts += [
        f'<circle cx="{x}" cy="{y}" r="3.5" fill="{DOT}"/>' for x, y in (place(p["count"], p[clock]) for p in points)
    ]
    parts += [
        f'<text x="{place(x, 0)[0]}" y="{bottom + 15}" text-anchor="middle">{x:g}</text>' for x in (0, far / 2, far)
    ]
    parts += [
        f'<text x="{left - 5}" y="{place(0, y)[1] + 4}" text-anchor="end">{y:.3g}</text>'
        for y in (0, float(f"{high / 2.3:.1g}"), float(f"{high / 1.15:.1g}"))
    ]
    said = f"{unit}: {fit['at_zero']:.3g} {fit['slope']:+.2g} a {SINGULAR[of]}, R² {fit['r2']:.3f}"
    return [
        *parts,
        f'<text x="{left + 6}" y="{top + 4}">{said}</text>',
        f'<text x="{left + width / 2}" y="{bottom + 30}" text-anchor="middle">{of}</text>',
    ]


SINGULAR = {"slices": "slice", "phases": "phase", "studies": "study"}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("-m", "--model", default="sax")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--small", action="store_true", help="A few points, to see that it works.")
    options = parser.parse_args()
    sizes = SMALL if options.small else FULL
    grown = measure(options.model, sizes, options.threads, options.turns)
    result = {"model": Path(options.model).name, "threads": options.threads, "turns": options.turns, "grown": grown}
    for of, found in grown.items():
        for clock, fit in found["lines"].items():
            print(f"{of}: {clock} = {fit['at_zero']:.3g} + {fit['slope']:.3g} x, R^2 {fit['r2']:.4f}")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")
        options.out.with_suffix(".svg").write_text(plot(grown))


if __name__ == "__main__":
    main()
