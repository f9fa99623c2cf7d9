"""Which tests stay together when several processes share the work."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

GROUPS = {
    "second server": (
        "/test_accessibility.py",
        "/test_class_board.py",
        "/test_learn.py",
        "/test_nothing_lost.py",
        "/test_prepare_in_browser.py",
        "/test_zoom.py",
    ),
    "server": ("/browser/", "/test_classroom.py"),
    "town": ("/test_everything.py", "/test_tiled_town.py"),
    "shots": ("/test_one_shot_search.py", "/test_one_shot_ranking.py"),
}
"""Parts of paths, the first that fits: one server, one decoded town, one searched picture for all
of them. Two servers, since their tests mostly wait, each in a process of its own."""

LONGEST = (
    "/browser/",
    "/test_classroom.py",
    "/hostile/",
    "/test_handout.py",
    "/test_stress.py",
    "/test_truth_awkward.py",
    "/test_evaluate_page.py",
    "/test_apply_answers.py",
    "/test_prepare_page.py",
    "/test_batch_dask.py",
    "/test_one_shot_page.py",
)
"""Parts of paths of what takes longest: begun last, it would leave the other workers idle."""


def urgency(name: str) -> int:
    """The place in line of a test by its name in pytest: 0 is begun first."""
    return next((k for k, part in enumerate(LONGEST) if part in f"/{name}"), len(LONGEST))


def group_of(name: str) -> str:
    """The group of a test by its name in pytest: one of `GROUPS`, or its file."""
    path = "/" + name.partition("::")[0]
    return next((g for g, parts in GROUPS.items() if any(p in path for p in parts)), path)


class Together(LoadScopeScheduling):
    """Hands out whole groups, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
