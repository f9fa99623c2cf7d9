"""Encoded views, and the cache that keeps the most recent ones within a memory budget."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rsam_core.runtime.budgets import UNOWNED, Store


@dataclass(frozen=True, eq=False)
class Embedding:
    """What a model has seen of a view; any number of prompts can be answered from it.

    Attributes
    ----------
    features : Any
        The model's own features; not to be changed.
    shape : tuple of int
        Height and width of the view in pixels.
    key : tuple of str
        Content hash of the view and name of the model.
    """

    features: Any
    shape: tuple[int, int]
    key: tuple[str, str]

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.features.nbytes)


def content_key(image: np.ndarray, model_name: str) -> tuple[str, str]:
    """Key of an embedding: hash of shape and pixels, and the model's name."""
    digest = hashlib.blake2b(str(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest(), model_name


@dataclass(eq=False)
class _Making:
    """One view that is being encoded, and how many threads want it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: int = 0


class EmbeddingCache:
    """Least-recently-used cache of embeddings, safe between threads.

    Two threads that ask for the same view wait for one encoding, and after one that failed the
    next of them tries; different views are encoded side by side. An embedding that had to go is
    simply made again.

    Parameters
    ----------
    budget : int
        Bytes to keep at most. The newest embedding is kept even if it alone is larger.
    each : int, optional
        Bytes to keep at most for one owner; no limit by default.
    """

    def __init__(self, budget: int = 1 << 30, each: int | None = None) -> None:
        self._lock = threading.Lock()
        self._kept: Store[Embedding] = Store(budget, each)
        self._busy: dict[tuple[str, str], _Making] = {}

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def budget(self) -> int:
        """Bytes to keep at most."""
        return self._kept.total

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        return self._kept.nbytes

    def held_by(self, owner: Hashable) -> int:
        """Bytes of the embeddings that an owner uses."""
        return self._kept.held_by(owner)

    def get(
        self, key: tuple[str, str], make: Callable[[], Embedding], owner: Hashable = UNOWNED
    ) -> Embedding:
        """The embedding of a key, made by ``make`` if it is not at hand.

        An error that ``make`` raises reaches the caller, and nothing is kept.

        Parameters
        ----------
        key : tuple of str
            See `content_key`.
        make : callable
            Encodes the view.
        owner : hashable, optional
            Who uses it, for example the name of a session; see `release`.
        """
        with self._lock:
            kept = self._kept.get(key, owner)
            if kept is not None:
                return kept
            making = self._busy.setdefault(key, _Making())
            making.threads += 1
        try:
            with making.lock:
                with self._lock:
                    kept = self._kept.get(key, owner)
                if kept is None:
                    kept = make()
                    with self._lock:
                        self._kept.put(key, kept, kept.nbytes, owner)
                return kept
        finally:
            with self._lock:
                making.threads -= 1
                # As long as anybody waits, whoever comes later must meet the same lock.
                if not making.threads:
                    self._busy.pop(key, None)

    def give_up(self, key: tuple[str, str], owner: Hashable) -> int:
        """One owner uses an embedding no more; the bytes that became free."""
        return self._kept.give_up(key, owner)

    def release(self, owner: Hashable = UNOWNED) -> int:
        """Forget an owner and what nobody else uses, or all that nobody owns; the bytes freed."""
        return self._kept.release(owner)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
