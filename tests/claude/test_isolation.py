"""
The real CLI and its surroundings: what it sees of us, and when it may start.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from fakes.claude_bench import MODEL

from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.claude_bench import Bench
    from fakes.recording_relay import RecordingRelay

pytestmark = pytest.mark.claude

DUMP = 'if [ "$1" = -p ]; then env -0 > "$(mktemp {folder}/XXXXXX.env)"; fi\n'
EXEC = 'exec "$REAL" "$@"'
OURS = {
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_CUSTOM_HEADERS",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "CLAUDE_CODE_MAX_RETRIES",
    "CLAUDE_CONFIG_DIR",
    "DISABLE_AUTOUPDATER",
    "DISABLE_ERROR_REPORTING",
    "DISABLE_TELEMETRY",
    "HOME",
    "PATH",
    "RELIABILITY_TRIAL_ID",
    "TMPDIR",
}
SHELLS_OWN = {"PWD", "SHLVL", "_", "OLDPWD"}


def dumped(folder: Path) -> list[dict[str, str]]:
    """
    Return the environment of each CLI process that the wrapper has seen.
    """
    return [
        dict(pair.split("=", 1) for pair in file.read_text("utf-8").split("\0") if pair)
        for file in sorted(folder.glob("*.env"))
    ]


CREDENTIALS: list[dict[str, str]] = [
    {"ANTHROPIC_API_KEY": "key-of-the-test"},
    {"ANTHROPIC_AUTH_TOKEN": "token-of-the-test"},
    {"CLAUDE_CODE_OAUTH_TOKEN": "oauth-of-the-test"},
    {
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-test",
        "AWS_REGION": "us-east-1",
    },
    {
        "CLAUDE_CODE_USE_VERTEX": "1",
        "ANTHROPIC_VERTEX_PROJECT_ID": "project",
        "CLOUD_ML_REGION": "global",
        "GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/key.json",
    },
]


@pytest.mark.parametrize("given", CREDENTIALS, ids=lambda given: next(iter(given)))
def test_credentials_reach_the_cli_and_nothing_else_does(
    bench: Bench, given: dict[str, str]
) -> None:
    """
    The CLI's environment is what is on the list, the credentials, and ours.
    """
    noise = {
        "GITHUB_TOKEN": "t",
        "ACTIONS_RUNTIME_TOKEN": "t",
        "INPUT_AGENT": "x",
        "NPM_TOKEN": "t",
        "CLAUDECODE": "1",
        "CLAUDE_CODE_ENTRYPOINT": "cli",
        "CLAUDE_CODE_SESSION_ID": "s",
        "LD_PRELOAD": "",
        "DATABASE_URL": "d",
    }
    clouds = {"AWS_SESSION_TOKEN": "deploys", "GOOGLE_CLOUD_PROJECT": "p"}
    del bench.environ["ANTHROPIC_API_KEY"]
    bench.environ |= noise | given
    if not {"CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"} & set(given):
        bench.environ |= clouds
    bench.wrap_cli(DUMP.format(folder=bench.root) + EXEC)
    bench.run(Step(text="hello"), max_attempts="1", timeout="1.5")
    (seen,) = dumped(bench.root)

    assert OURS | set(given) == set(seen) - SHELLS_OWN
    assert given == {name: seen[name] for name in given}


def test_the_key_is_used_and_in_no_file_of_the_run(bench: Bench) -> None:
    """
    The API gets it; log, results and reports do not, though the answer repeats it.
    """
    key = bench.environ["ANTHROPIC_API_KEY"]
    outcome = bench.run(Step(text=f"hello, your key is {key}"))
    written = b"".join(
        file.read_bytes()
        for file in (bench.root / "results").rglob("*")
        if file.is_file()
    )

    assert key == outcome.relay.requests[0].headers["x-api-key"]
    assert key.encode() not in written


@pytest.mark.parametrize("folder", [".claude", "elsewhere"])
def test_the_login_of_a_person_is_lent(bench: Bench, folder: str) -> None:
    """
    Without a variable, the credentials file is copied from where that person has it.
    """
    del bench.environ["ANTHROPIC_API_KEY"]
    login = {
        "claudeAiOauth": {
            "accessToken": "access-of-the-test",
            "refreshToken": "refresh-of-the-test",
            "expiresAt": 4102444800000,
            "scopes": ["user:inference", "user:profile"],
            "subscriptionType": "max",
        }
    }
    place = bench.home / folder / ".credentials.json"
    place.parent.mkdir()
    place.write_text(json.dumps(login), encoding="utf-8")
    if folder != ".claude":
        bench.environ["CLAUDE_CONFIG_DIR"] = str(place.parent)
    outcome = bench.run(Step(text="hello"))

    assert "pass" == outcome.trial.outcome
    assert (
        "Bearer access-of-the-test"
        == outcome.relay.requests[0].headers["authorization"]
    )
    assert login == json.loads(place.read_text("utf-8"))


def test_each_trial_has_its_own_home_and_leaves_the_real_one_alone(
    bench: Bench,
) -> None:
    """
    HOME, CLAUDE_CONFIG_DIR and TMPDIR differ between trials, and are gone afterwards.
    """
    bench.wrap_cli(DUMP.format(folder=bench.root) + EXEC)
    outcome = bench.run(
        Step(text="hello", delay_s=0.3), loops="2", parallel="true", max_workers="2"
    )
    seen = dumped(bench.root)

    assert ["pass", "pass"] == [each.outcome for each in outcome.result.trials]
    for name in ("HOME", "CLAUDE_CONFIG_DIR", "TMPDIR", "RELIABILITY_TRIAL_ID"):
        values = {environ[name] for environ in seen}
        assert 2 == len(values)
        assert not any(os.path.exists(value) for value in values)  # noqa: PTH110 - a cookie is no path
    assert [] == list(bench.home.iterdir())


def test_no_more_clis_start_at_once_than_there_are_cores(bench: Bench) -> None:
    """
    The gate holds back starts, not waits: more calls are in flight than may start.
    """
    marks = bench.root / "marks"
    bench.wrap_cli(
        f'[ "$1" = -p ] || exec "$REAL" "$@"\necho start >> {marks}\n'
        '"$REAL" "$@" | while IFS= read -r line; do\n'
        f'case $line in *\'"subtype":"init"\'*) echo init >> {marks};; esac\n'
        'printf "%s\\n" "$line"\ndone'
    )
    outcome = bench.run(
        profile=Profile(latency_s=2.5, pass_rate=1, answer="hello"),
        loops="6",
        parallel="true",
        max_workers="6",
    )
    starting, most = 0, 0
    for mark in marks.read_text("utf-8").split():
        starting += 1 if mark == "start" else -1
        most = max(most, starting)

    assert ["pass"] * 6 == [each.outcome for each in outcome.result.trials]
    assert 0 == starting
    assert 1 <= most <= len(os.sched_getaffinity(0))
    assert outcome.stats.max_in_flight > most


def names_in(relay: RecordingRelay) -> set[tuple[str, str]]:
    """
    Return trial and attempt as the requests name them.
    """
    return {
        (
            asked.headers.get("x-reliability-trial", ""),
            asked.headers.get("x-reliability-attempt", ""),
        )
        for asked in relay.requests
    }


def test_trials_are_named_to_the_simulator_and_to_nobody_else(bench: Bench) -> None:
    """
    A real API, or a gateway in front of one, sees no header of ours.
    """
    named = bench.run(Step(status=500), Step(text="hello"))
    with bench.served(Profile(latency_s=0)) as (_, relay):
        relay.hides_server = True
        unnamed = bench.run(base_url=relay.url)

    assert {("1", "1"), ("1", "2")} == names_in(named.relay)
    assert not unnamed.result.simulated
    assert {("", "")} == names_in(relay)
    assert MODEL == relay.requests[0].body["model"]
