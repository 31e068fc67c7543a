"""
Measures this project beside its peers, and writes docs/benchmarks.md.

    benchmarks/install
    PEERS='.venv/bin/python benchmarks/peers.py'
    $PEERS                          measures all of it, about 50 minutes
    $PEERS --scenario A,B --peers ours,naive --repeat 3
    $PEERS --calls 20               shows whether everything works
    $PEERS --document               writes the document from what is there

Rows are kept in benchmarks/results/ as they are measured, one after the other and in
turn: every contender runs once before any runs again. A measurement that was ended goes
on where it stopped; `--again` measures its scenarios anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from side_by_side import document
from side_by_side.contenders import CONTENDERS, ROOT
from side_by_side.machine import describe
from side_by_side.measuring import measure_run
from side_by_side.rows import Row, add_row, forget, read_rows
from side_by_side.scenario import BY_NAME
from side_by_side.versions import versions

RESULTS = Path(__file__).with_name("results")
DOCUMENT = ROOT / "docs/benchmarks.md"


def read_arguments() -> argparse.Namespace:
    """
    Return the command line, checked.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--scenario", default=",".join(BY_NAME), help=f"of {', '.join(BY_NAME)}")
    add("--peers", default=",".join(CONTENDERS), help=f"of {', '.join(CONTENDERS)}")
    add("--repeat", type=int, default=3, help="rounds (default 3)")
    add("--calls", type=int, default=0, help="at most so many calls: a smoke test")
    add("--again", action="store_true", help="measure anew what was measured")
    add("--document", action="store_true", help="measure nothing, write the document")
    given = parser.parse_args()
    given.scenario = given.scenario.split(",")
    given.peers = given.peers.split(",")
    unknown = {*given.scenario} - {*BY_NAME} | {*given.peers} - {*CONTENDERS}
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    return given


def measure_scenario(name: str, given: argparse.Namespace, place: Path) -> None:
    """
    Measure what is missing of one scenario, round by round.
    """
    scenario = BY_NAME[name].sized(given.calls or BY_NAME[name].calls)
    done = {row.key for row in read_rows(place) if not row.note}
    print(f"\n{name}: {scenario.title}")
    for number in range(1, given.repeat + 1):
        for peer in scenario.contenders:
            contender = CONTENDERS[peer]
            wanted = peer in given.peers
            wanted = wanted and number <= contender.rounds(name, given.repeat)
            if wanted and (name, peer, number) not in done:
                row = measure_run(scenario, peer, contender, round_number=number)
                add_row(place, row)
                print(line_of(row), flush=True)


def line_of(row: Row) -> str:
    """
    Return a row for the terminal.
    """
    start = f"  {row.round} {row.contender:<14}"
    if row.note:
        return f"{start} {row.note}"
    foreign = "" if row.foreign is None else f"  foreign {row.foreign:.0%}"
    agrees = "" if row.agrees else "  COUNTS DISAGREE WITH THE SERVER"
    counts = " ".join(
        f"{name} {count:.4g}" for name, count in row.counts.items() if count
    )
    return (
        f"{start} {row.wall_s:8.2f} s  CPU {row.cpu_s:7.2f} s "
        f"{row.peak_rss_mib:6.0f} MiB  refused {row.refused:4}  {counts}"
        f"{foreign}{agrees}"
    )


def main() -> None:
    """
    Measure, or write the document.
    """
    given = read_arguments()
    if given.document:
        rows = read_rows(RESULTS / "rows.jsonl")
        page = document.write(rows, machine=describe(), versions=versions())
        DOCUMENT.write_text(page)
        print(f"written: {DOCUMENT}")
        return
    # A smoke test's rows must never get into the document.
    place = RESULTS / ("smoke.jsonl" if given.calls else "rows.jsonl")
    if given.again or given.calls:
        forget(place, {*given.scenario})
    for name in given.scenario:
        measure_scenario(name, given, place)


if __name__ == "__main__":
    main()
