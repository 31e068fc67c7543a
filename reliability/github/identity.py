"""
Who we are to the artifact service, and a name that nobody else gives.

Both come from the environment of the step: the ids from the runtime token, the name
from those and from what GitHub calls job, attempt and step.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCOPE = "Actions.Results"
_NOT_SLUG = re.compile(r"[^A-Za-z0-9_.-]+")
_PART_WIDTH = 60  # four parts stay below every file system's limit for a name


class TokenError(ValueError):
    """
    The runtime token does not say whose artifacts it is for; never quotes it.
    """


def default_name(environ: Mapping[str, str], *, base: str) -> str:
    """
    Return a name that no other job, matrix leg, attempt or step of the run gives.

    The legs of a matrix share every variable; only the job id inside the token tells
    them apart, so the eight hex digits stand for it and for all the other parts.
    """
    try:
        job_id = backend_ids(environ.get("ACTIONS_RUNTIME_TOKEN", ""))[1]
    except TokenError:
        job_id = ""
    job = environ.get("GITHUB_JOB", "")
    attempt = environ.get("GITHUB_RUN_ATTEMPT", "")
    action = environ.get("GITHUB_ACTION", "")
    whole = json.dumps([base, job, attempt, action, job_id])
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    parts = [_slug(base), _slug(job), _slug(attempt), digest, _slug(action)]
    return "-".join(part for part in parts if part)


def backend_ids(token: str) -> tuple[str, str]:
    """
    Return the backend ids of workflow run and job from the runtime token.

    The token is a JWT whose signature is the service's business, not ours. Source:
    actions/toolkit, `packages/artifact/src/internal/shared/util.ts`.

    Raises:
        TokenError: when it is no such token; says what is wrong with it.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError(f"it has {len(parts)} parts, not the 3 of a JWT")
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise TokenError("its payload is not JSON in base64url") from None
    scopes = claims.get("scp") if isinstance(claims, dict) else None
    if not isinstance(scopes, str):
        raise TokenError("its payload has no claim scp")
    for scope in scopes.split(" "):
        name, *ids = scope.split(":")
        if name == _SCOPE:
            if len(ids) != 2 or not all(ids):
                raise TokenError(f"its scope {_SCOPE} does not name run and job")
            return ids[0], ids[1]
    raise TokenError(f"it has no scope {_SCOPE}")


def _slug(text: str) -> str:
    """
    Keep what every name and file system allows.
    """
    return _NOT_SLUG.sub("-", text).strip("-.")[:_PART_WIDTH]
