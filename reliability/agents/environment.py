"""
What a child may see of our environment.

The Claude Code CLI gets an allow-list: the credentials that people use for it and
little else. A cloud's variables are among them only when the CLI is told to reach its
models through that cloud: a job's keys for deployment are none of an agent's business.
A command agent keeps the user's environment, since the program is the user's own, less
everything with which it could act as this job: runtime tokens, the job's token, the
action's inputs and the runner's files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def command_environment(environ: Mapping[str, str], room: Path) -> dict[str, str]:
    """
    Return what a command agent sees: *environ* less this job's powers, HOME in *room*.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _JOB_NAMES and not name.startswith(_JOB_PREFIXES)
    }
    return kept | _own_folders(room)


def claude_environment(environ: Mapping[str, str], room: Path) -> dict[str, str]:
    """
    Return what the Claude Code CLI sees: credentials as people have them, own HOME.

    Cloud credentials that live in files under the real HOME are named by their
    variables, so that they are found although HOME is in *room*.
    """
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
    }
    folders = _own_folders(room)
    folders["CLAUDE_CONFIG_DIR"] = str(Path(folders["HOME"]) / ".claude")
    return places | kept | _QUIET_CLAUDE | folders


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


def lend_login(environ: Mapping[str, str], config_folder: Path) -> None:
    """
    Copy the login of a person at a terminal into the attempt's own *config_folder*.

    Nothing is done when a variable carries credentials, or when nobody is logged in.
    """
    if has_bare_credentials(environ) or environ.get(_OAUTH_TOKEN):
        return
    login = _login_file(environ)
    if login.is_file():
        config_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = config_folder / login.name
        copy.touch(mode=0o600)
        copy.write_bytes(login.read_bytes())


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


def _own_folders(room: Path) -> dict[str, str]:
    folders = {"HOME": room / "home", "TMPDIR": room / "tmp"}
    for folder in folders.values():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {name: str(folder) for name, folder in folders.items()}
