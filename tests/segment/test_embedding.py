"""The cache of encoded views: its budget, its order, and many threads at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from rsam_core.segment.embedding import Embedding, EmbeddingCache, content_key
from tests.helpers.waiting import PATIENCE


def embedding(name: str, nbytes: int) -> Embedding:
    return Embedding(SimpleNamespace(nbytes=nbytes), (8, 8), (name, "fake"))


class Maker:
    """Makes embeddings of a size and counts how often each was made."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def get(
        self, cache: EmbeddingCache, name: str, nbytes: int = 40, owner: str | None = None
    ) -> Embedding:
        def make() -> Embedding:
            self.made.append(name)
            return embedding(name, nbytes)

        return cache.get((name, "fake"), make, owner)


@pytest.fixture
def maker() -> Maker:
    return Maker()


def test_second_request_makes_nothing(maker):
    cache = EmbeddingCache(100)
    first = maker.get(cache, "a")
    assert maker.get(cache, "a") is first
    assert maker.made == ["a"]
    assert (len(cache), cache.nbytes) == (1, 40)


def test_least_recently_used_goes_first(maker):
    cache = EmbeddingCache(100)
    for name in ("a", "b", "a", "c"):  # a was used after b
        maker.get(cache, name)
    assert (len(cache), cache.nbytes) == (2, 80)
    maker.get(cache, "a")
    assert maker.made == ["a", "b", "c"]
    maker.get(cache, "b")
    assert maker.made == ["a", "b", "c", "b"]


def test_budget_counts_bytes_not_entries(maker):
    cache = EmbeddingCache(100)
    for name in "abcd":
        maker.get(cache, name, 20)
    assert cache.nbytes == 80
    maker.get(cache, "large", 70)
    # Of 150 bytes, the three oldest go: 90 are left.
    assert (len(cache), cache.nbytes) == (2, 90)
    maker.get(cache, "d")
    assert maker.made == ["a", "b", "c", "d", "large"]


def test_exactly_the_budget_is_kept(maker):
    cache = EmbeddingCache(80)
    maker.get(cache, "a")
    maker.get(cache, "b")
    assert len(cache) == 2


def test_newest_is_kept_even_if_it_alone_is_too_large(maker):
    cache = EmbeddingCache(100)
    maker.get(cache, "a")
    huge = maker.get(cache, "huge", 5000)
    assert (len(cache), cache.nbytes) == (1, 5000)
    assert maker.get(cache, "huge") is huge
    maker.get(cache, "b")
    assert cache.nbytes == 40


def test_owner_over_the_share_pays_alone_and_encodes_again(maker):
    cache = EmbeddingCache(1000, each=100)
    maker.get(cache, "other", owner="them")
    for name in ("a", "b", "c"):
        maker.get(cache, name, owner="me")
    # Of 120 bytes of mine the oldest 40 go.
    assert (cache.held_by("me"), cache.held_by("them"), cache.nbytes) == (80, 40, 120)
    maker.get(cache, "a", owner="me")
    assert maker.made == ["other", "a", "b", "c", "a"]


def test_owner_who_leaves_gives_everything_back_but_what_others_use(maker):
    cache = EmbeddingCache(1000)
    for name, owner in (("a", "me"), ("b", "me"), ("b", "them")):
        maker.get(cache, name, owner=owner)
    assert cache.release("me") == 40
    assert (len(cache), cache.held_by("them")) == (1, 40)
    assert cache.release("them") == 40
    assert cache.nbytes == 0


def test_error_reaches_the_caller_and_leaves_nothing(maker):
    cache = EmbeddingCache(100)

    def fail() -> Embedding:
        raise MemoryError("too large")

    with pytest.raises(MemoryError, match="too large"):
        cache.get(("a", "fake"), fail)
    assert (len(cache), cache.nbytes) == (0, 0)
    maker.get(cache, "a")
    assert len(cache) == 1


