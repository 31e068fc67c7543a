"""
One case of a run: a case of the file with one value of everything that varies.

It gets its options by layers, its prompt with the variables put in, and its checks. A
variable that nothing uses and a name in a prompt that nothing fills are both mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.errors import UsageError
from reliability.settings import Settings
from reliability.suite import Case, Workspace
from reliability.suites.checklist import Checklist
from reliability.suites.layers import PROMPTS, read_prompt
from reliability.suites.variables import MAX_CHARACTERS, grown_length, names_in
from reliability.template import fill

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path as FilePath

    from reliability.suites.checklist import Parsed
    from reliability.suites.layers import Layer
    from reliability.suites.nodes import Node
    from reliability.suites.problems import Path
    from reliability.suites.whole import Whole

_BUILT_IN = ("agent", "model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """
    A case that is being made.

    Args:
        path: Of the case in the file; *node* is there.
        name: With what the matrix adds.
        said: All its options.
        own, shared: Its variables: of the case, which must use them, and of the file.
    """

    whole: Whole
    node: Node
    path: Path
    name: str
    said: Layer
    own: Mapping[str, str]
    shared: Mapping[str, str]

    def case(self) -> Case | None:
        """
        Return the case; None when something is wrong with it, which is then noted.
        """
        prompt = self._prompt()
        checks = self._checks()
        if prompt is None or checks is None:
            return None
        settings = self._settings(prompt)
        if settings is None or self.whole.problems.are_under(self.path):
            return None
        used = self._used()
        tags = self.node.child("tags")
        mark = self._part("pass-mark")
        return Case(
            name=self.name,
            settings=settings,
            checks=tuple(one.weighed for one in checks),
            pass_mark=float(mark.value) if mark is not None else 1.0,
            variables={
                name: text for name, text in self._variables().items() if name in used
            },
            tags=tuple(str(tag.raw) for tag in tags.items or ()) if tags else (),
            workspace=self._workspace(),
            hidden=self._hidden(checks),
        )

    def _variables(self) -> dict[str, str]:
        return {**self.shared, **self.own, **self.whole.variables}

    def _values(self) -> dict[str, str]:
        built_in = {
            name: self.said[name].text for name in _BUILT_IN if name in self.said
        }
        return built_in | self._variables()

    def _template(self) -> str:
        return read_prompt(self.said, self.whole.files, self.whole.read_text)

    def _used(self) -> set[str]:
        """
        Return the names in the prompt and in the checks.
        """
        checks = self.node.child("checks")
        names = names_in(checks.data()) if checks is not None else set()
        return names | (names_in(self._template()) if self._is_template() else set())

    def _is_template(self) -> bool:
        """
        Tell whether names are replaced: not in a prompt that the user typed.
        """
        prompt = self.said.get("prompt")
        return prompt is None or prompt.line > 0

    def _prompt(self) -> str | None:
        """
        Return the prompt; empty for the built-in one, None when it cannot be.
        """
        place = next((self.said[one] for one in PROMPTS if one in self.said), None)
        line, path = (place.line, place.path) if place else (self.node.line, self.path)
        add = self.whole.problems.add
        try:
            template = self._template()
        except ValueError as error:
            add(line, path, str(error).rstrip("."))
            return None
        self._note_use()
        if not self._is_template():
            return template
        values = self._values()
        names = names_in(template)
        for name in sorted(names - {name for name, text in values.items() if text}):
            valid = sorted(values)
            add(line, path, f"{{{{{name}}}}} has no value", word=name, valid=valid)
        if self.whole.problems.are_under(path or self.path):
            return None
        if grown_length(template, values) > MAX_CHARACTERS:
            add(line, path, "with its variables put in, the prompt is too long")
            return None
        prompt = fill(template, {name: values[name] for name in names})
        is_borne = self.whole.bears(line, path, characters=len(prompt), nodes=0)
        return prompt if is_borne else None

    def _note_use(self) -> None:
        """
        Note a variable of the case that nothing in it uses.
        """
        used = self._used()
        self.whole.used |= used
        for name in sorted(self.own.keys() - used):
            for inner in (("vars", name), ("matrix", "vars", name)):
                node = self.node.at(inner)
                holder = self.node.at(inner[:-1])
                if holder.keys is not None and name in holder.keys:
                    text = f"neither the prompt nor a check uses {{{{{name}}}}}"
                    self.whole.problems.add(node.line, (*self.path, *inner), text)

    def _checks(self) -> list[Parsed] | None:
        """
        Return the checks; None when there is something wrong with one.
        """
        node = self.node.child("checks")
        if node is None:
            return []
        path = (*self.path, "checks")
        values = self._values() if names_in(node.data()) else {}
        if not self.whole.bears(
            node.line, path, characters=node.characters, nodes=node.count
        ):
            return None
        checklist = Checklist(
            classes=self.whole.classes,
            files=self.whole.files,
            problems=self.whole.problems,
            values=values,
        )
        found = [
            checklist.read(one, (*path, index))
            for index, one in enumerate(node.items or ())
        ]
        checks = [one for one in found if one is not None]
        self.whole.asks |= any(one.asks for one in checks)
        return checks if len(checks) == len(found) else None

    def _settings(self, prompt: str) -> Settings | None:
        texts = {
            name: one.text for name, one in self.said.items() if name not in PROMPTS
        }
        texts["prompt"] = prompt
        try:
            return Settings.from_text(
                texts,
                also=self.whole.also,
            )
        except UsageError as error:
            for problem in error.problems:
                text = " ".join(problem.rstrip(".").split())
                self.whole.problems.add(self.node.line, self.path, text)
            return None

    def _part(self, name: str) -> Node | None:
        """
        Return what the case says, or else what the defaults say.
        """
        return self.node.child(name) or self.whole.root.find(("defaults", name))

    def _workspace(self) -> Workspace:
        node = self._part("workspace")
        if node is None or node.keys is None:
            return Workspace()
        folder, ref = node.child("folder"), node.child("ref")
        return Workspace(
            folder=self.whole.files.place(str(folder.raw)) if folder else None,
            ref=str(ref.raw) if ref is not None else "",
        )

    def _hidden(self, checks: list[Parsed]) -> tuple[FilePath, ...]:
        """
        Return the files that tell what is expected: the suite's own too.
        """
        if not checks:
            return ()
        found = [self.whole.file, *(path for one in checks for path in one.hidden)]
        return tuple(dict.fromkeys(found))
