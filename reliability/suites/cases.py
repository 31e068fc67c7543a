"""
From the cases of the file to those of a run: every matrix, expanded.

The names of what varies stand in the names of the cases, as in `greets [model=x]`, so
that whoever reads a list of them sees the matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.suites.combination import Combination
from reliability.suites.layers import Said, merged, read_prompt
from reliability.suites.matrix import matrix_of
from reliability.suites.variables import names_in
from reliability.suites.whole import MAX_CASES, MAX_TRIALS

if TYPE_CHECKING:
    from reliability.suite import Case
    from reliability.suites.layers import Layer
    from reliability.suites.matrix import Matrix
    from reliability.suites.nodes import Node
    from reliability.suites.problems import Path
    from reliability.suites.whole import Whole


def expand(whole: Whole, layers: list[Layer]) -> list[Case]:
    """
    Return the cases of the run; what is wrong is noted.

    Args:
        layers: What each case of the file says of options.
    """
    cases: dict[str, Case] = {}
    planned = 0
    common = ("defaults", "matrix", "agents", "version")
    if any(whole.problems.are_under((key,)) for key in common):
        return []
    for index, layer in enumerate(layers):
        path: Path = ("cases", index)
        node = whole.root.at(path)
        if whole.problems.are_under(path):
            continue
        matrix = matrix_of(
            node,
            path,
            common=whole.root.child("matrix"),
            given=whole.given,
            fixed=whole.variables,
            problems=whole.problems,
        ).used_by(_names_of(whole, node, layer))
        planned += matrix.size
        if planned > MAX_CASES:
            text = f"with this case there are {planned}; at most {MAX_CASES} can be"
            whole.problems.add(node.line, path, text)
            break
        for values in matrix.combinations():
            if whole.problems.are_under(path):
                break
            made = _combination(whole, path, layer, matrix, values)
            case = made.case() if made is not None else None
            if case is None:
                continue
            if case.name in cases:
                line = node.at(("name",)).line
                text = f"there is another case called {case.name!a}"
                whole.problems.add(line, (*path, "name"), text)
            cases[case.name] = case
    _count_trials(whole, list(cases.values()))
    if not len(whole.problems):
        _note_unused(whole)
    return list(cases.values())


def _names_of(whole: Whole, node: Node, layer: Layer) -> set[str]:
    """
    Return the names that the prompt and the checks of a case mention.
    """
    checks = node.child("checks")
    names = names_in(checks.data()) if checks is not None else set()
    said = merged([whole.defaults, layer], whole.given)
    try:
        return names | names_in(read_prompt(said, whole.files, whole.read_text))
    except ValueError:
        return names  # It is told where the prompt is made.


def _count_trials(whole: Whole, cases: list[Case]) -> None:
    trials = sum(case.settings.loops for case in cases)
    if trials > MAX_TRIALS:
        line = whole.root.at(("cases",)).line
        text = f"all loops together are {trials} trials; at most {MAX_TRIALS} can be"
        whole.problems.add(line, ("cases",), text)


def _note_unused(whole: Whole) -> None:
    """
    Note each shared variable that no case uses.
    """
    for name in sorted(whole.variables.keys() - whole.used):
        whole.problems.add_other(
            f"The variable {name} is given, and no case uses {{{{{name}}}}}."
        )
    for part in ("defaults", "matrix"):
        place = (part, "vars")
        node = whole.root.find(place)
        for name, one in ((node.keys if node is not None else None) or {}).items():
            if name not in whole.used:
                text = f"no case uses {{{{{name}}}}}"
                whole.problems.add(one.line, (*place, name), text)


def _combination(
    whole: Whole, path: Path, layer: Layer, matrix: Matrix, values: tuple[str, ...]
) -> Combination | None:
    node = whole.root.at(path)
    # An axis may be called as another is: `model` as a variable.
    chosen = dict(zip(map(id, matrix.axes), values, strict=True))
    agent = chosen[id(matrix.agent)] if matrix.agent else _agent_of(whole)
    found = _agent_layer(whole, node, path, matrix, agent)
    if found is None:
        return None
    varied: Layer = {}
    if matrix.model:
        text = chosen[id(matrix.model)]
        line = whole.root.at(matrix.model.path).line
        varied["model"] = Said(text=text, line=line, path=matrix.model.path)
    given = {name: one for name, one in whole.given.items() if name != "var"}
    if agent in whole.agents:
        # By this name the entry was chosen; its own `agent` says who that is.
        given.pop("agent", None)
    own = _texts(node)
    shared = _texts(whole.root.child("defaults"))
    for axis in matrix.variables:
        (shared if axis.shared else own)[axis.name] = chosen[id(axis)]
        if not axis.shared:
            shared.pop(axis.name, None)
    return Combination(
        whole=whole,
        node=node,
        path=path,
        name=f"{node.at(('name',)).raw}{matrix.suffix(values)}",
        said=merged([whole.defaults, found, layer, varied], given),
        own=own,
        shared=shared,
    )


def _agent_of(whole: Whole) -> str:
    """
    Return the agent of a case that names none.
    """
    said = whole.given.get("agent") or whole.defaults.get("agent")
    if said is not None:
        return said.text
    return next(iter(whole.agents)) if len(whole.agents) == 1 else ""


def _agent_layer(
    whole: Whole, node: Node, path: Path, matrix: Matrix, agent: str
) -> Layer | None:
    """
    Return what is said of an agent; None when it is not known who that is.
    """
    if agent in whole.agents:
        return {"agent": Said(text=agent), **whole.agents[agent]}
    if not whole.agents:
        return {"agent": Said(text=agent)} if agent else {}
    names = tuple(whole.agents)
    if not agent:
        text = f"which agent? Say `agent: {names[0]}`, or several in a list"
        whole.problems.add(node.line, path, text)
        return None
    if matrix.agent is None and "agent" in whole.given:
        known = ", ".join(names)
        whole.problems.add_other(
            f"There is no agent {agent!a} in {whole.problems.file}: it has {known}."
        )
        return None
    place = matrix.agent.path if matrix.agent else ("defaults", "agent")
    line = whole.root.at(place).line
    text = f"there is no agent {agent!a} under agents"
    whole.problems.add(line, place, text, word=agent, valid=names)
    return None


def _texts(node: Node | None) -> dict[str, str]:
    """
    Return the variables that a part of the file gives.
    """
    inner = node.child("vars") if node is not None else None
    keys = (inner.keys if inner is not None else None) or {}
    return {name: str(one.raw) for name, one in keys.items()}
