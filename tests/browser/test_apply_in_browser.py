"""Apply: from a card to the PDF of three answers, with one finding checked on the way."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.helpers.browser import stranger

QUESTIONS = ("growth", "damage", "density")


def test_from_a_card_to_a_pdf(browser: Browser, address: str, tmp_path: Path) -> None:
    page = stranger(browser).new_page()
    page.goto(f"{address.rstrip('/')}/apply")
    for number, question in enumerate(QUESTIONS):
        if number == 0:
            page.locator(f".st-key-try-{question} button").first.click()
        else:
            page.get_by_role("button", name="All questions").click()
            page.locator(f".st-key-ask-{question} button").first.click()
            page.get_by_role("button", name="Answer", exact=True).click()
        page.get_by_role("tab", name="Findings").wait_for()
        begin = page.get_by_role("button", name="one by one")
        begin.wait_for()
        if number == 0:
            expect(page.get_by_text("0 of 8 findings were checked")).to_be_visible()
            begin.click()
            page.locator(".st-key-apply-accept button").first.click()
            expect(page.get_by_text("1 of 8 findings were checked")).to_be_visible()
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Report, PDF").click()
        path = tmp_path / f"{question}.pdf"
        download.value.save_as(path)
        assert path.read_bytes().startswith(b"%PDF-")
        assert path.stat().st_size > 50_000
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
        page.get_by_role("dialog").wait_for(state="hidden")
    page.context.close()
