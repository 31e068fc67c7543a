"""
How a trial is graded: each check is a value that says pass or fail, a score, and why.

`registry` names the kinds; `sandbox` is where patterns and hostile JSON are met.
"""

__all__: list[str] = []
