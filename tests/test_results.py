"""
From a log to results: what is computed, what is refused, and the published schema.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.journals import new_journal
from fakes.runs import ROOT, events, outcomes, run_command, run_simulated, scripted
from jsonschema import Draft202012Validator

from reliability.errors import JournalError
from reliability.journal import examine
from reliability.model import RunStatus, Verdict
from reliability.reading import ANSWER_CHARACTERS
from reliability.report.document import document, json_pieces
from reliability.results import read_result
from reliability.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.run_result import RunResult

SCHEMA = json.loads((ROOT / "schema/results.schema.json").read_text(encoding="utf-8"))


def as_json(result: RunResult) -> str:
    """
    Return the whole document as text.
    """
    return "".join(json_pieces(result))


def copy_log(result: RunResult, folder: Path, lines: int) -> Path:
    """
    Return a copy of the first lines of a log, as a killed writer leaves it.
    """
    content = Path(result.log).read_bytes().splitlines(keepends=True)
    path = folder / "cut.jsonl"
    path.write_bytes(b"".join(content[:lines]))
    return path


def rewritten(result: RunResult, folder: Path, change: dict[str, Any]) -> Path:
    """
    Return a log with the same events, the first of them changed.
    """
    with new_journal(folder) as journal:
        for event in events(result):
            own = dict(event.fields)
            if event.event == "run_started":
                own |= change
                own = {name: value for name, value in own.items() if value is not ...}
            journal.append(event.event, own)
    return journal.path


def test_a_log_says_the_same_whenever_it_is_read(tmp_path: Path) -> None:
    """
    Results read again are those of the run, to the last byte.
    """
    result = run_simulated(tmp_path, loops="5", simulator="latency=0,pass-rate=0.5")
    written = Path(result.log).with_name("results.json").read_text(encoding="utf-8")

    assert result == read_result(Path(result.log))
    assert written == as_json(read_result(Path(result.log)))


def test_what_is_reported_is_the_sum_of_what_was_logged(tmp_path: Path) -> None:
    """
    Attempts, tokens, cost and troubles are added up over all attempts.
    """
    steps: list[dict[str, Any]] = [{"status": 529}, {"status": 500}, {"text": "Hello"}]
    result = run_simulated(tmp_path, loops="2", simulator=scripted(tmp_path, *steps))
    attempts = [one.fields for one in events(result) if one.event == "attempt_finished"]

    assert 6 == result.attempts == len(attempts)
    assert {"overloaded": 2, "server-error": 2} == result.troubles
    assert [3, 3] == [trial.attempts for trial in result.trials]
    assert sum(one["usage"]["output_tokens"] for one in attempts) == (
        result.usage.output_tokens
    )
    assert 2 == result.priced
    for trial in result.trials:
        mine = [one for one in attempts if one["trial"] == trial.number]
        waits_s = [one["retry_in_s"] for one in mine if one["retry_in_s"] is not None]
        assert 2 == len(waits_s)
        assert trial.waited_s >= sum(waits_s)


@pytest.mark.parametrize("kept", range(1, 9))
def test_a_killed_run_has_unknown_trials_and_no_verdict(
    kept: int, tmp_path: Path
) -> None:
    """
    Wherever the log ends, what had started is unknown and nothing is claimed.
    """
    result = run_simulated(tmp_path, loops="3")
    cut = copy_log(result, tmp_path, kept)
    started, rest = divmod(kept - 1, 3)
    expected = ["pass"] * started + ["unknown"] * bool(rest)

    found = read_result(cut)

    assert expected == outcomes(found)
    assert Verdict.INVALID is found.verdict
    assert RunStatus.STARTED is found.status
    assert "" == found.log_sha256
    assert 3 - len(expected) == document(found)["counts"]["not_run"]


def test_a_torn_last_line_is_no_event(tmp_path: Path) -> None:
    """
    Half an event counts as none, and the rest is still read.
    """
    result = run_simulated(tmp_path, loops="3")
    content = Path(result.log).read_bytes()
    path = tmp_path / "torn.jsonl"
    path.write_bytes(content[:-9])

    found = read_result(path)

    assert ["pass"] * 3 == outcomes(found)
    assert Verdict.INVALID is found.verdict


def test_a_log_that_was_changed_after_its_lock_is_refused(tmp_path: Path) -> None:
    """
    Lines with right checksums do not help: the file is not the one that was locked.
    """
    result = run_simulated(tmp_path / "a", loops="1")
    forged = run_simulated(tmp_path / "b", loops="2")
    Path(result.log).chmod(0o644)
    Path(result.log).write_bytes(Path(forged.log).read_bytes())

    with pytest.raises(JournalError, match="was changed after it was locked"):
        read_result(Path(result.log))
    assert not examine(Path(result.log)).ok


def test_a_log_of_a_later_version_is_refused_by_name(tmp_path: Path) -> None:
    """
    Also when its events no longer look as they do today.
    """
    result = run_simulated(tmp_path, loops="1")
    path = rewritten(result, tmp_path / "new", {"schema": 2, "loops": ...})

    with pytest.raises(JournalError, match="schema is 2, newer than the 1"):
        read_result(path)


@pytest.mark.parametrize(
    "change",
    [
        {"cases": ...},
        {"cases": ["prompt"]},
        {"options": {}},
        {"options": []},
        {"schema": "1"},
        {"warnings": None},
    ],
)
def test_a_log_that_lacks_a_field_is_refused(
    change: dict[str, Any], tmp_path: Path
) -> None:
    """
    A file of another program's is a journal error, not a failure of ours.
    """
    result = run_simulated(tmp_path, loops="1")
    path = rewritten(result, tmp_path / "odd", change)

    with pytest.raises(JournalError, match="lacks a field"):
        read_result(path)


def test_a_log_without_a_beginning_is_refused(tmp_path: Path) -> None:
    """
    A log of nothing is no run.
    """
    with new_journal(tmp_path) as journal:
        journal.append("governor_changed", {"ceiling": 3})

    with pytest.raises(JournalError, match="no run_started event"):
        read_result(journal.path)


def test_texts_that_are_kept_beside_the_log_are_read_back(tmp_path: Path) -> None:
    """
    A long answer and a long prompt are themselves in every report, never a reference.
    """
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Please say hello. " * 30_000, encoding="utf-8")
    script = "printf Hello; head -c 240000 /dev/zero | tr '\\0' '\\001'"

    result = run_command(tmp_path, script, loops="1", prompt_file=str(prompt))
    readable = Path(result.log).with_suffix(".log").read_text(encoding="utf-8")

    assert Path(f"{result.log}.d").is_dir()
    assert prompt.read_text(encoding="utf-8").strip() == result.prompt.strip()
    assert ("Hello" + "\1" * ANSWER_CHARACTERS)[:ANSWER_CHARACTERS] == (
        result.trials[0].answer
    )
    assert "side_file" not in as_json(result) + readable
    assert result == read_result(Path(result.log))


def validator() -> Draft202012Validator:
    """
    Return a validator of the published schema.
    """
    Draft202012Validator.check_schema(SCHEMA)
    return Draft202012Validator(SCHEMA)


def test_results_validate_against_the_published_schema(tmp_path: Path) -> None:
    """
    Passed, failed, unpriced, invalid, killed: every form of results is described.
    """
    passed = run_simulated(tmp_path / "a")
    (tmp_path / "b").mkdir()
    failed = run_command(tmp_path / "b", "echo No; exit $(($RANDOM % 2))")
    (tmp_path / "c").mkdir()
    step = {"status": 529, "retry_after_s": 0}
    invalid = run_simulated(tmp_path / "c", simulator=scripted(tmp_path / "c", step))
    killed = read_result(copy_log(passed, tmp_path, 3))
    cancelled = replace(passed, status=RunStatus.CANCELLED, signal_number=15)

    for result in (passed, failed, invalid, killed, cancelled):
        assert [] == list(validator().iter_errors(json.loads(as_json(result))))


def described(schema: dict[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """
    Yield the path of every field that the schema names, and its part of it.
    """
    for name, part in schema.get("properties", {}).items():
        path = f"{where}/{name}"
        yield path, part
        yield from described(part, path)
        yield from described(part.get("items", {}), path)


def present(value: Any, where: str = "") -> Iterator[str]:
    """
    Yield the path of every field of a document.
    """
    if isinstance(value, list):
        for item in value:
            yield from present(item, where)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield f"{where}/{name}"
            yield from present(inner, f"{where}/{name}")


def test_the_schema_describes_every_field_and_nothing_more(tmp_path: Path) -> None:
    """
    A field that is new, renamed or gone is noticed, and none is without a sentence.
    """
    steps: list[dict[str, Any]] = [{"status": 529}, {"text": "No."}]
    result = run_simulated(tmp_path, simulator=scripted(tmp_path, *steps))
    # What a comparison holds is looked at where there is one.
    names = {
        path: part
        for path, part in described(SCHEMA)
        if not path.startswith("/comparison/")
    }
    free = {"/versions", "/fingerprint", "/troubles"}
    found = {
        path
        for path in present(json.loads(as_json(result)))
        if path.rpartition("/")[0] not in free
    }

    assert set(names) == found
    assert all(part.get("description") for part in names.values())
    assert {f"/options/{field.name}" for field in fields(Settings)} <= set(names)


def test_the_schema_lets_no_other_field_pass() -> None:
    """
    Every object of known fields requires them all and allows no more.
    """
    objects = [("", SCHEMA), *described(SCHEMA)]
    for _, part in [*objects, *((path, p.get("items", {})) for path, p in objects)]:
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert sorted(part["properties"]) == sorted(part["required"])
