"""How long trying migrations up, down and up again takes, from nothing: the local server included.

    python benchmarks/check_speed.py [--example-only] [--most 1000]

The 22 pairs of examples/kaimu, then generated pairs: seconds, and the ratio per migration to the smallest number.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from migrations import write_golang_migrate

from howdah.rehearse.round_trip import Travel, try_round_trips
from howdah.rehearse.throwaway import throwaway
from howdah.server.choice import Need

ROOT = Path(__file__).resolve().parent.parent
KAIMU = ROOT / "examples" / "kaimu" / "backend" / "db" / "migrations"
SIZES = (100, 300, 1000)
BUDGET_SECONDS = 3.0


def measure(directory: Path, *extensions: str) -> tuple[float, float, int]:
    """Seconds for all of it, for the trips alone, and how many trips there were."""
    started = time.perf_counter()
    with throwaway(Need(extensions=frozenset(extensions))) as server:
        ready = time.perf_counter()
        found = try_round_trips(server, "golang-migrate", directory, Travel())
        done = time.perf_counter()
    if found.failure or any(each.left or each.again is None for each in found.trips):
        raise SystemExit(f"{directory}: not every migration came back: {found.failure}")
    return time.perf_counter() - started, done - ready, len(found.trips)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--example-only", action="store_true")
    parser.add_argument("--most", type=int, default=max(SIZES))
    given = parser.parse_args()
    for _ in range(3):
        whole, trips, count = measure(KAIMU, "uuid-ossp")
        verdict = "met" if whole <= BUDGET_SECONDS else "MISSED"
        print(f"examples/kaimu, {count} pairs: {whole:.2f} s, {trips:.2f} s of it the trips"
              f"  budget {BUDGET_SECONDS:g} s: {verdict}", flush=True)  # fmt: skip
    if given.example_only:
        return
    first = 0.0
    with tempfile.TemporaryDirectory() as place:
        for size in (each for each in SIZES if each <= given.most):
            directory = write_golang_migrate(Path(place) / str(size), size)
            whole, trips, count = measure(directory)
            each = trips / count
            first = first or each
            print(f"generated, {count} pairs: {whole:.2f} s, {1000 * each:.1f} ms each,"
                  f" {each / first:.2f} times the first", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
