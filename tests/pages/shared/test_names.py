"""Names from outside are shown as what they are."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.parts.shared.names import full, markup, paragraphs, plain, shortened, visible

PAYLOADS = [
    "<script>window.__hit=1</script>",
    "<img src=x onerror=window.__hit=1>",
    "[roof](javascript:window.__hit=1)",
    "![roof](http://evil.example/beacon.png)",
    "https://evil.example/roof",
    "www.evil.example",
    "roof@evil.example",
    ":red[roof] :material/home: $x^2$",
    "# roof",
    "- roof",
    "1. roof",
    "a | b",
    "&lt;b&gt;",
    '" onmouseover="window.__hit=1',
]


def read_back(markdown: str) -> str:
    """What a Markdown reader shows of text that holds no markup but escapes."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace("\u2060", "")


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_name_is_read_letter_by_letter(name: str) -> None:
    assert read_back(plain(name)) == name
    # No sign that starts markup stands without its backslash.
    signs = r"[`*_\[\]<>#$~|]|:(?=\S)|&(?=[#A-Za-z])"
    assert not re.search(rf"(?<!\\)(?:{signs})", plain(name).replace("\\\\", ""))


@pytest.mark.parametrize("name", ["https://e.example", "HTTP://e.example", "www.e.ex", "a@e.ex"])
def test_addresses_are_broken_where_a_reader_would_make_a_link(name: str) -> None:
    # The rules of GitHub's Markdown for links without brackets.
    links = r"https?://|www\.|[\w.+-]@"
    assert re.search(links, name, re.IGNORECASE)
    assert not re.search(links, plain(name).replace("\\", ""), re.IGNORECASE)


@given(st.text(max_size=40))
def test_any_text_comes_back(text: str) -> None:
    assert read_back(plain(text)) == visible(text).replace("\u2060", "")
    assert "\n" not in plain(text)
    assert html.unescape(markup(text)) == visible(text)


def test_lines_stay_lines_and_lists_do_not_start() -> None:
    assert paragraphs("- one\n2. two") == "\\- one  \n2\\. two"


def test_signs_that_turn_the_writing_are_left_out() -> None:
    assert visible("invoice\u202egpj.exe\x00\x1b[31m") == "invoicegpj.exe[31m"
    assert visible("  a\n\tb ") == "a b"


def test_a_long_name_keeps_its_start_and_its_ending() -> None:
    name = "orthomosaic_" + "x" * 300 + "_north.tif"
    short = shortened(name, 21)
    assert short == "orthomosai…_north.tif"
    assert len(short) == 21
    assert shortened("town.tif", 21) == "town.tif"
    assert full("town.tif") is None
    assert full(name) == plain(name)


def test_quotes_and_tags_do_not_end_an_attribute() -> None:
    assert markup('"><script>') == "&quot;&gt;&lt;script&gt;"
