"""
Measures a Python function: here a rule, in your program whatever answers.

Run it with `python measure.py`; it ends with 1 when the function is not reliable.
"""

from __future__ import annotations

import sys

from reliability.library import measure


def answer(prompt: str) -> str:
    """
    Greet whoever is named in the prompt.
    """
    return f"Hello, {prompt.removeprefix('Greet ').rstrip('.')}!"


def main() -> int:
    """
    Measure it and say what came of it.
    """
    result = measure(
        answer,
        prompt="Greet Ada.",
        loops=50,
        parallel=True,
        checks="[{equals: 'Hello, Ada!'}, {max-seconds: 1}]",
    )
    print(f"{result.verdict}: {result.reason}")
    return 0 if result.verdict == "pass" else 1


if __name__ == "__main__":
    sys.exit(main())
