"""
The JSON Schema of suite files, made of the same declarations that they are read by.

Editors complete and explain keys with it. It knows what each option and check takes; it
does not know what only the reading finds, such as a name that stands twice or a file
that is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reliability.suites.parameters import parameters_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.suites.parameters import Parameters

_BESIDE: dict[str, Any] = {
    "weight": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1_000_000,
        "description": "What it weighs among the checks of its case. Default: 1.",
    },
    "required": {
        "type": "boolean",
        "description": "The trial fails when this check does, whatever the mean is.",
    },
}


def json_schema() -> dict[str, Any]:
    """
    Return the schema, draft 2020-12, with the kinds of check that there are.

    Raises:
        UsageError: when an installed package's check cannot be loaded.
    """
    from reliability.checks.registry import check_classes
    from reliability.suites.shape import suite_model

    classes: Mapping[str, type] = check_classes()
    schema: dict[str, Any] = _tidy(suite_model().model_json_schema(by_alias=True))
    defs = schema.setdefault("$defs", {})
    kinds = {kind: _kind(parameters_of(one), defs) for kind, one in classes.items()}
    defs["Check"] = _item(kinds, {})
    defs["WeighedCheck"] = _item(kinds, _BESIDE)
    item = {"$ref": "#/$defs/WeighedCheck"}
    defs["Case"]["properties"]["checks"]["items"] = item
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Suite of reliability, version 1",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _item(kinds: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the schema of a mapping with exactly one kind of check.
    """
    return {
        "type": "object",
        "description": "One check, by its kind.",
        "properties": {**kinds, **beside},
        "additionalProperties": False,
        "oneOf": [{"required": [kind]} for kind in kinds],
    }


def _kind(known: Parameters, defs: dict[str, Any]) -> dict[str, Any]:
    """
    Return the schema of a check's parameters, in both forms.
    """
    whole = _tidy(known.model.model_json_schema(by_alias=True))
    defs |= whole.pop("$defs", {})
    whole.pop("description", None)
    for key, how in known.nested.items():
        whole["properties"][key] |= _nested(how)
    forms = [whole]
    short = whole["properties"].get(known.short)
    if short is not None:
        forms.insert(0, {k: v for k, v in short.items() if k != "description"})
    for key in known.required:
        if f"{key}-file" in known.keys:
            choice = [{"required": [key]}, {"required": [f"{key}-file"]}]
            whole["oneOf"] = choice
    if not known.required:
        forms.append({"type": "null"})
    return {"description": known.help, "anyOf": forms}


def _nested(how: str) -> dict[str, Any]:
    """
    Return the schema of the checks inside a check.
    """
    one = {"$ref": f"#/$defs/{'WeighedCheck' if how == 'weighed' else 'Check'}"}
    if how == "member":
        return one
    return {"type": "array", "items": one, "minItems": 1}


def _tidy(value: Any, *, are_names: bool = False) -> Any:
    """
    Leave out pydantic's titles and empty defaults, which explain nothing.

    Args:
        are_names: The keys are names of properties, not words of JSON Schema.
    """
    if isinstance(value, list):
        return [_tidy(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, one in value.items():
        if not are_names and (
            key == "title" or (key == "default" and one in (None, [], {}, ""))
        ):
            continue
        is_map = not are_names and key in {"properties", "$defs"}
        kept[key] = _tidy(one, are_names=is_map)
    if not are_names and "patternProperties" in kept:
        kept["additionalProperties"] = False
    if set(kept) >= {"anyOf"} and {"type": "null"} in kept["anyOf"]:
        rest = [one for one in kept["anyOf"] if one != {"type": "null"}]
        if len(rest) == 1:
            del kept["anyOf"]
            kept = {**rest[0], **kept}
        else:
            kept["anyOf"] = rest
    return kept
