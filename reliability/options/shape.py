"""
Which options say how a run goes, and not what it measures.
"""

from __future__ import annotations

RUN_SHAPE = (
    *("parallel", "max-workers", "requests-per-minute", "delay", "max-attempts"),
    *("max-cost-usd", "max-tokens", "max-minutes", "run-as"),
    *("output-dir", "quiet", "json"),
)
"""May be given anew when a run is gone on with."""

NOT_COMPARED = frozenset(
    {
        *RUN_SHAPE,
        # What is concluded from the trials, not what they are.
        *("confidence", "gate", "max-invalid", "early-stop", "on-stop"),
        *("expected-rate", "allow-unreachable", "against", "margin"),
        "baseline",
        # How a surface behaves.
        *("filename", "dry-run", "artifact", "artifact-name"),
        *("artifact-required", "retention-days"),
        # What trials cost is in the log already, at the prices of their time.
        "prices",
        # What came of them is compared: the prompt.
        *("prompt-file", "var"),
        # What they chose is compared: the cases.
        *("suite", "case", "tag", "seed"),
    }
)
"""May differ between trials that are counted together."""
