"""The question that is asked of the open scene, what was given for it, and what a person says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from rsam_core.change.apply.answer import Answer, Check
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.question import Inputs, Question
from rsam_core.change.apply.site import Shapes, Site
from rsam_core.errors import ApplyError
from rsam_core.runtime.jobs import Job, JobRegistry
from rsam_core.session.session import Session
from rsam_core.session.steps import Steps

APPLY = "apply"
"""Name of the job."""
MAX_LAYERS = 30
_Checks = Mapping[str, Mapping[str, Check]]


@dataclass(frozen=True, eq=False)
class KeptLayer:
    """A layer that was given, in pixels of the scene, so that it stays where it lies.

    Attributes
    ----------
    name : str
    shapes : ndarray of shapely geometries
    rows : tuple of dict
    notes : tuple of str
    """

    name: str
    shapes: Shapes
    rows: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, features: Features, site: Site) -> KeptLayer:
        """Of features on the plane of a site."""
        rows = features.table.astype(object).where(features.table.notna(), None)
        return cls(features.name, site.pixels(features.shapes),
                   tuple(rows.to_dict("records")), features.notes)  # fmt: skip

    def features(self, site: Site) -> Features:
        """On the plane of a site."""
        return Features.of_shapes(self.name, site.plane(self.shapes), self.rows, self.notes)


@dataclass(frozen=True)
class Said:
    """What a person said of findings, by question; immutable, so that a step is easily undone.

    Attributes
    ----------
    checks : mapping of str to mapping of str to Check
    what : str
        The step that led here, for the undo button.
    """

    checks: _Checks = field(default_factory=lambda: MappingProxyType({}))
    what: str = ""


class ApplyState:
    """Questions and answers of one scene; safe between threads.

    Parameters
    ----------
    jobs : JobRegistry
        Of the session.

    Attributes
    ----------
    question : str
        Key of the one that is asked; empty for none.
    layers : mapping of str to KeptLayer
        That were given, by name.
    choices : mapping of str to str
        What is taken for each need, by "question/need"; see the page's sources.
    values : mapping of str to dict
        Settings by question.
    answers : mapping of str to Answer
        By question, as they were last answered.
    said : Said
    error : BaseException or None
        Why the last question was not answered.
    number : int
        Another one after each change that is worth keeping.
    """

    owns = (APPLY,)

    def __init__(self, jobs: JobRegistry) -> None:
        self._jobs, self._lock = jobs, threading.RLock()
        self._steps = Steps(Said())
        self.question = ""
        self.layers: Mapping[str, KeptLayer] = MappingProxyType({})
        self.choices: Mapping[str, str] = MappingProxyType({})
        self.values: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
        self.answers: Mapping[str, Answer] = MappingProxyType({})
        self.error: BaseException | None = None
        self.number = 0

    @property
    def said(self) -> Said:
        """What a person said of findings until now."""
        return self._steps.now

    @said.setter
    def said(self, said: Said) -> None:
        self._steps.now = said

    @property
    def empty(self) -> bool:
        """Whether nothing was given or said that could be lost."""
        return not (self.layers or self.said.checks or self.values)

    # ------------------------------------------------------------------ what is given

    def ask(self, question: str) -> None:
        """Take up a question, or none."""
        with self._lock:
            if question != self.question:
                self.question, self.error = question, None
                self._jobs.drop(APPLY)
                self.number += 1

    def give(self, layer: KeptLayer, need: str = "") -> str:
        """Keep a layer, and take it for a need; returns the name under which it is kept.

        Raises
        ------
        ApplyError
            There are too many.
        """
        with self._lock:
            if len(self.layers) >= MAX_LAYERS:
                raise ApplyError(
                    f"{MAX_LAYERS} layers are open already. Close one that is not needed."
                )
            name, number = layer.name, 1
            while name in self.layers:
                number += 1
                name = f"{layer.name} ({number})"
            self.layers = MappingProxyType({**self.layers, name: replace(layer, name=name)})
            if need:
                self.choose(need, f"layer:{name}")
            self.number += 1
            return name

    def drop(self, name: str) -> None:
        """Close a layer."""
        with self._lock:
            left = {key: layer for key, layer in self.layers.items() if key != name}
            source = f"layer:{name}"
            self.layers = MappingProxyType(left)
            self.choices = MappingProxyType(
                {need: value for need, value in self.choices.items() if value != source}
            )
            self.number += 1

    def choose(self, need: str, source: str) -> None:
        """Take something for a need, given as "question/need"; empty to take nothing."""
        with self._lock:
            if self.choices.get(need) != source:
                self.choices = MappingProxyType({**self.choices, need: source})
                self.number += 1

    def set(self, question: str, key: str, value: Any) -> None:
        """Set a number or a choice of a question."""
        with self._lock:
            now = self.values.get(question, {})
            if now.get(key) != value or key not in now:
                self.values = MappingProxyType({**self.values, question: {**now, key: value}})
                self.number += 1

    # ------------------------------------------------------------------ answers

    def start(self, question: Question, make: Callable[[], Inputs]) -> Job:
        """Answer a question in the background."""

        def run(progress: Callable[..., None], cancelled: Callable[[], bool]) -> tuple:
            inputs = replace(make(), progress=lambda share: progress(share, ""),
                             cancelled=cancelled)  # fmt: skip
            return question.key, question.answer(inputs)

        self.error = None
        return self._jobs.start(APPLY, run, latest=True)

    def collect(self) -> bool:
        """Take over an answer that has come; whether there was one."""
        job = self._jobs.take(APPLY)
        if job is None:
            return False
        self.error = job.error
        if job.state == "done":
            key, answer = job.result
            with self._lock:
                self.answers = MappingProxyType({**self.answers, key: answer})
                self.number += 1
        return True

    def forget_answers(self) -> None:
        """The ground is measured another way now."""
        with self._lock:
            self._jobs.drop(APPLY)
            self.answers = MappingProxyType({})

    # ------------------------------------------------------------------ what a person says

    def checks(self, question: str) -> Mapping[str, Check]:
        """What was said of the findings of a question."""
        return self.said.checks.get(question, MappingProxyType({}))

    def say(self, question: str, key: str, check: Check) -> None:
        """Say something of a finding, as one step."""
        self.say_all(question, {key: check}, "Check a finding")

    def say_all(self, question: str, checks: Mapping[str, Check], what: str) -> None:
        """Say something of several findings, as one step."""
        with self._lock:
            now = dict(self.checks(question))
            for key, check in checks.items():
                if check.empty:
                    now.pop(key, None)
                else:
                    now[key] = check
            if now == dict(self.checks(question)):
                return
            self._steps.put(Said(MappingProxyType({**self.said.checks, question: now}), what))
            self.number += 1

    @property
    def undoable(self) -> str:
        """What undo would take back, in words; empty for nothing."""
        return self._steps.undoable

    @property
    def redoable(self) -> str:
        """What redo would do again."""
        return self._steps.redoable

    def undo(self) -> None:
        """Take back the last step."""
        with self._lock:
            self.number += self._steps.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        with self._lock:
            self.number += self._steps.redo()


def apply_state(session: Session) -> ApplyState:
    """Questions and answers of the open scene."""
    return session.attached(ApplyState, lambda: ApplyState(session.jobs))
