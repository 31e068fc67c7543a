"""
What children see of our environment.
"""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from fakes.runs import a_room
from hypothesis import given, strategies as st

from reliability.agents.base import Room
from reliability.agents.environment import (
    claude_environment,
    command_environment,
    has_bare_credentials,
    lend_login,
)

if TYPE_CHECKING:
    from pathlib import Path

ALWAYS = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "CLAUDE_CODE_MAX_RETRIES",
    "CLAUDE_CONFIG_DIR",
    "DISABLE_AUTOUPDATER",
    "DISABLE_ERROR_REPORTING",
    "DISABLE_TELEMETRY",
    "HOME",
    "TMPDIR",
}
BEDROCK = {"CLAUDE_CODE_USE_BEDROCK": "1"}
VERTEX = {"CLAUDE_CODE_USE_VERTEX": "true"}
FOUNDRY = {"CLAUDE_CODE_USE_FOUNDRY": "1"}


def passed(environ: dict[str, str], room: Path) -> dict[str, str]:
    """
    Return which of the given variables the CLI sees.
    """
    seen = claude_environment(environ, a_room(room))
    return {name: value for name, value in seen.items() if name not in ALWAYS}


@pytest.mark.parametrize(
    "name",
    """
    PATH LANG LC_ALL TZ HTTPS_PROXY no_proxy SSL_CERT_FILE NODE_EXTRA_CA_CERTS
    ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_BASE_URL ANTHROPIC_CUSTOM_HEADERS
    ANTHROPIC_MODEL CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_MAX_OUTPUT_TOKENS
    CLAUDE_CODE_USE_BEDROCK API_TIMEOUT_MS IS_SANDBOX MAX_THINKING_TOKENS
    """.split(),
)
def test_what_people_set_for_the_cli_reaches_it(tmp_path: Path, name: str) -> None:
    """
    With its value as it is.
    """
    assert {name: "a value"} == passed({name: "a value"}, tmp_path)


@pytest.mark.parametrize(
    "name",
    """
    GITHUB_TOKEN GH_TOKEN ACTIONS_RUNTIME_TOKEN ACTIONS_ID_TOKEN_REQUEST_TOKEN
    INPUT_AGENT RELIABILITY_AGENT RUNNER_TEMP NPM_TOKEN DATABASE_URL LD_PRELOAD
    PYTHONPATH NODE_OPTIONS CLAUDECODE CLAUDE_CODE_ENTRYPOINT CLAUDE_CODE_SSE_PORT
    CLAUDE_CODE_SESSION_ID CLAUDE_CODE_REMOTE CLAUDE_CODE_CHILD_SESSION
    CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    GOOGLE_APPLICATION_CREDENTIALS CLOUDSDK_CONFIG AZURE_CLIENT_SECRET
    """.split(),
)
def test_nothing_else_reaches_the_cli(tmp_path: Path, name: str) -> None:
    """
    Neither the job's powers nor a session's marks nor keys of a cloud not in use.
    """
    assert {} == passed({name: "a value"}, tmp_path)


@given(
    st.dictionaries(
        st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1, max_size=12).filter(
            lambda name: not name.startswith(("ANTHROPIC_", "CLAUDE_CODE_", "LC_"))
        ),
        st.text(max_size=5),
        max_size=6,
    )
)
def test_an_unknown_variable_never_passes(environ: dict[str, str]) -> None:
    """
    The list is one of what is allowed, not of what is forbidden.
    """
    import tempfile
    from pathlib import Path

    known = set("PATH LANG LANGUAGE TZ TERM USER LOGNAME SHELL".split())
    with tempfile.TemporaryDirectory() as room:
        environ.pop("HOME", None)

        assert set(passed(environ, Path(room))) <= known


@pytest.mark.parametrize(
    ("switch", "name"),
    [
        (BEDROCK, "AWS_SECRET_ACCESS_KEY"),
        (BEDROCK, "AWS_BEARER_TOKEN_BEDROCK"),
        (BEDROCK, "AWS_WEB_IDENTITY_TOKEN_FILE"),
        (VERTEX, "GOOGLE_APPLICATION_CREDENTIALS"),
        (VERTEX, "CLOUD_ML_REGION"),
        (VERTEX, "VERTEX_REGION_CLAUDE_OPUS"),
        (FOUNDRY, "AZURE_CLIENT_SECRET"),
    ],
)
def test_a_clouds_variables_pass_when_the_cli_uses_that_cloud(
    tmp_path: Path, switch: dict[str, str], name: str
) -> None:
    """
    And only then.
    """
    off = dict.fromkeys(switch, "0")

    assert {**switch, name: "v"} == passed({**switch, name: "v"}, tmp_path)
    assert off == passed({**off, name: "v"}, tmp_path)


