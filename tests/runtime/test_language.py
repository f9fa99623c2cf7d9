"""Languages: who decides, numbers as they are written, nothing missing, nothing that disagrees."""

from __future__ import annotations

import ast
import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import numpy as np
import pytest
from babel.messages.catalog import Catalog, Message
from babel.numbers import format_decimal, format_percent

from rsam_core.runtime import catalogs, language
from rsam_core.runtime.catalogs import collect, compile_all, path_of, read, update
from rsam_core.runtime.language import REST, _, known, ngettext, number, percent, speaking
from tests.helpers.catalogs import written

OTHERS = [code for code in language.LANGUAGES if code != language.SOURCE]


# ---------------------------------------------------------------------- who decides


@pytest.mark.parametrize(
    ("wish", "code"),
    [("fr-CA", "fr"), ("fr_FR", "fr"), ("VI", "vi"), ("es-419", "es"), ("de", "en"), ("", "en")],
)
def test_a_wish_means_one_of_ours(wish: str, code: str) -> None:
    assert known(wish) == code


def test_who_was_asked_decides_unless_something_is_said_aloud(monkeypatch) -> None:
    monkeypatch.setattr(language, "_asked", [])
    assert language.current() == "en"
    language.ask(lambda: "vi-VN")
    assert language.current() == "vi"
    with speaking("fr"):
        with speaking("es"):
            assert language.current() == "es"
        assert language.current() == "fr"
    language.ask(lambda: None)
    assert language.current() == "en"


# ---------------------------------------------------------------------- numbers

WRITTEN = {
    "en": ("1,234,567.89", "43.7%", "44%", "-3.2"),
    "es": ("1.234.567,89", "43,7\xa0%", "44\xa0%", "-3,2"),
    "fr": ("1\xa0234\xa0567,89", "43,7\xa0%", "44\xa0%", "-3,2"),
    "vi": ("1.234.567,89", "43,7%", "44%", "-3,2"),
}


@pytest.mark.parametrize("code", language.LANGUAGES)
def test_numbers_are_written_as_in_the_language(code: str) -> None:
    with speaking(code):
        told = number(1234567.891, 2), percent(0.437, 1), percent(0.437), number(-3.2, 1)
        # Which space that does not break is Babel's business.
        assert tuple(text.replace("\u202f", "\xa0") for text in told) == WRITTEN[code]
        assert number(98765) == format_decimal(98765, locale=code)
        assert percent(0.5) == format_percent(0.5, locale=code)
        assert number(2.5, 0) == "2"
        # Written as it is held, not as it is printed: 0.35 is a little less.
        assert [digit for digit in number(0.35, 1) if digit.isdigit()] == ["0", "3"]
        assert number(np.float32(1.5), 1) == number(1.5, 1)
        assert number(np.int64(98765)) == number(98765)
        assert (number(math.nan), number(math.inf, 2)) == ("nan", "inf")


