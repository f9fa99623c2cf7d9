"""No page has a serious fault for people who see little, or hear the page: axe-core's rules."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe

from rsam_core.samples import TownSample, write_geotiff
from tests.helpers.browser import Screen

PAGES = (
    "Prepare", "One-shot", "Objects", "Change", "Follow", "Apply", "Evaluate", "Models", "Learn",
)  # fmt: skip


def faults(screen: Screen) -> list[str]:
    """Rules broken seriously, with the first place of each."""
    found = Axe().run(screen.page).response["violations"]
    return [
        f"{rule['id']}: {rule['nodes'][0]['html'][:200]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


def test_no_page_has_a_serious_fault(screen: Screen, town: TownSample):
    told = {"Open": faults(screen)}
    screen.open("town.tif", write_geotiff(town))
    told["Segment"] = faults(screen)
    screen.click((100, 100))
    screen.quiet()
    told["Segment with an object"] = faults(screen)
    for name in PAGES:
        screen.go_to(name)
        told[name] = faults(screen)
    screen.page.get_by_role("radio", name="For the teacher").click()
    screen.quiet()
    told["Learn, for the teacher"] = faults(screen)
    screen.page.get_by_role("radio", name="Lessons").click()
    screen.page.locator(".st-key-open-how_good button").click()
    screen.page.locator(".touch-view").wait_for()
    screen.quiet()
    told["Learn, a lesson"] = faults(screen)
    assert {name: broken for name, broken in told.items() if broken} == {}
    assert len(told) == len(PAGES) + 5
