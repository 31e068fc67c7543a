"""
What an option is, whatever surface shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """
    One option of `reliability run` and of the action.

    Args:
        name: As written after `--` and in `with:`.
        default: As text; empty for none. The same in every surface.
        parse: Text to value; raises ValueError with a phrase such as "must be ...".
        metavar: What `--help` shows for the value; empty for a flag.
        where: "everywhere", or the one surface that has it: "cli" or "action".
        repeat: May be given more than once on the command line, one a line elsewhere.
    """

    name: str
    help: str
    parse: Callable[[str], Any]
    default: str = ""
    metavar: str = ""
    where: str = "everywhere"
    repeat: bool = False

    @property
    def field(self) -> str:
        """
        The name of the field in `Settings`.
        """
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """
        The environment variable that the command reads when the flag is not given.
        """
        return f"RELIABILITY_{self.field.upper()}"