# ---------------------------------------------------------------------- messages


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An own place for catalogues, still empty."""
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    language._catalog.cache_clear()
    yield tmp_path
    language._catalog.cache_clear()


ROOFS = ("{count} roof", "{count} roofs")


def forms(code: str, one: str, other: str) -> tuple[str, ...]:
    """As many forms as the language has; Babel knows of one for millions since 2.15."""
    count = Catalog(locale=code).num_plurals
    return (one, *[other] * (count - 1)) if count > 1 else (other,)


def roofs(count: int) -> str:
    return ngettext(*ROOFS, count).format(count=count)


def test_a_message_is_translated_where_there_is_a_translation(folder: Path) -> None:
    french = forms("fr", "{count} toit", "{count} toits")
    written(folder, "fr", {"Open": "Ouvrir", ROOFS: french})
    written(folder, "vi", {ROOFS: ("{count} mái nhà",)})
    with speaking("fr"):
        # None and one are singular in French.
        told = [_("Open"), _("Close"), _(""), roofs(0), roofs(1), roofs(2)]
    assert told == ["Ouvrir", "Close", "", "0 toit", "1 toit", "2 toits"]
    with speaking("vi"):
        assert [_("Open"), roofs(1), roofs(2)] == ["Open", "1 mái nhà", "2 mái nhà"]
    with speaking("es"):
        assert [_("Open"), roofs(1), roofs(2)] == ["Open", "1 roof", "2 roofs"]


def test_what_may_be_missing_stands_in_a_catalogue_of_its_own(folder: Path) -> None:
    written(folder, "fr", {"Open": "Ouvrir"})
    french = forms("fr", "{count} toit", "{count} toits")
    written(folder, "fr", {"Open": "no", "Draw": "Dessiner", ROOFS: french, "Cut": ""}, REST)
    # Only a form that says nothing: English, and the right one of its forms.
    written(folder, "vi", {ROOFS: ("",)}, REST)
    compile_all(folder)
    assert len(list(folder.rglob("*.mo"))) == 3
    with speaking("fr"):
        told = [_("Open"), _("Draw"), _("Cut"), roofs(1), roofs(2)]
    assert told == ["Ouvrir", "Dessiner", "Cut", "1 toit", "2 toits"]
    with speaking("vi"):
        assert [_("Draw"), roofs(1), roofs(2)] == ["Draw", "1 roof", "2 roofs"]


def test_the_binary_file_is_read_unless_the_catalogue_is_newer(folder: Path) -> None:
    path = written(folder, "fr", {"Open": "Ouvrir"})
    (binary,) = compile_all(folder)
    assert compile_all(folder) == []
    # Nothing stays of the name under which it was written.
    assert sorted(file.name for file in path.parent.iterdir()) == ["rsam.mo", "rsam.po"]
    written(folder, "fr", {"Open": "Entrer"})
    os.utime(path, (1, 1))
    with speaking("fr"):
        assert _("Open") == "Ouvrir"
    language._catalog.cache_clear()
    os.utime(binary, (0, 0))
    with speaking("fr"):
        assert _("Open") == "Entrer"


def test_two_at_once_do_not_mix(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As two browsers: each run of a page is a thread of its own."""
    for code in OTHERS:
        written(folder, code, {"Open": f"Open in {code}"})
    spoken = threading.local()
    monkeypatch.setattr(language, "_asked", [lambda: getattr(spoken, "code", None)])
    told: dict[str, set[tuple[str, str]]] = {}
    start = threading.Barrier(2 * len(OTHERS))

    def browser(code: str, aloud: bool) -> None:
        heard = told.setdefault(f"{code}{aloud}", set())
        spoken.code = "en" if aloud else code
        start.wait()
        for _round in range(300):
            if aloud:
                with speaking(code):
                    heard.add((_("Open"), number(0.5, 1)))
            else:
                heard.add((_("Open"), number(0.5, 1)))

    threads = [threading.Thread(target=browser, args=(c, a)) for c in OTHERS for a in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for code in OTHERS:
        expected = {(f"Open in {code}", "0,5")}
        assert told[f"{code}True"] == told[f"{code}False"] == expected
    assert _("Open") == "Open"


# ---------------------------------------------------------------------- collecting

SOURCE = """
from rsam_core.runtime.language import N_, _, ngettext

TITLE = N_("A title")


def show(count):
    # For translators: of houses.
    told = _("Found {count} in "
             "all").format(count=count)
    return told + ngettext("{count} roof", "{count} roofs", count) + other("Not this")
"""


def program(root: Path) -> None:
    (root / "pages").mkdir()
    (root / "pages" / "small.py").write_text(SOURCE)
    (root / "pages" / "module.py").write_text(
        "from rsam_core.runtime import language\nlanguage._('By module')\n"
    )
    (root / "pages" / "other.py").write_text("def _(text):\n    pass\n\n\n_('Not ours')\n")


def test_all_marked_messages_are_collected(tmp_path: Path) -> None:
    program(tmp_path)
    found = {message.id: message for message in collect(tmp_path) if message.id}
    assert set(found) == {"A title", "Found {count} in all", ROOFS, "By module"}
    assert found["A title"].locations == [("pages/small.py", 0)]
    assert found["Found {count} in all"].auto_comments == ["For translators: of houses."]


def test_what_whole_files_say_is_collected_for_their_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path)
    monkeypatch.setattr(catalogs, "WHOLE", ("pages/module.py",))
    # Said by both: then it may not be missing.
    (tmp_path / "pages" / "module.py").write_text(
        "from rsam_core.runtime.language import _\n_('By module')\n_('A title')\n"
    )
    found = {
        domain: {message.id for message in collect(tmp_path, domain) if message.id}
        for domain in (language.DOMAIN, REST)
    }
    assert found == {
        language.DOMAIN: {"By module", "A title"},
        REST: {"Found {count} in all", ROOFS},
    }


