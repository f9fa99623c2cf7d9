"""Memory budgets: bytes counted by hand."""

from __future__ import annotations

import threading

import pytest

from rsam_core.errors import BudgetError
from rsam_core.runtime.budgets import Holding, Store, choose_evictions, megabytes, setting
from tests.helpers.waiting import PATIENCE

MB = 1 << 20


def keys(store: Store) -> str:
    return "".join(key for key in "abcdefgh" if key in store)


def filled(sizes: str, total: int = 1000, each: int | None = None) -> Store:
    """``"xa30 yb40"``: owner x puts a of 30 bytes, then owner y puts b of 40."""
    store: Store = Store(total, each)
    for word in sizes.split():
        store.put(word[1], word, int(word[2:]), word[0])
    return store


def test_least_recently_used_goes_first():
    store = filled("xa40 xb40", total=100)
    assert store.get("a", "x") == "xa40"
    store.put("c", "c", 40, "x")
    assert (keys(store), store.nbytes) == ("ac", 80)
    assert store.get("b") is None


def test_owner_over_the_budget_loses_its_own_only():
    store = filled("xa30 yb30 yc30 yd30", each=60)
    # y holds 90 of 60: its oldest goes, though that of x is older.
    assert keys(store) == "acd"
    assert (store.held_by("x"), store.held_by("y")) == (30, 60)


def test_shared_value_counts_for_each_owner_and_once_in_total():
    store = filled("xa30")
    assert store.get("a", "y") == "xa30"
    assert (store.held_by("x"), store.held_by("y"), store.nbytes) == (30, 30, 30)


def test_shared_value_stays_until_its_last_owner_gives_it_up():
    store = filled("xa40 xb10", each=50)
    store.get("a", "y")
    store.put("c", "c", 20, "x")  # x gives up a (40) and holds 30
    assert (keys(store), store.held_by("x"), store.held_by("y")) == ("abc", 30, 40)
    assert store.release("y") == 40
    assert (keys(store), store.nbytes) == ("bc", 30)


def test_release_gives_back_what_only_that_owner_used():
    store = filled("xa10 xb20 yc40")
    store.get("b", "y")
    assert store.release("x") == 10
    assert (keys(store), store.held_by("y")) == ("bc", 60)
    assert store.release("x") == 0
    assert store.release("nobody we know") == 0


def test_total_is_kept_over_all_owners():
    store = filled("xa40 yb40 zc40", total=100, each=60)
    assert (keys(store), store.held_by("x")) == ("bc", 0)


def test_using_a_value_anew_can_exceed_an_owners_share():
    store = filled("xa50 yb40", each=60)
    store.get("a", "y")  # y holds 40 + 50 of 60
    assert (keys(store), store.held_by("y")) == ("a", 50)


def test_newest_stays_even_if_too_large():
    store = filled("xa10 xb999", total=100, each=50)
    assert (keys(store), store.held_by("x")) == ("b", 999)


def test_what_is_nobodys_has_no_share_and_stays_until_it_is_let_go():
    store: Store = Store(100, 20)
    store.put("a", 1, 50)
    store.put("b", 1, 10, "x")
    assert store.get("a") == 1
    assert store.release("x") == 10
    assert (keys(store), store.release(), store.nbytes) == ("a", 50, 0)


def test_what_was_nobodys_goes_with_the_one_who_used_it():
    store: Store = Store(100)
    store.put("a", 1, 50)
    store.get("a", "x")
    assert store.release() == 0
    assert store.release("x") == 50


def test_same_key_again_replaces_the_value():
    store = filled("xa10")
    store.put("a", "new", 70, "x")
    assert (store.get("a", "x"), store.nbytes, len(store)) == ("new", 70, 1)


def test_clearing_forgets_owners_too():
    store = filled("xa10 yb20")
    store.clear()
    assert (len(store), store.nbytes, store.held_by("x")) == (0, 0, 0)


def test_negative_size_is_refused():
    with pytest.raises(ValueError, match="-1 bytes"):
        Store(10).put("a", 1, -1)


def test_many_threads_keep_the_books_straight():
    store: Store = Store(300, 100)

    def work(owner: str) -> None:
        for i in range(300):
            key = "abcdefgh"[(i * 7 + ord(owner)) % 8]
            if store.get(key, owner) is None:
                store.put(key, key, 40, owner)
            assert store.held_by(owner) <= 100
        store.release(owner)

    threads = [threading.Thread(target=work, args=(name,)) for name in "uvwxyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (len(store), store.nbytes) == (0, 0)


def held(words: str) -> list[Holding]:
    """``"xa30 yb40-"``: x holds a of 30 MB, y holds b of 40 MB, which may go."""
    found = []
    for word in words.split():
        size = int(word[2:].rstrip("-")) * 10**6
        found.append(Holding(word[0], word[1], size, not word.endswith("-")))
    return found


def room(words: str, total: int, each: int) -> str:
    gone = choose_evictions(held(words), total * 10**6, each * 10**6, what="town.tif")
    return "".join(item.key for item in gone)


def test_nothing_goes_while_there_is_room():
    assert room("xa30- xb30- yc40", 100, 60) == ""
    assert choose_evictions([], 1, 1, what="") == []


def test_own_old_things_go_first_then_those_of_others():
    words = "za20- xb30- xc30- yd10 xe40"
    # x holds 100 of 75, so b goes; then all hold 100.
    assert room(words, 100, 75) == "b"
    assert room(words, 99, 75) == "ba"


def test_what_is_needed_never_goes():
    assert room("za20 xb30 xc30- xd40", 1000, 75) == "c"
    with pytest.raises(BudgetError, match="you would hold more than 75 MB"):
        room("xb30 xc30 xd40", 1000, 75)


def test_total_is_refused_clearly_when_everything_is_needed():
    message = r"“town.tif” \(40 MB\) at the moment: all people together may hold 90 MB"
    with pytest.raises(BudgetError, match=message):
        room("xa30 yb30 zc40", 90, 50)


def test_too_large_by_itself():
    with pytest.raises(BudgetError, match="larger than the 50 MB that this computer takes"):
        room("xa10- xb60", 1000, 50)


def test_sizes_in_words():
    assert [megabytes(n) for n in (0, 3_400_000, 850_000_000, 2_500_000_000)] == [
        "1 MB", "3 MB", "850 MB", "2.5 GB",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [("300", 300 * MB), (" 1.9 ", MB), ("", 7), ("-4", 7), ("plenty", 7), ("inf", 7), ("nan", 7)],
)
def test_settings_come_from_the_environment(monkeypatch, text, expected):
    monkeypatch.setenv("RSAM_TEST_MB", text)
    assert setting("RSAM_TEST_MB", 7) == expected


def test_setting_that_is_absent(monkeypatch):
    monkeypatch.delenv("RSAM_TEST_MB", raising=False)
    assert setting("RSAM_TEST_MB", 7) == 7
