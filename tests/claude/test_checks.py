"""
Every kind of check on what the real CLI did: passing, failing, and unable to decide.

One conversation is recorded: the agent writes a file, runs a command, calls a subagent
and answers. All checks grade that, in the room, while the agent's folder is there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from fakes.claude_bench import MODEL, Bench

from reliability.checks.base import BaseCheck
from reliability.checks.command import Command
from reliability.checks.delegation import DelegatedTo
from reliability.checks.files import Files
from reliability.checks.groups import AllOf, AnyOf, Not, Weighted
from reliability.checks.json_answer import Json
from reliability.checks.judge import Judge
from reliability.checks.registry import check_classes
from reliability.checks.spending import MaxCost, MaxSeconds, MaxTurns
from reliability.checks.text import Contains, Equals, NotContains, Regex
from reliability.checks.tools import ToolNotUsed, ToolOrder, ToolUsed
from reliability.errors import CheckError
from reliability.grades import Evidence, Grade
from reliability.run import run
from reliability.settings import Settings
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step
from reliability.suite import Case, Suite, Weighed
from reliability.transcript import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.claude

SAID = "Seven red lamps are in stock."
ANSWER = '{"total": 42, "said": "Seven red lamps are in stock."}'
HELPER = "---\nname: helper\ndescription: Helps\n---\nYou help.\n"
CONVERSATION = (
    Step(tool="Write", input={"file_path": "a.txt", "content": "forty-two\n"}),
    Step(tool="Bash", input={"command": "cat a.txt"}),
    Step(
        tool="Agent",
        input={
            "subagent_type": "helper",
            "description": "count",
            "prompt": "Count the lamps.",
            "run_in_background": False,
        },
    ),
    Step(text=ANSWER),
)
HELD, BROKEN = Contains(text="lamps"), Contains(text="chairs")

# By kind: a check that holds, one that does not, and one that cannot decide.
TABLE: dict[str, tuple[BaseCheck, BaseCheck, BaseCheck | None]] = {
    "contains": (HELD, BROKEN, None),
    "not-contains": (NotContains(text="chairs"), NotContains(text="lamps"), None),
    "equals": (Equals(text=f" {ANSWER}\n"), Equals(text="42"), None),
    "regex": (
        Regex(pattern='"total": \\d+'),
        Regex(pattern="^total"),
        Regex(pattern="(.*)*(.*)*(.*)*(.*)*=", timeout=0.2),
    ),
    "json": (
        Json(path="$.total", equals=42, schema={"required": ["said"]}),
        Json(path="$.total", equals=43),
        Json(
            schema={
                "pattern": "x",
                "properties": {"said": {"pattern": "(.*)*(.*)*(.*)*="}},
            },
            timeout=0.2,
        ),
    ),
    "command": (
        Command(run="sh -c 'grep -q forty-two a.txt'"),
        Command(run="sh -c 'echo no such word; exit 1'"),
        Command(run="sh -c 'exit 7'"),
    ),
    "files": (
        Files(exist=("a.txt",), changed=("*.txt",), contain={"a.txt": "forty"}),
        Files(unchanged=("a.*",)),
        None,
    ),
    "max-cost-usd": (MaxCost(usd=1e6), MaxCost(usd=1e-9), None),
    "max-turns": (MaxTurns(turns=20), MaxTurns(turns=1), None),
    "max-seconds": (MaxSeconds(seconds=60), MaxSeconds(seconds=0.001), None),
    "tool-used": (
        ToolUsed(tool="Bash", input_matches="cat a"),
        ToolUsed(tool="Bash", min=2),
        None,
    ),
    "tool-not-used": (
        ToolNotUsed(tools=("Edit",)),
        ToolNotUsed(tools=("Write",)),
        None,
    ),
    "tool-order": (
        ToolOrder(tools=("Write", "Bash", "Agent")),
        ToolOrder(tools=("Bash", "Write")),
        None,
    ),
    "delegated-to": (
        DelegatedTo(agent="helper", relay_fidelity=0.9),
        DelegatedTo(agent="reviewer"),
        None,
    ),
    "judge": (
        Judge(rubric="Names the lamps."),
        Judge(rubric="Rhymes."),
        Judge(rubric="?"),
    ),
    "not": (
        Not(check=BROKEN),
        Not(check=HELD),
        Not(check=Regex(pattern="(.*)*(.*)*(.*)*(.*)*=", timeout=0.2)),
    ),
    "any": (AnyOf(checks=(BROKEN, HELD)), AnyOf(checks=(BROKEN,)), None),
    "all": (AllOf(checks=(HELD, HELD)), AllOf(checks=(HELD, BROKEN)), None),
    "weighted": (
        Weighted(
            checks=(Weighed(check=HELD, weight=3), Weighed(check=BROKEN)), pass_mark=0.7
        ),
        Weighted(checks=(Weighed(check=HELD), Weighed(check=BROKEN)), pass_mark=0.7),
        None,
    ),
}
VOTES = {"Names the lamps.": "true", "Rhymes.": "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spy(BaseCheck):
    """
    Hands the evidence to a test, while the agent's folder is there.
    """

    KIND: ClassVar[str] = "spy"
    SHORT: ClassVar[str] = "name"
    look: Callable[[Evidence], None]
    name: str = "spy"

    @property
    def needs_folder(self) -> bool:
        """
        Say that it looks there.
        """
        return True

    def spec(self) -> dict[str, Any]:
        """
        Return what the log can keep.
        """
        return {self.KIND: self.name}

    def grade(self, evidence: Evidence) -> Grade:
        """
        Look.
        """
        self.look(evidence)
        return Grade.of("")


def judged(check: BaseCheck, evidence: Evidence) -> Evidence:
    """
    Answer what a check asks, by the rubric.
    """
    answers = {
        question.key: f'{{"pass": {VOTES[word]}, "reason": "so"}}'
        for question in check.questions(evidence)
        for word in VOTES
        if f"Rubric:\n{word}" in question.prompt
    }
    return replace(evidence, answers=answers)


def verdict_of(check: BaseCheck | None, evidence: Evidence) -> str:
    """
    Grade, and return what came of it in one word.
    """
    if check is None:
        return "-"
    try:
        grade = check.grade(judged(check, evidence))
    except CheckError:
        return "error"
    assert grade.passed or grade.reason, "a failed check says why"
    return "pass" if grade.passed else "fail"


@pytest.fixture(scope="module")
def graded(
    claude_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Evidence, dict[str, list[str]]]:
    """
    Record the conversation once, and let every check grade it.
    """
    bench = Bench(root=tmp_path_factory.mktemp("checks"), cli=claude_cli)
    bench.add_agent(HELPER, name="helper")
    seen: list[Evidence] = []
    table: dict[str, list[str]] = {}

    def look(evidence: Evidence) -> None:
        """
        Grade by all of them.
        """
        seen.append(evidence)
        for kind, checks in TABLE.items():
            table[kind] = [verdict_of(check, evidence) for check in checks]

    settings = Settings.from_text(
        {
            "prompt": "How many lamps are there?",
            "model": MODEL,
            "loops": "1",
            "delay": "0",
            "run-as": "root",
            "claude-args": "--allowedTools Bash Write Agent",
            "output-dir": str(bench.root / "results"),
        }
    )
    # The subagent asks the same service: it hears the line that comes next.
    script = (*CONVERSATION[:3], Step(text=SAID), CONVERSATION[3])
    case = Case(
        name="lamps", settings=settings, checks=(Weighed(check=Spy(look=look)),)
    )
    with bench.served(Profile(latency_s=0, script=script)):
        run(
            settings,
            suite=Suite(cases=(case,)),
            environ=bench.environ,
            workspace=bench.workspace,
        )
    (evidence,) = seen
    return evidence, table


def test_every_kind_has_its_row() -> None:
    """
    A new kind of check needs one that holds and one that does not.
    """
    assert set(TABLE) == set(check_classes())
    assert all(
        checks[0].KIND == kind == checks[1].KIND for kind, checks in TABLE.items()
    )


@pytest.mark.parametrize("kind", TABLE)
def test_each_kind_passes_fails_and_errs(
    kind: str, graded: tuple[Evidence, dict[str, list[str]]]
) -> None:
    """
    On the transcript, the folder and the figures of a real conversation.
    """
    errs = "error" if TABLE[kind][2] is not None else "-"

    assert ["pass", "fail", errs] == graded[1][kind]


def test_what_is_missing_from_the_evidence_is_an_error_and_no_failure(
    graded: tuple[Evidence, dict[str, list[str]]],
) -> None:
    """
    Without folder, price, turns or a whole return nobody can say anything.
    """
    evidence, _ = graded
    cut = [
        replace(step, cut_bytes=1) if step.kind is StepKind.RETURN else step
        for step in evidence.steps
    ]
    missing: list[tuple[BaseCheck, dict[str, Any]]] = [
        (Files(exist=("a.txt",)), {"leavings": None}),
        (Command(run="true"), {"leavings": None}),
        (MaxCost(usd=1), {"cost_usd": None}),
        (MaxTurns(turns=1), {"turns": None}),
        (DelegatedTo(agent="helper", relay_fidelity=0.5), {"steps": tuple(cut)}),
    ]

    for check, changes in missing:
        assert "error" == verdict_of(check, replace(evidence, **changes)), check