@pytest.mark.parametrize(
    ("switch", "file", "name"),
    [
        (BEDROCK, ".aws/credentials", "AWS_SHARED_CREDENTIALS_FILE"),
        (BEDROCK, ".aws/config", "AWS_CONFIG_FILE"),
        (
            VERTEX,
            ".config/gcloud/application_default_credentials.json",
            "GOOGLE_APPLICATION_CREDENTIALS",
        ),
    ],
)
def test_a_clouds_files_are_found_though_home_is_another(
    tmp_path: Path, switch: dict[str, str], file: str, name: str
) -> None:
    """
    A variable names them, unless the user's own does already.
    """
    home = tmp_path / "home-of-a-person"
    (home / file).parent.mkdir(parents=True)
    (home / file).touch()
    environ = {"HOME": str(home), **switch}

    assert str(home / file) == claude_environment(environ, a_room(tmp_path))[name]
    assert (
        "mine" == claude_environment({**environ, name: "mine"}, a_room(tmp_path))[name]
    )
    assert name not in claude_environment({"HOME": str(home)}, a_room(tmp_path))


def test_the_folders_are_the_attempts_own(tmp_path: Path) -> None:
    """
    Whatever the user's are; nobody else can read them.
    """
    environ = {"HOME": "/root", "TMPDIR": "/tmp", "CLAUDE_CONFIG_DIR": "/etc"}
    seen = claude_environment(environ, a_room(tmp_path))

    assert (str(tmp_path / "home"), str(tmp_path / "tmp")) == (
        seen["HOME"],
        seen["TMPDIR"],
    )
    assert str(tmp_path / "claude") == seen["CLAUDE_CONFIG_DIR"]
    for folder in ("home", "tmp", "claude"):
        assert 0o700 == stat.S_IMODE((tmp_path / folder).stat().st_mode)


def test_retries_and_reporting_are_ours_to_decide(tmp_path: Path) -> None:
    """
    A user's variable does not bring the CLI's ten silent retries back.
    """
    given_by_user = {"CLAUDE_CODE_MAX_RETRIES": "10", "DISABLE_TELEMETRY": "0"}
    seen = claude_environment(given_by_user, a_room(tmp_path))

    assert ("1", "1") == (seen["CLAUDE_CODE_MAX_RETRIES"], seen["DISABLE_TELEMETRY"])


HARMLESS = {"PATH": "/bin", "LANG": "C", "TZ": "UTC", "https_proxy": "http://p"}
POWERS = """
    GITHUB_TOKEN GH_TOKEN GITHUB_ENV GITHUB_PATH GITHUB_OUTPUT GITHUB_STATE
    GITHUB_STEP_SUMMARY ACTIONS_RUNTIME_TOKEN ACTIONS_ID_TOKEN_REQUEST_TOKEN
    ACTIONS_RESULTS_URL INPUT_COMMAND RELIABILITY_LOOPS RUNNER_TEMP STATE_x
""".split()


def test_a_command_sees_what_is_harmless_and_no_more(tmp_path: Path) -> None:
    """
    An API key is nobody's business unless the user says so.
    """
    others = dict.fromkeys(["MY_API_KEY", "DATABASE_URL", "GITHUB_SHA", *POWERS], "x")
    seen = command_environment(HARMLESS | others, a_room(tmp_path))

    assert set(HARMLESS) | {"HOME", "TMPDIR"} == set(seen)


@pytest.mark.parametrize(
    ("pass_env", "passed_names"),
    [
        (["MY_KEY"], {"MY_KEY"}),
        (["MY_*"], {"MY_KEY", "MY_OTHER"}),
        (["MY_KEY", "GITHUB_*"], {"MY_KEY", "GITHUB_SHA"}),
        (["my_key", "NOT_THERE", "KEY*"], set()),
        (["MY"], set()),
    ],
)
def test_what_the_user_names_passes(
    pass_env: list[str], passed_names: set[str], tmp_path: Path
) -> None:
    """
    Exactly, or all that begin so; to both backends, with its value.
    """
    given_names = ("MY_KEY", "MY_OTHER", "GITHUB_SHA", "NPM_TOKEN")
    environ = HARMLESS | {name: f"value of {name}" for name in given_names}
    for seen in (
        command_environment(environ, a_room(tmp_path), pass_env),
        claude_environment(environ, a_room(tmp_path), pass_env),
    ):
        assert passed_names == set(given_names) & set(seen)
        assert all(seen[name] == f"value of {name}" for name in passed_names)


