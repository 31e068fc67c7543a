"""
No secret gets past a check: neither whole, nor cut in two by a reason.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes.evidence import called, delegated
from fakes.judges import judged_suite
from fakes.runs import ENVIRON, IN_PLACE, outcomes, scripted

from reliability.checks.base import SHOWN_CHARACTERS
from reliability.checks.command import Command
from reliability.checks.files import Files
from reliability.checks.judge import Judge
from reliability.checks.text import Contains, Equals
from reliability.checks.tools import ToolNotUsed
from reliability.engine.grading import grade_reply
from reliability.grades import Evidence, Grade
from reliability.model import Reply
from reliability.redact import Redactor
from reliability.run import run

if TYPE_CHECKING:
    from pathlib import Path


from fakes.odd_checks import Broken, case_of, run_checks

SECRET = "hunter2-and-some-more-0123456789"


def leaks(folder: Path) -> list[str]:
    """
    Return which files of a run hold a part of the secret that is worth having.
    """
    parts = [SECRET[at : at + 12] for at in range(len(SECRET) - 11)]
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and any(part in path.read_text("utf-8") for part in parts)
    ]


def environ_with_secret() -> dict[str, str]:
    """
    Return an environment that names a secret.
    """
    return {**ENVIRON, "LAMP_API_KEY": SECRET}


@pytest.mark.parametrize("before", range(0, SHOWN_CHARACTERS + 40, 20))
def test_no_cut_leaves_half_a_secret_in_a_reason(before: int, tmp_path: Path) -> None:
    """
    Wherever in the answer it stands.
    """
    answer = f"{'n' * before} {SECRET} {'n' * 300}"
    ended = run_checks(
        tmp_path,
        *(Contains(text="lamps"), Equals(text="lamps")),
        Broken(says=lambda seen: Grade.of(f"it says {seen.answer}")),
        environ=environ_with_secret(),
        simulator=scripted(tmp_path, {"text": answer}),
        loops="1",
    )

    assert ["fail"] == outcomes(ended)
    assert [] == leaks(tmp_path / "out")


def test_no_secret_of_a_program_gets_past_its_checks(tmp_path: Path) -> None:
    """
    Neither by the check's command, nor by a file, nor by an error.
    """
    (tmp_path / "agent.sh").write_text(
        'echo "$LAMP_API_KEY"; echo "$LAMP_API_KEY" > a.txt', encoding="utf-8"
    )
    told = "sh -c 'cat a.txt; cat a.txt >&2; cat; exit 1'"
    ended = run_checks(
        tmp_path,
        Command(run=told),
        Files(contain={"a.txt": "lamps"}),
        Equals(text="lamps"),
        environ=environ_with_secret(),
        **IN_PLACE | {"command": "sh agent.sh", "simulator": "", "loops": "1"},
        pass_env="LAMP_API_KEY",
    )

    assert ["fail"] == outcomes(ended)
    assert [] == leaks(tmp_path / "out")


def test_no_secret_of_a_judge_reaches_the_log(tmp_path: Path) -> None:
    """
    Neither whole in its answer, nor cut in its reason, nor when it gives no vote.
    """
    said = f"{'so ' * 95} {SECRET} {'so ' * 95}"
    vote = json.dumps({"reason": said, "pass": False})
    for number, text in enumerate((vote, said)):
        folder = tmp_path / str(number)
        folder.mkdir()
        suite = judged_suite(folder, {"text": text}, judge=Judge(rubric="x"), loops="1")
        ended = run(
            suite.cases[0].settings,
            suite=suite,
            environ=environ_with_secret(),
            workspace=folder,
        )

        assert [["fail"], ["invalid"]][number] == outcomes(ended)
        assert [] == leaks(folder / "out")


def test_checks_see_what_the_log_will_keep(tmp_path: Path) -> None:
    """
    A step, its input and the answer come without secrets, so a regrade finds the same.
    """
    seen: list[Evidence] = []

    def look(given: Evidence) -> Grade:
        seen.append(given)
        return Grade.of("")

    steps = (called("Bash", command=SECRET), *delegated("helper", f"so {SECRET}"))
    reply = Reply(answer=f"it is {SECRET}", steps=steps)
    redact = Redactor([SECRET]).value
    result = grade_reply(case_of(tmp_path, Broken(says=look)), reply, None, redact)

    assert "it is [redacted]" == seen[0].answer
    assert SECRET not in repr(seen[0])
    assert [step.kind for step in steps] == [step.kind for step in seen[0].steps]
    assert reply == result.reply


def test_clean_steps_are_not_copied(tmp_path: Path) -> None:
    """
    What has no secret comes as it is.
    """
    steps = (called("Bash", command="ls"),)
    seen: list[Evidence] = []
    look = Broken(says=lambda given: seen.append(given) or Grade.of(""))
    redact = Redactor([SECRET]).value
    grade_reply(case_of(tmp_path, look), Reply(steps=steps), None, redact)

    assert steps is seen[0].steps
    assert ToolNotUsed(tools="Edit").grade(seen[0]).passed
