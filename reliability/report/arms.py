"""
Head against base in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_FINDINGS = {
    "regressed": "worse than base",
    "not-worse": "not worse than base",
    "small-drop": "a small drop, inside the margin",
    "inconclusive": "not decided",
}
_MOST_CASES = 10


def arm_rows(comparison: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """
    Return label and text of a comparison; nothing when there is none.
    """
    if comparison is None:
        return []
    rows = [("Base", _rate(comparison["base"])), ("Head", _rate(comparison["head"]))]
    ends = f"{_points(comparison['lower'])} to {_points(comparison['upper'])}"
    change = f"{_points(comparison['difference'])} points (by one-sided bounds {ends})"
    rows.append(("Difference", change))
    visible, margin = comparison["visible_drop"], comparison["margin"]
    numbers = (
        f"p = {comparison['p']:.2g}, mid-p {comparison['mid_p']:.2g}; margin "
        f"{100 * margin:g} points; a drop of {100 * visible:.0f} points is seen in 8 "
        "of 10"
    )
    rows.append(("Finding", f"{_FINDINGS[comparison['finding']]} ({numbers})"))
    cases = comparison["cases"]
    if len(cases) > 1:
        rows += [("Case", _case(case)) for case in cases[:_MOST_CASES]]
        if len(cases) > _MOST_CASES:
            rest = f"and {len(cases) - _MOST_CASES} more, in results.json"
            rows.append(("Case", rest))
    return rows


def _rate(arm: Mapping[str, int]) -> str:
    if not arm["measured"]:
        return "nothing measured"
    return (
        f"{arm['passed'] / arm['measured']:.1%}, {arm['passed']} of {arm['measured']}"
    )


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _case(case: Mapping[str, Any]) -> str:
    base, head = case["base"], case["head"]
    return (
        f"{case['name']}: base {base['passed']} of {base['measured']}, head "
        f"{head['passed']} of {head['measured']} (p = {case['p']:.2g}, corrected "
        f"{case['corrected_p']:.2g})"
    )