def test_updating_keeps_translations_and_drops_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path)
    folder = tmp_path / "locale"
    written(folder, "fr", {"A title": "Un titre", "Gone": "Parti"}, REST)
    none = {language.DOMAIN: 0, REST: 4}
    assert update(tmp_path, folder) == {"es": none, "fr": none | {REST: 3}, "vi": none}
    french = read(path_of("fr", folder, REST))
    assert french["A title"].string == "Un titre"
    assert "Gone" not in french
    # A similar message is no translation.
    assert french["Found {count} in all"].string == ""
    assert len(french[ROOFS[0]].string) == french.num_plurals
    assert not any(message.fuzzy for message in french if message.id)
    # A page of which all is translated now: its messages move, with their translations.
    monkeypatch.setattr(catalogs, "WHOLE", ("pages/small.py",))
    moved = update(tmp_path, folder)
    assert moved["fr"] == {language.DOMAIN: 2, REST: 1}
    assert read(path_of("fr", folder))["A title"].string == "Un titre"
    assert "A title" not in read(path_of("fr", folder, REST))


def unreadable(source: str) -> list[int]:
    """Lines whose messages nobody can collect, because they are put together while running."""
    found = []
    tree = ast.parse(source)
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    formatted = {node for string in strings for node in ast.walk(string)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else None
        given = {"_": 1, "N_": 1, "ngettext": 2}.get(name, 0)
        for argument in node.args[:given]:
            fixed = isinstance(argument, ast.Constant)
            # What was marked elsewhere is translated by its name.
            named = isinstance(argument, (ast.Name, ast.Attribute, ast.Subscript, ast.Call))
            # In a formatted string of Python 3.11 nothing is found that is written out.
            if not (fixed or (name == "_" and named)) or (fixed and node in formatted):
                found.append(node.lineno)
    return found


def test_messages_are_written_out_where_they_are_marked() -> None:
    for bad in ("_(f'{x} roofs')", "_('a' + b)", "_('a' if b else 'c')", "N_(a)",
                "ngettext(a, 'b', 2)", "_('a' % b)", "f'{_(\"a\")}'"):  # fmt: skip
        assert unreadable(bad) == [1], bad
    assert (
        unreadable("_('a' 'b'); _(check.task); _(names[0]); N_('c'); ngettext('a', 'b', n)") == []
    )
    told = {
        f"{path.relative_to(catalogs.ROOT)}:{line}"
        for path in catalogs.sources()
        if "runtime.language import" in (text := path.read_text("utf-8"))
        for line in unreadable(text)
    }
    assert told == set()


# ---------------------------------------------------------------------- the translations


def fields(text: str) -> set[str]:
    """The placeholders of a message, with how they are written."""
    return {
        f"{name}!{conversion}:{spec}"
        for _text, name, spec, conversion in Formatter().parse(text)
        if name is not None
    }


def disagreements(message: Message, plurals: int) -> list[str]:
    """What is wrong with the translation of a message."""
    if message.fuzzy or not catalogs.is_translated(message.string):
        return [f"missing: {message.id!r}"]
    sources = message.id if isinstance(message.id, tuple) else (message.id,)
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    wrong = []
    if isinstance(message.id, tuple) and len(strings) != plurals:
        wrong.append(f"{len(strings)} plural forms instead of {plurals}: {message.id!r}")
    allowed = [fields(source) for source in sources]
    for string in strings:
        try:
            agrees = fields(string) in allowed
        except ValueError:
            agrees = False
        if not agrees:
            wrong.append(f"placeholders of {string!r} for {message.id!r}")
        for mark in ("**", "`", "\n"):
            if string.count(mark) not in [source.count(mark) for source in sources]:
                wrong.append(f"{mark!r} in {string!r} for {message.id!r}")
    return wrong


def faults(catalog: Catalog, template: Catalog) -> list[str]:
    """What is wrong with a catalogue, message by message of the program."""
    wrong = []
    for message in template:
        if not message.id:
            continue
        key = message.id[0] if isinstance(message.id, tuple) else message.id
        translated = catalog.get(key)
        if translated is None or translated.id != message.id:
            wrong.append(f"missing: {message.id!r}")
        else:
            wrong += disagreements(translated, catalog.num_plurals)
    return wrong


@pytest.mark.parametrize(
    ("message", "translation", "said"),
    [
        ("Open", "", "missing"),
        ("{count} m", "{counts} m", "placeholders"),
        ("{count} m", "{count m", "placeholders"),
        ("{share:.1f} m", "{share} m", "placeholders"),
        ("**Open** it", "Ouvrir", "'**'"),
        (ROOFS, ("{count} toit",), "1 plural forms instead of"),
        (ROOFS, forms("fr", "{count} toit", ""), "missing"),
        (ROOFS, forms("fr", "un toit", "{count} toits"), "placeholders"),
    ],
)
def test_what_is_wrong_is_found(message, translation, said: str) -> None:
    template, catalog = Catalog(), Catalog(locale="fr")
    template.add(message)
    catalog.add(message, translation)
    (fault,) = faults(catalog, template)
    assert said in fault


def test_what_is_right_is_not_complained_about() -> None:
    template, catalog = Catalog(), Catalog(locale="fr")
    one = ("One roof", "{count} roofs")
    french = forms("fr", "Un toit", "{count} toits")
    for message, translation in (("Open", "Ouvrir"), (one, french)):
        template.add(message)
        catalog.add(message, translation)
    assert faults(catalog, template) == []
    assert faults(Catalog(locale="fr"), template) == ["missing: 'Open'", f"missing: {one!r}"]
    template.add("New")
    assert faults(catalog, template) == ["missing: 'New'"]


@pytest.mark.parametrize("code", OTHERS)
def test_no_message_is_missing_and_none_disagrees(code: str) -> None:
    path = path_of(code)
    if not path.exists():
        pytest.skip(f"there is no catalogue of {language.LANGUAGES[code]} yet")
    catalog = read(path)
    assert str(catalog.locale) == code
    assert faults(catalog, collect(domain=language.DOMAIN)) == []


@pytest.mark.parametrize("code", OTHERS)
def test_what_pages_have_of_translations_agrees(code: str) -> None:
    """Messages may be missing there, and change before their translations do."""
    catalog = read(path_of(code, domain=REST))
    assert str(catalog.locale) == code
    known = [message for message in catalog if message.id]
    assert len(known) > 500
    done = [message for message in known if catalogs.is_translated(message.string)]
    wrong = [fault for message in done for fault in disagreements(message, catalog.num_plurals)]
    assert wrong == []


def test_all_that_may_not_be_missing_is_there() -> None:
    for place in catalogs.WHOLE:
        assert (catalogs.ROOT / place).exists(), place
    assert catalogs.domain_of("pages/parts/learn/bars.py") == language.DOMAIN
    assert catalogs.domain_of("pages/screens/segment.py") == REST
