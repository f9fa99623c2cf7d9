"""From a snapshot of the book to its objects, and from objects as wanted to a change of the book.

Everything here is a function of what it is given: nothing is read twice, so nothing can change in
between.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from rsam_core.errors import QueueFull, RsamError
from rsam_core.objects.edits import same_mask
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.prompts.history import PromptHistory
from rsam_core.segment.prompter import Prompter

NO_TURN = (
    "Too many others wait for the model at the moment. Your click is kept, and asked again with "
    "the next thing you do."
)
"""What is said of a prompt that the queue refused."""
NOTHING = "Nothing was found here. Try a box, or click elsewhere."


@dataclass(frozen=True, eq=False)
class Shown:
    """A session's objects at one moment, with the book they were made from.

    Attributes
    ----------
    book : PromptHistory
    found : Instances
        Objects as prompts and the automatic mode give them, before any edit.
    objects : Instances
        As they are shown, in scene pixels.
    problems : dict of int to str
        What is wrong with prompts, by object number.
    """

    book: PromptHistory
    found: Instances
    objects: Instances
    problems: dict[int, str]


def find(
    book: PromptHistory,
    prompter: Prompter | None,
    shape: tuple[int, int],
    together: Callable[[], AbstractContextManager[object]],
) -> tuple[Instances, dict[int, str]]:
    """The objects of a book as found, and what is wrong with prompts, by object number.

    Parameters
    ----------
    book : PromptHistory
        All of its automatic objects have numbers; see `PromptHistory.numbered`.
    prompter : Prompter or None
        Answers the prompts; without one there are only automatic objects.
    shape : (int, int)
        Height and width of the scene.
    together : callable
        Gives a block in which the model is asked several times in one turn.
    """
    prompted: list[Instance] = []
    problems: dict[int, str] = {}
    for entry in book.entries if prompter is not None else ():
        try:
            # A correction asks the model twice.
            with together():
                instance = prompter.instance(entry)
        except QueueFull:
            problems[entry.id] = NO_TURN
        except RsamError as error:
            problems[entry.id] = str(error)
        else:
            if instance is None:
                problems[entry.id] = NOTHING
            else:
                prompted.append(instance)
    automatic = []
    if book.extra is not None:
        automatic = [replace(item, id=book.numbers[key]) for key, item in book.extra.distinct]
    return Instances([*prompted, *automatic], shape, next_id=book.next_id), problems


def completed(now: Shown, base: Shown) -> Instances:
    """The objects as found now, with those that only wait for the model at the moment.

    What the model had answered when `base` was shown, and what was not asked differently since,
    is known still.
    """
    present = set(now.found.ids.tolist())
    entries = set(now.book.entries)
    missing = [
        base.found.get(entry.id)
        for entry in base.book.entries
        if entry in entries and entry.id not in present and entry.id in base.found.ids
    ]
    if not missing:
        return now.found
    return Instances([*now.found, *missing], now.found.shape, next_id=now.found.next_id)


def merged(base: Instances, wanted: Instances, now: Instances) -> tuple[Instances, dict[int, int]]:
    """What a person wanted of the objects they saw, done to the objects as they are now.

    Parameters
    ----------
    base : Instances
        What they saw.
    wanted : Instances
        What they wanted it to be. Those that keep their number are the same object.
    now : Instances
        What there is now, which another click may have changed.

    Returns
    -------
    Instances
        An object that is gone meanwhile stays gone; one that came stays; of one that was changed
        twice, the shape and the class are each as they were changed last.
    dict of int to int
        Numbers of the new objects by their numbers in `wanted`: others where theirs were given
        away meanwhile.
    """
    before = {item.id: item for item in base}
    after = {item.id: item for item in wanted}
    items = []
    for item in now:
        seen, aim = before.get(item.id), after.get(item.id)
        if seen is None:
            items.append(item)
        elif aim is not None:
            items.append(_changed(item, seen, aim))
    numbers: dict[int, int] = {}
    next_id = max(now.next_id, base.next_id)
    for item in wanted:
        if item.id in before:
            continue
        # Below the next number every other one was given to something, perhaps undone since.
        given = item.id if item.id >= now.next_id else next_id
        next_id = max(next_id, given + 1)
        numbers[item.id] = given
        items.append(item if given == item.id else replace(item, id=given))
    return Instances(items, now.shape, next_id=next_id), numbers


def _changed(item: Instance, seen: Instance, aim: Instance) -> Instance:
    """An object with what was changed from `seen` to `aim`."""
    if item is seen:
        return aim
    if not same_mask(seen, aim):
        item = replace(aim, label=item.label)
    return replace(item, label=aim.label) if seen.label != aim.label else item
