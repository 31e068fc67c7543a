"""
What a run does not go on with: a log that cannot be believed, and other conditions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.continued import cut_log, killed_run, named, resumed, resumed_from
from fakes.runs import (
    ENVIRON,
    events,
    outcomes,
    run_simulated,
    scripted,
    texts,
)

from reliability.clock import SystemClock
from reliability.earlier import read_earlier
from reliability.errors import JournalError, UsageError
from reliability.journal import Journal
from reliability.run import run
from reliability.settings import Settings

if TYPE_CHECKING:
    from reliability.journal import Event


def test_a_log_that_somebody_writes_is_refused(tmp_path: Path) -> None:
    """
    By its holder, and without waiting.
    """
    log = killed_run(tmp_path, ended=1)
    with (
        Journal.reopen(log, clock=SystemClock(), redact=lambda value: value),
        pytest.raises(JournalError, match=r"in use by pid \d+"),
    ):
        read_earlier(log)


def test_a_log_that_was_changed_is_refused(tmp_path: Path) -> None:
    """
    Changed after the lock, or in the middle: nothing is taken from it.
    """
    result = run_simulated(tmp_path)
    log = Path(result.log)
    content = log.read_bytes()
    log.chmod(0o600)
    log.write_bytes(content.replace(b"greeter", b"greedier"))
    with pytest.raises(JournalError, match="changed after it was locked"):
        read_earlier(log)
    log.with_name(f"{log.name}.sha256").unlink()

    with pytest.raises(JournalError, match="damaged at byte 0"):
        read_earlier(log)


def test_a_log_without_a_run_is_refused(tmp_path: Path) -> None:
    """
    An empty log is of a run that was killed before its first event.
    """
    log = tmp_path / "chat_20261123T174059Z_r1.jsonl"
    log.touch()

    with pytest.raises(JournalError, match="no run_started"):
        read_earlier(log)


def test_a_log_that_was_killed_while_it_took_over_is_refused_by_name(
    tmp_path: Path,
) -> None:
    """
    It lacks trials that were measured; running those again would measure them twice.
    """
    first = killed_run(tmp_path, ended=3, loops="4")
    second = Path(resumed(first).log)
    cut_log(second, after="trial_reused", count=2)

    with pytest.raises(UsageError, match=f"lacks 1 trials.*{first.name}"):
        resumed(second)


def test_what_is_measured_must_be_as_it_was(tmp_path: Path) -> None:
    """
    Nothing is called and no log is made; every difference is named with both values.
    """
    log = killed_run(tmp_path, ended=1)
    settings = Settings.from_text(
        texts(tmp_path, expect="Bye", timeout="9", simulator="latency=0,seed=4")
    )

    with pytest.raises(UsageError) as caught:
        run(settings, environ=ENVIRON, earlier=read_earlier(log))

    said = str(caught.value)
    assert "expect: was 'contains:Hello', is 'contains:Bye'." in said
    assert "timeout: was 300.0, is 9.0." in said
    assert "simulator: was 'latency=0,pass-rate=1', is 'latency=0,seed=4'." in said
    assert "--allow-changed" in said
    assert [log] == list(log.parent.glob("*.jsonl"))


def test_another_simulator_script_of_the_same_name_is_refused(tmp_path: Path) -> None:
    """
    The option names a file; what was in it made the answers.
    """
    profile = scripted(tmp_path, {"text": "Hello!"})
    log = killed_run(tmp_path, ended=1, simulator=profile)
    scripted(tmp_path, {"text": "Hello, Hello!"})
    settings = Settings.from_text(texts(tmp_path, simulator=profile))

    with pytest.raises(UsageError, match=r"script_sha256: was .*, is "):
        run(settings, environ=ENVIRON, earlier=read_earlier(log))


def test_a_prompt_file_that_changed_is_refused_or_labelled(tmp_path: Path) -> None:
    """
    It is read again; with allow_changed each kept trial says so, and the log how.
    """
    prompt = tmp_path / "prompt.md"
    prompt.write_text("Say hello.", encoding="utf-8")
    log = killed_run(tmp_path, ended=2, prompt_file=str(prompt))
    prompt.write_text("Say it louder.", encoding="utf-8")
    with pytest.raises(UsageError, match=r"prompt: was 'Say hello\.', is 'Say it"):
        resumed(log)

    result = resumed(log, allow_changed=True)

    said = "prompt: was 'Say hello.', is 'Say it louder.'."
    assert [True, True, False] == [trial.changed for trial in result.trials]
    assert (said,) == result.changed
    assert [said] == events(result)[0].fields["changed"]
    again = resumed(cut_log(Path(result.log)))
    assert [True, True, False] == [trial.changed for trial in again.trials]
    assert (said,) == again.changed


def test_an_option_that_held_a_secret_cannot_come_from_the_log(tmp_path: Path) -> None:
    """
    The mark in its place is never taken for the text.
    """
    settings = Settings.from_text(texts(tmp_path, prompt="Use sesame-open-42."))
    environ = {**ENVIRON, "SOME_TOKEN": "sesame-open-42"}
    log = cut_log(Path(run(settings, environ=environ).log))
    earlier = read_earlier(log)
    with pytest.raises(UsageError, match="does not tell all of prompt"):
        earlier.texts()

    result = run(settings, environ=environ, earlier=earlier)

    assert ["pass"] * 3 == outcomes(result)


def test_a_log_is_read_anew_each_time_and_a_changed_one_noticed(tmp_path: Path) -> None:
    """
    Trials are not held; what was promised must still be there.
    """
    log = killed_run(tmp_path, ended=2)
    earlier = read_earlier(log)
    cut_log(log, after="trial_finished", count=1)

    with pytest.raises(JournalError, match="changed while it was read"):
        resumed_from(earlier)


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ('"loops":3', '"loops":"x"'),
        ('"trial":2,', '"trial":7,'),
        ('"options":', '"other":'),
        ('"outcome":"pass"', '"outcome":"superb"'),
    ],
)
def test_a_malformed_log_is_refused_as_one(find: str, put: str, tmp_path: Path) -> None:
    """
    With good checksums and bad content: an error of the log, not of ours.
    """
    log = killed_run(tmp_path, ended=2)
    forged = tmp_path / "forged"
    with Journal.create(
        forged,
        base_name="chat",
        run_id="r1",
        clock=SystemClock(),
        redact=lambda fields: json.loads(json.dumps(fields)),
    ) as journal:
        for event in [*named(log, "run_started"), *_trials(log)]:
            content = json.dumps(event.fields, separators=(",", ":"))
            journal.append(event.event, json.loads(content.replace(find, put)))

    with pytest.raises(JournalError, match="an event lacks a field"):
        resumed(journal.path)


def _trials(log: Path) -> list[Event]:
    """
    Return all events of trials.
    """
    return [
        event
        for name in ("trial_started", "attempt_finished", "trial_finished")
        for event in named(log, name)
    ]
