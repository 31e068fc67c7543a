"""
The program of a helper process: user patterns and hostile JSON, away from our threads.

Started by path and on its own, with the folder of the libraries as its argument: it
imports nothing of this package. A request is one
line of JSON on standard input, its reply one line on standard output, until the input
ends. Before each request the kernel is told to kill the process a second after the
request's limit, so that none burns on when whoever asked was killed.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys
from functools import lru_cache
from typing import Any

MEMORY_CAP_BYTES = 1024 * 1024 * 1024
_GRACE_S = 1.0


def main() -> None:
    """
    Serve requests until standard input ends.
    """
    sys.path.append(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_CAP_BYTES, MEMORY_CAP_BYTES))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks.
    for line in sys.stdin.buffer:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, request["timeout_s"] + _GRACE_S)
        try:
            reply = {"reply": _WORK[request["work"]](request)}
        except MemoryError:
            reply = {"error": "it needs more memory than it may have"}
        except RecursionError:
            reply = {"error": "it is nested too deeply"}
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            reply = {"error": f"{type(error).__name__}: {error}"[:500]}
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout.write(f"{json.dumps(reply)}\n")
        sys.stdout.flush()


def _search(request: dict[str, Any]) -> bool:
    return re.search(request["pattern"], request["text"]) is not None


def _check_json(request: dict[str, Any]) -> str:
    """
    Return what is wrong with a JSON text; empty when nothing is.
    """
    try:
        value = json.loads(_unfenced(request["text"]))
    except (ValueError, RecursionError) as error:
        return f"an answer that is JSON ({error or 'nested too deeply'})"
    if request.get("schema") is not None:
        problem = _schema_problem(json.dumps(request["schema"]), value)
        if problem:
            return f"JSON that fits the schema ({problem})"
    if request.get("path") is None:
        return ""
    return _path_problem(request, value)


def _unfenced(text: str) -> str:
    """
    Return the inside of an answer that is one fenced block, as models like to write.
    """
    match = re.fullmatch(r"\s*```[a-zA-Z]*\n(.*)\n```\s*", text, re.DOTALL)
    return match.group(1) if match else text


@lru_cache(maxsize=32)
def _validator(schema: str) -> Any:
    from jsonschema.validators import Draft202012Validator, validator_for

    value = json.loads(schema)
    return validator_for(value, default=Draft202012Validator)(value)


def _schema_problem(schema: str, value: object) -> str:
    from jsonschema.exceptions import best_match

    error = best_match(_validator(schema).iter_errors(value))
    if error is None:
        return ""
    return f"at {error.json_path}: {error.message}"[:400]


def _path_problem(request: dict[str, Any], value: Any) -> str:
    import jsonpath

    path = request["path"]
    found = jsonpath.findall(path, value)
    if not found:
        return f"JSON with something at {path}"
    if "equals" in request and request["equals"] not in found:
        got = json.dumps(found[0] if len(found) == 1 else found)[:200]
        return f"{json.dumps(request['equals'])} at {path}, found {got}"
    return ""


_WORK = {"search": _search, "json": _check_json}


if __name__ == "__main__":
    main()
