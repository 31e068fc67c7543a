"""
What a child may see of our environment.

An allow-list: what is harmless, what `pass-env` names, and folders of the attempt's
own. The Claude Code CLI gets the credentials that people use for it as well. A cloud's
variables are among them only when the CLI is told to reach its models through that
cloud: a job's keys for deployment are none of an agent's business. A program of the
user's gets no credential unless `pass-env` names it.

Whatever `pass-env` says, nothing passes with which an agent could act as this job:
runtime tokens, the job's token, the action's inputs and the runner's files.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reliability.agents.base import Room

_BASICS = frozenset(
    """
    PATH LANG LANGUAGE LC_ALL LC_CTYPE TZ TERM USER LOGNAME SHELL
    HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy
    SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE
    """.split()
)
_CLAUDE_PREFIXES = ("ANTHROPIC_", "CLAUDE_CODE_")
_CLAUDE_NAMES = frozenset(
    """
    IS_SANDBOX API_TIMEOUT_MS BASH_DEFAULT_TIMEOUT_MS BASH_MAX_TIMEOUT_MS
    MAX_THINKING_TOKENS MAX_MCP_OUTPUT_TOKENS MCP_TIMEOUT
    """.split()
)
# Marks of a session that may have started us: they would make ours a part of it.
_CLAUDE_NEVER = tuple(
    f"CLAUDE_CODE_{word}"
    for word in """
    BRIDGE CHILD ENTRYPOINT LAUNCHED_BY REMOTE SESSION SSE_PORT USER_DELEGATED
    """.split()
)
# The variables of a cloud, by the switches that make the CLI use it.
_CLOUDS = (
    (
        ("BEDROCK", "MANTLE", "ANTHROPIC_AWS"),
        ("AWS_",),
        (
            ("AWS_CONFIG_FILE", ".aws/config"),
            ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
        ),
    ),
    (
        ("VERTEX", "ANTHROPIC_GOOGLE_CLOUD"),
        ("GOOGLE_", "CLOUDSDK_", "GCLOUD_", "CLOUD_ML_REGION", "VERTEX_REGION_"),
        (
            ("CLOUDSDK_CONFIG", ".config/gcloud"),
            (
                "GOOGLE_APPLICATION_CREDENTIALS",
                ".config/gcloud/application_default_credentials.json",
            ),
        ),
    ),
    (("FOUNDRY",), ("AZURE_",), ()),
)
_SWITCH = "CLAUDE_CODE_USE_"
_OFF = frozenset({"", "0", "false", "no", "off"})
# Variables that name a file which a child must be able to read.
_FILES = frozenset(
    """
    AWS_CONFIG_FILE AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_SHARED_CREDENTIALS_FILE
    AWS_WEB_IDENTITY_TOKEN_FILE AZURE_CLIENT_CERTIFICATE_PATH AZURE_FEDERATED_TOKEN_FILE
    CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE CLOUDSDK_CONFIG
    GOOGLE_APPLICATION_CREDENTIALS
    NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE SSL_CERT_FILE
    """.split()
)
_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
_OAUTH_TOKEN = "CLAUDE_CODE_OAUTH_TOKEN"  # noqa: S105 - a variable's name
CREDENTIALS_REMEDY = f"give {_KEYS[0]} or {_OAUTH_TOKEN}"
"""What to do when the Claude Code CLI has no credentials that work."""

_JOB_PREFIXES = ("ACTIONS_", "INPUT_", "RELIABILITY_", "STATE_", "RUNNER_")
_JOB_NAMES = frozenset(
    """
    GITHUB_TOKEN GH_TOKEN GITHUB_ENV GITHUB_PATH GITHUB_OUTPUT GITHUB_STATE
    GITHUB_STEP_SUMMARY GITHUB_ARTIFACTS
    """.split()
)

_QUIET_CLAUDE = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # Retries are ours; one is left to it, since only its announcement of a retry tells
    # how long the service asks to wait.
    "CLAUDE_CODE_MAX_RETRIES": "1",
}


def command_environment(
    environ: Mapping[str, str], room: Room, pass_env: Collection[str] = ()
) -> dict[str, str]:
    """
    Return what a program of the user's sees: the basics and what *pass_env* names.

    Args:
        pass_env: Names of variables; one that ends in `*` is for all that begin so.
    """
    return _passed_to_command(environ, pass_env) | _own(room)


def claude_environment(
    environ: Mapping[str, str], room: Room, pass_env: Collection[str] = ()
) -> dict[str, str]:
    """
    Return what the Claude Code CLI sees: credentials as people have them, own HOME.

    Cloud credentials that live in files under the real HOME are named by their
    variables, so that they are found although HOME is in *room*.

    Args:
        pass_env: More names; one that ends in `*` is for all that begin so.
    """
    passed = _passed_to_claude(environ, pass_env)
    config = {"CLAUDE_CONFIG_DIR": str(_config_folder(room))}
    room.make_folder(_config_folder(room))
    return passed | _QUIET_CLAUDE | _own(room) | config


def passed_files(
    environ: Mapping[str, str], pass_env: Collection[str] = (), *, claude: bool
) -> dict[str, Path]:
    """
    Return the files of credentials and certificates that a child's variables name.

    Args:
        claude: The child is the Claude Code CLI, else a program of the user's.
    """
    choose = _passed_to_claude if claude else _passed_to_command
    passed = choose(environ, pass_env)
    return {name: Path(value) for name, value in passed.items() if name in _FILES}


def _passed_to_command(
    environ: Mapping[str, str], pass_env: Collection[str]
) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name in _BASICS or _is_named(name, pass_env)
    }


def _passed_to_claude(
    environ: Mapping[str, str], pass_env: Collection[str]
) -> dict[str, str]:
    home = Path(environ.get("HOME") or os.devnull)
    prefixes = list(_CLAUDE_PREFIXES)
    places: dict[str, str] = {}
    for switches, cloud_prefixes, files in _CLOUDS:
        if _is_on(environ, switches):
            prefixes += cloud_prefixes
            places |= {
                name: str(home / path) for name, path in files if (home / path).exists()
            }
    kept = {
        name: value
        for name, value in environ.items()
        if name in _BASICS
        or name in _CLAUDE_NAMES
        or (name.startswith(tuple(prefixes)) and not _is_session_mark(name))
        or _is_named(name, pass_env)
    }
    return places | kept


def has_bare_credentials(environ: Mapping[str, str]) -> bool:
    """
    Tell whether a variable carries credentials that the CLI reads even with `--bare`.
    """
    switches = [switch for names, _, _ in _CLOUDS for switch in names]
    return any(environ.get(name) for name in _KEYS) or _is_on(environ, switches)


def has_credentials(environ: Mapping[str, str]) -> bool:
    """
    Tell whether the CLI has any credentials: of a variable, or a person's login.
    """
    if has_bare_credentials(environ) or environ.get(_OAUTH_TOKEN):
        return True
    return _login_file(environ).is_file()


def lend_login(environ: Mapping[str, str], room: Room) -> None:
    """
    Copy the login of a person at a terminal into the attempt's own folder.

    Nothing is done when a variable carries credentials, or when nobody is logged in.
    """
    if has_bare_credentials(environ) or environ.get(_OAUTH_TOKEN):
        return
    login = _login_file(environ)
    if login.is_file():
        folder = _config_folder(room)
        # Given away only when the file is in it: see Room.write_file.
        folder.mkdir(mode=0o700)
        room.write_file(folder / login.name, login.read_bytes())
        room.give(folder)


def _config_folder(room: Room) -> Path:
    return room.home / "claude"


def _login_file(environ: Mapping[str, str]) -> Path:
    """
    Return where the CLI keeps the login of the person whose environment this is.
    """
    home = environ.get("HOME") or os.devnull
    folder = Path(environ.get("CLAUDE_CONFIG_DIR") or Path(home) / ".claude")
    return folder / ".credentials.json"


def _is_on(environ: Mapping[str, str], switches: tuple[str, ...] | list[str]) -> bool:
    return any(
        environ.get(f"{_SWITCH}{switch}", "").lower() not in _OFF for switch in switches
    )


def _is_session_mark(name: str) -> bool:
    # A file descriptor's number means nothing in a child that does not inherit it.
    return name.startswith(_CLAUDE_NEVER) or name.endswith("_FILE_DESCRIPTOR")


def _is_named(name: str, pass_env: Collection[str]) -> bool:
    """
    Tell whether `pass-env` lets a variable pass; what is the job's own never does.
    """
    if name in _JOB_NAMES or name.startswith(_JOB_PREFIXES):
        return False
    return name in pass_env or any(
        given.endswith("*") and name.startswith(given[:-1]) for given in pass_env
    )


def _own(room: Room) -> dict[str, str]:
    """
    Return what names the attempt's own folders, which are made, and its user.
    """
    folders = {"HOME": room.home / "home", "TMPDIR": room.home / "tmp"}
    for folder in folders.values():
        room.make_folder(folder)
    own = {name: str(folder) for name, folder in folders.items()}
    if room.uid is not None:
        own |= dict.fromkeys(("USER", "LOGNAME"), _name_of(room.uid))
    return own


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
