"""
Makes `tests/` importable, so that tests share what is in `fakes/`.
"""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says something about the machine, not about a promise.
settings.register_profile("reliability", deadline=None)
settings.load_profile("reliability")
