"""
The structure of a suite file, as pydantic models.

They say which keys there are and what stands where. Values that have a meaning
elsewhere are let through: options are checked by their own parsers, checks by their
classes. The published JSON Schema is made of these models, with both filled in.

Whoever imports this loads pydantic.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    create_model,
)

from reliability.suites import forms
from reliability.suites.whole import MAX_CASES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.options import Option

MOST_CHECKS = 100
NAME_PATTERN = r"^[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]*$"


def kebab(name: str) -> str:
    """
    Return a field's name as the file has it.
    """
    return name.replace("_", "-")


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=100)]
Names = Annotated[
    list[Name],
    Field(min_length=1),
    BeforeValidator(_one_or_more),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]
VariableName = Annotated[str, StringConstraints(pattern=VARIABLE_PATTERN)]
# Numbers and truth values are taken as they are written.
Value = Annotated[Any, WithJsonSchema({"type": ["string", "number", "boolean"]})]
Variables = dict[VariableName, Value]


class Part(BaseModel):
    """
    Part of a suite file: strict, and closed to keys that nobody knows.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=kebab,
        allow_inf_nan=False,
    )


class WorkspacePart(Part):
    """
    What the agent's folder is made from.
    """

    folder: str | None = Field(
        None, description="Folder to copy, relative to this file.", min_length=1
    )
    ref: Annotated[str, StringConstraints(pattern=r"^[^\s-][^\s]*$|^$")] = Field(
        "", description="Commit, branch or tag of the folder's repository."
    )


class MatrixPart(Part):
    """
    Each case is run for each combination of these.
    """

    agent: Annotated[list[Name], Field(min_length=1)] = Field(
        default=[], description="Names of agents."
    )
    model: Annotated[list[Name], Field(min_length=1)] = Field(
        default=[], description="Names of models."
    )
    vars: dict[VariableName, Annotated[list[Value], Field(min_length=1)]] = Field(
        default={}, description="Values of each variable."
    )


PassMark = Annotated[float, Field(gt=0, le=1)]
_MARK_HELP = "Weighted mean score from which a trial passes; 1: every check must pass."


class DefaultsPart(Part):
    """
    What every case has that does not say otherwise.
    """

    vars: Variables = Field(default={}, description="Values for {{NAME}} in prompts.")
    workspace: WorkspacePart | None = None
    pass_mark: PassMark = Field(1.0, description=_MARK_HELP)


class AgentPart(Part):
    """
    One agent: its options.
    """


class JudgePart(Part):
    """
    The model that judges ask.
    """


class CasePart(Part):
    """
    One prompt and the checks that its answer must pass.
    """

    name: Name = Field(description="Unique name; a matrix adds its values.")
    agent: Names | None = Field(
        None, description="Name of an agent, or several: the case is run for each."
    )
    vars: Variables = Field(
        default={}, description="Values for {{NAME}} in the prompt."
    )
    workspace: WorkspacePart | None = None
    checks: Annotated[list[Any], Field(min_length=1, max_length=MOST_CHECKS)] = Field(
        default=[], description="What the answer must pass."
    )
    pass_mark: PassMark = Field(1.0, description=_MARK_HELP)
    tags: list[Name] = Field(default=[], description="Words to select cases by.")
    matrix: MatrixPart | None = None


def _with(base: type[Part], options: Mapping[str, Option]) -> type[Part]:
    """
    Return a part that takes options too; their values are checked elsewhere.
    """
    fields: dict[str, Any] = {
        option.field: (
            Annotated[Any, WithJsonSchema(forms.json_form(option))],
            Field(None, alias=option.name),
        )
        for option in options.values()
    }
    return create_model(
        base.__name__.removesuffix("Part"),
        __base__=base,
        __doc__=base.__doc__,
        **fields,
    )


@cache
def parts() -> dict[str, type[Part]]:
    """
    Return the models of what takes options, by the key below which they stand.
    """
    return {
        "cases": _with(CasePart, forms.CASE_OPTIONS),
        "defaults": _with(DefaultsPart, forms.DEFAULT_OPTIONS),
        "agents": _with(AgentPart, forms.AGENT_OPTIONS),
        "judge": _with(JudgePart, forms.JUDGE_OPTIONS),
    }


@cache
def suite_model() -> type[Part]:
    """
    Return the model of a whole file.
    """
    case, defaults = parts()["cases"], parts()["defaults"]
    agent, judge = parts()["agents"], parts()["judge"]
    fields: dict[str, Any] = {
        "version": (Literal[1], Field(description="Version of the form of this file.")),
        "defaults": (defaults | None, Field(None)),
        "agents": (
            dict[Name, agent],  # type: ignore[valid-type]
            Field({}, description="Agents by name: the options of each."),
        ),
        "judge": (judge | None, Field(None)),
        "matrix": (MatrixPart | None, Field(None)),
        "cases": (
            list[case],  # type: ignore[valid-type]
            Field(min_length=1, max_length=MAX_CASES, description="The cases."),
        ),
    }
    return create_model(
        "Suite",
        __base__=Part,
        __doc__="Cases that an agent's reliability is measured by.",
        **fields,
    )


def keys_of(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """
    Return the keys that a mapping at a place of the file may have; empty for any.
    """
    match [str(key) for key in path]:
        case []:
            part = suite_model()
        case ["cases" | "agents" as key, _] | ["defaults" | "judge" as key]:
            part = parts()[key]
        case [*_, "matrix"]:
            part = MatrixPart
        case [*_, "workspace"]:
            part = WorkspacePart
        case _:
            return ()
    return tuple(field.alias or name for name, field in part.model_fields.items())