def test_clearing(maker):
    cache = EmbeddingCache(100)
    maker.get(cache, "a")
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)
    maker.get(cache, "a")
    assert maker.made == ["a", "a"]


def test_threads_that_want_one_view_wait_for_one_encoding():
    cache, made, all_here = EmbeddingCache(100), [], threading.Barrier(8)

    def make() -> Embedding:
        made.append(1)
        time.sleep(0.05)
        return embedding("a", 40)

    def ask(_: int) -> Embedding:
        all_here.wait(PATIENCE)
        return cache.get(("a", "fake"), make)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len(made) == 1
    assert all(item is found[0] for item in found)


def test_different_views_are_encoded_side_by_side():
    cache, together = EmbeddingCache(1000), threading.Barrier(2)

    def ask(name: str) -> Embedding:
        def make() -> Embedding:
            together.wait(PATIENCE)  # breaks unless both are being made at once
            return embedding(name, 40)

        return cache.get((name, "fake"), make)

    with ThreadPoolExecutor(2) as pool:
        assert [e.key[0] for e in pool.map(ask, "ab")] == ["a", "b"]


def test_waiting_thread_tries_again_after_another_ones_error():
    cache, entered, go_on = EmbeddingCache(100), threading.Event(), threading.Event()

    def fail() -> Embedding:
        entered.set()
        go_on.wait(PATIENCE)
        raise OSError("disk")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get, ("a", "fake"), fail)
        entered.wait(PATIENCE)
        second = pool.submit(cache.get, ("a", "fake"), lambda: embedding("a", 40))
        go_on.set()
        with pytest.raises(OSError, match="disk"):
            first.result(PATIENCE)
        assert second.result(PATIENCE).nbytes == 40
    assert len(cache) == 1


def test_after_an_error_those_who_wait_and_those_who_come_encode_one_at_a_time():
    cache, entered, go_on = EmbeddingCache(100), threading.Event(), threading.Event()
    guard, at_once, most, made = threading.Lock(), 0, 0, 0

    def fail() -> Embedding:
        entered.set()
        go_on.wait(PATIENCE)
        raise OSError("disk")

    def make() -> Embedding:
        nonlocal at_once, most, made
        with guard:
            at_once += 1
            made += 1
            most = max(most, at_once)
        time.sleep(0.05)
        with guard:
            at_once -= 1
        return embedding("a", 40)

    def come_late() -> Embedding:
        with pytest.raises(OSError, match="disk"):
            first.result(PATIENCE)
        return cache.get(("a", "fake"), make)

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(cache.get, ("a", "fake"), fail)
        entered.wait(PATIENCE)
        waiting = [pool.submit(cache.get, ("a", "fake"), make) for _ in range(3)]
        late = [pool.submit(come_late) for _ in range(3)]
        go_on.set()
        found = {id(each.result(PATIENCE)) for each in [*waiting, *late]}
    assert (most, made, len(found)) == (1, 1, 1)
    assert not cache._busy, "nothing is left of it"


def test_many_threads_within_a_small_budget():
    cache = EmbeddingCache(100)

    def ask(i: int) -> str:
        name = f"view {i % 7}"
        return cache.get((name, "fake"), lambda: embedding(name, 40)).key[0]

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(210))) == [f"view {i % 7}" for i in range(210)]
    assert cache.nbytes <= 100


def test_key_is_made_of_pixels_shape_and_model():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    key = content_key(image, "fake")
    assert content_key(image.copy(), "fake") == key
    # The same pixels at another place in memory, and not in one block.
    assert content_key(np.repeat(image, 2, axis=1)[:, ::2], "fake") == key
    other = image.copy()
    other[1, 3, 2] += 1
    keys = {
        key,
        content_key(other, "fake"),
        content_key(image, "another model"),
        content_key(image.reshape(4, 2, 3), "fake"),
    }
    assert len(keys) == 4
