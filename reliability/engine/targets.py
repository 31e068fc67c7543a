"""
The agents of a run: one for each way in which its cases reach theirs, and the judges.

Cases that differ only in what is asked, for how long and how it is graded share an
agent, and with it connections, a start gate and a simulator.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reliability.agents import open_agent
from reliability.engine.grading import questions_of
from reliability.errors import CheckError
from reliability.model import Setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from reliability.agents import Agent
    from reliability.engine.scene import Scene
    from reliability.grades import Check, Evidence, Question
    from reliability.settings import Settings
    from reliability.suite import Case, Suite

    _Key = tuple[Settings, Path | None]


class Targets:
    """
    Opens them, and ends them together.
    """

    def __init__(self, suite: Suite, scene: Scene) -> None:
        self._agents: dict[_Key, Agent] = {}
        self._labels: dict[_Key, str] = {}
        self._setups: dict[_Key, Setup] = {}
        self._suite = suite
        self._open: Callable[[Settings, Path | None], Agent] = lambda settings, files: (
            open_agent(
                settings,
                environ=scene.environ,
                workspace=files or scene.workspace,
                redactor=scene.redactor,
                clock=scene.clock,
                function=scene.function,
            )
        )
        for case in suite.cases:
            self._add(case.settings, case.files)
        for model in sorted(_judges(suite)):
            self._add(self._judge_settings(model), None)

    def agent_of(self, case: Case) -> Agent:
        """
        Return the agent that *case* is about.
        """
        return self._agents[_key(case)]

    def judge_of(self, model: str) -> Agent:
        """
        Return who answers the questions for *model*; empty for the suite's own.
        """
        return self._agents[_shared(self._judge_settings(model)), None]

    def commit_of(self, case: Case) -> str:
        """
        Return the commit that *case*'s agent was prepared for; empty when for none.
        """
        setup = self._setups.get(_key(case))
        return setup.fingerprint.get("commit", "") if setup is not None else ""

    @property
    def agents(self) -> Iterable[Agent]:
        """
        All of them, each once.
        """
        return self._agents.values()

    def prepare(self) -> Setup:
        """
        Let every agent look at what can be looked at before the first call.

        Raises:
            AgentSetupError: when no call to one of them can succeed.
            UsageError: when an option names something that is not there.
        """
        setups = {key: agent.prepare() for key, agent in self._agents.items()}
        self._setups = setups
        if len(setups) == 1:
            return next(iter(setups.values()))
        warnings = (text for setup in setups.values() for text in setup.warnings)
        return Setup(
            versions={
                name: version
                for setup in setups.values()
                for name, version in setup.versions.items()
            },
            fingerprint={
                f"{self._labels[key]}: {name}": value
                for key, setup in setups.items()
                for name, value in setup.fingerprint.items()
            },
            warnings=tuple(dict.fromkeys(warnings)),
            simulated=any(setup.simulated for setup in setups.values()),
        )

    def cancel(self) -> None:
        """
        End every attempt under way soon. Any thread.
        """
        for agent in self._agents.values():
            agent.cancel()

    def close(self) -> None:
        """
        Give back what `prepare` took.
        """
        for agent in self._agents.values():
            agent.close()

    def _add(self, settings: Settings, files: Path | None) -> None:
        key = _shared(settings), files
        if key in self._agents:
            return
        words = (settings.agent, settings.model, settings.backend.value)
        label = next(filter(None, words))
        same = sum(one.partition("#")[0] == label for one in self._labels.values())
        self._labels[key] = f"{label}#{same + 1}" if same else label
        self._agents[key] = self._open(settings, files)

    def _judge_settings(self, model: str) -> Settings:
        judge = self._suite.judge
        assert judge is not None, "a suite with judges names one"  # noqa: S101
        return replace(judge, model=model) if model else judge


def _key(case: Case) -> _Key:
    return _shared(case.settings), case.files


def _judges(suite: Suite) -> set[str]:
    """
    Return the models that the suite's checks may ask; empty for its own.
    """
    from reliability.grades import Evidence

    nothing = Evidence(case="", prompt="", answer="")
    return {
        question.model
        for case in suite.cases
        for weighed in case.checks
        for question in _questions(weighed.check, nothing)
    }


def _questions(check: Check, evidence: Evidence) -> Sequence[Question]:
    """
    Return what a check would ask; one that breaks on no evidence breaks a trial later.
    """
    try:
        return questions_of(check, evidence)
    except CheckError:
        return ()


def _shared(settings: Settings) -> Settings:
    """
    Return the settings without what does not concern an agent, to compare by.
    """
    return replace(
        settings,
        prompt="",
        prompt_file=None,
        var=(),
        expect=None,
        checks="",
        min_pass_rate=1.0,
        loops=1,
        timeout=1.0,
        setup=(),
        teardown=(),
    )