@given(st.lists(st.sampled_from([*POWERS, "G*", "A*", "I*", "R*", "S*", "GITHUB_*"])))
def test_the_jobs_powers_never_pass(pass_env: list[str]) -> None:
    """
    Neither by name nor by a star does an agent get what it could act with as the job.
    """
    import tempfile
    from pathlib import Path

    environ = HARMLESS | dict.fromkeys(POWERS, "power")
    with tempfile.TemporaryDirectory() as folder:
        room = a_room(Path(folder))
        for seen in (
            command_environment(environ, room, pass_env),
            claude_environment(environ, room, pass_env),
        ):
            assert set() == set(POWERS) & set(seen)


def test_another_user_is_told_its_own_name(tmp_path: Path) -> None:
    """
    USER and LOGNAME are whom the processes run as, not whom we do.
    """
    environ = HARMLESS | {"USER": "root", "LOGNAME": "root"}
    room = Room(home=tmp_path, workspace=tmp_path, uid=12345)
    seen = command_environment(environ, room)

    assert ("12345", "12345") == (seen["USER"], seen["LOGNAME"])


@pytest.mark.parametrize(
    ("environ", "has"),
    [
        ({}, False),
        ({"ANTHROPIC_API_KEY": ""}, False),
        ({"ANTHROPIC_API_KEY": "k"}, True),
        ({"ANTHROPIC_AUTH_TOKEN": "t"}, True),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t"}, False),
        (BEDROCK, True),
        (VERTEX, True),
        (FOUNDRY, True),
        ({"CLAUDE_CODE_USE_BEDROCK": "false"}, False),
    ],
)
def test_bare_credentials_are_told_from_a_login(
    environ: dict[str, str], *, has: bool
) -> None:
    """
    A switch that says no is no credential.
    """
    assert has == has_bare_credentials(environ)


def log_in(folder: Path) -> str:
    """
    Put a login into a config folder; return its text.
    """
    folder.mkdir(parents=True)
    text = json.dumps({"claudeAiOauth": {"accessToken": "a"}})
    (folder / ".credentials.json").write_text(text, encoding="utf-8")
    return text


def test_a_login_is_copied_for_nobody_else_to_read(tmp_path: Path) -> None:
    """
    From the real home into the attempt's own folder.
    """
    text = log_in(tmp_path / "me" / ".claude")
    lend_login({"HOME": str(tmp_path / "me")}, a_room(tmp_path / "room"))
    copy = tmp_path / "room" / "claude" / ".credentials.json"

    assert text == copy.read_text("utf-8")
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)


def test_a_login_is_found_where_the_user_has_it(tmp_path: Path) -> None:
    """
    CLAUDE_CONFIG_DIR wins over the home.
    """
    log_in(tmp_path / "me" / ".claude")
    environ = {
        "HOME": str(tmp_path / "me"),
        "CLAUDE_CONFIG_DIR": str(tmp_path / "elsewhere"),
    }
    lend_login(environ, a_room(tmp_path / "room"))

    assert [] == list((tmp_path / "room").iterdir())

    text = log_in(tmp_path / "elsewhere")
    lend_login(environ, a_room(tmp_path / "room"))

    copy = tmp_path / "room" / "claude" / ".credentials.json"

    assert text == copy.read_text("utf-8")


@pytest.mark.parametrize(
    "credentials",
    [{"ANTHROPIC_API_KEY": "k"}, {"CLAUDE_CODE_OAUTH_TOKEN": "t"}, BEDROCK],
)
def test_no_login_is_lent_beside_other_credentials(
    tmp_path: Path, credentials: dict[str, str]
) -> None:
    """
    What is not needed is not handed out.
    """
    log_in(tmp_path / "me" / ".claude")
    lend_login({"HOME": str(tmp_path / "me"), **credentials}, a_room(tmp_path / "room"))

    assert [] == list((tmp_path / "room").iterdir())


@pytest.mark.parametrize("home", [None, "", "/nowhere"])
def test_nobody_logged_in_is_no_error(tmp_path: Path, home: str | None) -> None:
    """
    The CLI itself says so then.
    """
    lend_login({} if home is None else {"HOME": home}, a_room(tmp_path / "room"))

    assert [] == list((tmp_path / "room").iterdir())
