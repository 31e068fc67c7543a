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
_DEEP = 100
_TOO_DEEP = "an answer that is JSON and not nested too deeply"


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
        value = json.loads(_unfenced(request["text"]), parse_constant=_refuse)
    except RecursionError:
        return _TOO_DEEP
    except ValueError as error:
        return f"an answer that is JSON ({error})"
    try:
        return _problem(request, value)
    except RecursionError:
        if _is_deep(value):
            return _TOO_DEEP
        raise


def _problem(request: dict[str, Any], value: Any) -> str:
    if request.get("schema") is not None:
        problem = _schema_problem(json.dumps(request["schema"]), value)
        if problem:
            return f"JSON that fits the schema ({problem})"
    if request.get("path") is None:
        return ""
    return _path_problem(request, value)


def _is_deep(value: Any) -> bool:
    """
    Tell whether an answer is nested deeper than any that a person would ask for.
    """
    level = [value]
    for _ in range(_DEEP):
        inner = [one for one in level if isinstance(one, dict | list)]
        level = [
            item
            for one in inner
            for item in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


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
    kind = validator_for(value, default=Draft202012Validator)
    # Without a registry of its own it would fetch what a `$ref` names.
    return kind(value, registry=_offline())


def _offline() -> Any:
    """
    Return a registry that knows the published drafts and fetches nothing.
    """
    from jsonschema import validators

    published: Any = validators
    return published.SPECIFICATIONS


def _find_fault(request: dict[str, Any]) -> str:
    """
    Return what is wrong with a schema or a path; empty when nothing is.
    """
    schema, path = request.get("schema"), request.get("path")
    fault = "" if schema is None else _schema_fault(schema)
    if fault or path is None:
        return fault
    import jsonpath

    try:
        jsonpath.compile(path)
    except (jsonpath.JSONPathError, RecursionError) as error:
        said = str(error).partition("\n")[0] or "it is nested too deeply"
        return f"the path is no JSONPath: {said}"
    return ""


def _schema_fault(schema: Any) -> str:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for

    named = schema.get("$schema", "") if isinstance(schema, dict) else ""
    none: Any = None
    if not isinstance(named, str) or (named and validator_for(schema, none) is none):
        return f"the schema is of an unknown draft: $schema is {named!r:.200}"
    try:
        validator = _validator(json.dumps(schema))
        validator.check_schema(schema)
        fault = _reference_fault(validator)
        if not fault:
            samples: tuple[Any, ...] = (None, 0, "", [], {})
            for value in samples:
                validator.is_valid(value)
    except SchemaError as error:
        return f"the schema is no JSON Schema: at {error.json_path}: {error.message}"
    except RecursionError:
        return "the schema is nested too deeply, or refers to itself without end"
    return fault


def _reference_fault(validator: Any) -> str:
    """
    Return which reference leads nowhere; all that can be reached are followed.
    """
    from jsonschema import validators

    referencing = vars(validators)["referencing"]
    specification = referencing.jsonschema.specification_with(
        validator.META_SCHEMA.get("$schema") or validator.META_SCHEMA["id"]
    )
    top = specification.create_resource(validator.schema)
    todo = [(top, _offline().resolver_with_root(top))]
    seen: set[int] = set()
    while todo:
        resource, resolver = todo.pop()
        inside = resource.contents
        if id(inside) in seen:
            continue
        seen.add(id(inside))
        words = inside if isinstance(inside, dict) else {}
        for word in ("$ref", "$dynamicRef"):
            if not isinstance(words.get(word), str):
                continue
            try:
                found = resolver.lookup(words[word])
            except referencing.exceptions.Unresolvable:
                what = f"{word} {words[word]!r:.200}"
                return f"the schema's {what} is not in it, and nothing is fetched"
            todo.append((specification.create_resource(found.contents), found.resolver))
        todo += ((sub, resolver.in_subresource(sub)) for sub in resource.subresources())
    return ""


def _schema_problem(schema: str, value: object) -> str:
    from jsonschema.exceptions import best_match

    error = best_match(_validator(schema).iter_errors(value))
    if error is None:
        return ""
    return _beginning(f"at {error.json_path}: {error.message}", 400)


def _path_problem(request: dict[str, Any], value: Any) -> str:
    import jsonpath

    path = request["path"]
    # The library would take a text for JSON to be parsed.
    found = jsonpath.findall(path, json.dumps(value) if _is_text(value) else value)
    if not found:
        return f"JSON with something at {path}"
    if "equals" in request and not any(
        _is_same(request["equals"], one) for one in found
    ):
        got = _beginning(json.dumps(found[0] if len(found) == 1 else found), 200)
        return f"{json.dumps(request['equals'])} at {path}, found {got}"
    return ""


def _beginning(text: str, most: int) -> str:
    """
    Return a text, cut at a blank or a quote: half a secret could not be recognised.
    """
    if len(text) <= most:
        return text
    ends = [match.start() for match in re.finditer(r"[\s\"]", text[: most + 1])]
    return f"{text[: ends[-1] if ends else most]}..."


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_same(one: Any, other: Any) -> bool:
    """
    Compare as JSON does: true is no 1, while 1.0 is.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _is_same(value, other[name]) for name, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


_WORK = {"search": _search, "json": _check_json, "find-fault": _find_fault}


if __name__ == "__main__":
    main()
