"""
The results as a JSON document for programs: `results.json`.

Its form is published as JSON Schema in `schema/results.schema.json`; `schema` grows
when a field changes its meaning.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from reliability.model import SCHEMA_VERSION

if TYPE_CHECKING:
    from reliability.run_result import RunResult


def document(result: RunResult) -> dict[str, Any]:
    """
    Return the results as JSON-like data.
    """
    fields = asdict(result)
    tally = fields.pop("tally")
    return {
        "schema": SCHEMA_VERSION,
        "simulated": fields.pop("simulated"),
        "verdict": fields.pop("verdict"),
        "reason": fields.pop("reason"),
        "pass_rate": result.tally.pass_rate,
        "counts": {**tally, "not_run": result.tally.not_run},
        **fields,
    }


def as_json(result: RunResult) -> str:
    """
    Return the document as text in ASCII, ending with a newline.
    """
    return json.dumps(document(result), indent=2, allow_nan=False) + "\n"
