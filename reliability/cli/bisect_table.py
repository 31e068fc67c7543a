"""
What `bisect` prints: a line a batch, a row a commit, how it ended.

Subjects of commits and reasons are text of others; here they become harmless lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reliability.bisect import Place, Search

_SUBJECT_CHARACTERS = 50


def progress_line(search: Search) -> str:
    """
    Return a line on what the last batch brought, and who is suspected.
    """
    shares = search.belief.shares
    most = max(range(1, len(search.places)), key=lambda at: shares[at])
    suspect = f"{search.places[most].commit.short} is the one by {shares[most]:.1%}"
    spent = f"{search.trials} trials, {_dollars(search.cost_usd)}"
    if search.at is None:
        commits = len(search.places) - 1
        return f"{commits} commits to choose from; {spent} so far"
    place = search.places[search.at]
    if place.skipped:
        return f"{place.commit.short} passed over: {_line(place.skipped, 200)}"
    passed = f"{place.counts.passed} of {place.counts.trials} passed"
    return f"{place.commit.short} {passed}; {spent}; {suspect}"


def search_table(search: Search) -> list[str]:
    """
    Return a row for each commit, and how it ended.
    """
    rows = [("commit", "passed", "cost", "likely", "subject")]
    for at, place in enumerate(search.places):
        share = f"{search.belief.shares[at]:.1%}" if at else "good"
        subject = _line(place.commit.subject, _SUBJECT_CHARACTERS)
        cost = _dollars(place.cost_usd) if place.counts.trials else ""
        rows.append((place.commit.short, _passed(place), cost, share, subject))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [row[column].rjust(widths[column]) for column in (1, 2, 3)]
            + [row[4]]
        ).rstrip()
        for row in rows
    ]
    skipped = [
        f"passed over {place.commit.short}: {_line(place.skipped, 300)}"
        for place in search.places
        if place.skipped
    ]
    return ["", *lines, "", *skipped, *ending(search)]


def _passed(place: Place) -> str:
    if place.skipped:
        return "passed over"
    counts = place.counts
    return f"{counts.passed} of {counts.trials}" if counts.trials else "-"


def ending(search: Search) -> list[str]:
    """
    Return how it ended: who it was, why, and what it took.
    """
    word = "FOUND" if search.exit_code == 0 else "INCONCLUSIVE"
    lines = [f"{word}: {search.reason}"]
    lines += [
        f"  {commit.short} {_line(commit.subject, _SUBJECT_CHARACTERS)}".rstrip()
        for commit in search.culprits
    ]
    spent = f"{search.trials} trials, {_dollars(search.cost_usd)}"
    return [*lines, f"It took {spent}, earlier logs included."]


def search_json(search: Search) -> dict[str, Any]:
    """
    Return the search for programs; texts are as they are.
    """
    places = [
        {
            "commit": place.commit.sha,
            "subject": place.commit.subject,
            "passed": place.counts.passed,
            "failed": place.counts.failed,
            "cost_usd": place.cost_usd,
            "probability": search.belief.shares[at] if at else 0.0,
            "skipped": place.skipped,
        }
        for at, place in enumerate(search.places)
    ]
    return {
        "end": search.end,
        "reason": search.reason,
        "culprits": [commit.sha for commit in search.culprits],
        "no_drop_probability": search.belief.no_drop,
        "good_rate": search.belief.good_rate,
        "bad_rate": search.belief.bad_rate,
        "trials": search.trials,
        "cost_usd": search.cost_usd,
        "commits": places,
    }


def _line(text: str, width: int) -> str:
    from reliability.escape import inline

    return inline(text, width=width) if text.strip() else ""


def _dollars(cost_usd: float | None) -> str:
    return "no price" if cost_usd is None else f"${cost_usd:.4f}"
