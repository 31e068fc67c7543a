"""
The check `json`: the answer is JSON, fits a schema, has a value at a path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from reliability.checks.base import BaseCheck, label_of, shown
from reliability.grades import Grade

if TYPE_CHECKING:
    from reliability.grades import Evidence

JSON_TIMEOUT_S = 5.0
_MISSING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Json(BaseCheck):
    """
    The answer parses as JSON; a single fenced block around it is taken off.

    Args:
        schema: JSON Schema that it must fit; draft 2020-12 unless it says another.
        path: JSONPath (RFC 9535) that must find something.
        equals: What must be among the values that *path* finds; the default stands
            for "anything".
        timeout: Seconds.
    """

    KIND: ClassVar[str] = "json"
    SHORT: ClassVar[str] = "path"
    schema: dict[str, Any] | bool | None = None
    path: str | None = None
    equals: Any = _MISSING
    timeout: float = JSON_TIMEOUT_S

    @property
    def label(self) -> str:
        """
        What is asked of the JSON.
        """
        if self.path is None:
            return "json" if self.schema is None else "json:schema"
        if self.equals is _MISSING:
            return label_of("json", self.path)
        return label_of("json", f"{self.path}={self.equals}")

    def grade(self, evidence: Evidence) -> Grade:
        """
        Parse and compare, in a helper process.

        Raises:
            CheckError: when it takes too long, or when schema or path make no sense.
        """
        from reliability.checks.sandbox import ask

        request = {
            "work": "json",
            "text": evidence.answer,
            "schema": self.schema,
            "path": self.path,
        }
        if self.equals is not _MISSING:
            request["equals"] = self.equals
        problem = ask(request, what=f"the check {self.label}", limit_s=self.timeout)
        if not problem:
            return Grade.of("")
        return Grade.of(f"expected {problem}, got {shown(evidence.answer)}")
