"""
Where and with what a run takes place: what its attempts need beside the settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reliability.clock import Clock
    from reliability.redact import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """
    What is the same for all attempts of a run.

    Args:
        environ: Of the user; what passes of it to a child is decided elsewhere.
        workspace: Where the user would run the agent.
        function: The agent of the backend `function`; None for every other.
    """

    environ: Mapping[str, str]
    workspace: Path
    redactor: Redactor
    clock: Clock
    function: Callable[[str], str] | None = None
