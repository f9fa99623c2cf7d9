"""Encoded views, and the cache that keeps the most recent ones within a memory budget."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


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


class EmbeddingCache:
    """Least-recently-used cache of embeddings, safe between threads.

    Two threads that ask for the same view wait for one encoding; different views are encoded
    side by side.

    Parameters
    ----------
    budget : int
        Bytes to keep at most. The newest embedding is kept even if it alone is larger.
    """

    def __init__(self, budget: int = 1 << 30) -> None:
        self.budget = budget
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Embedding] = OrderedDict()
        self._busy: dict[tuple[str, str], threading.Lock] = {}

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        with self._lock:
            return sum(e.nbytes for e in self._kept.values())

    def get(self, key: tuple[str, str], make: Callable[[], Embedding]) -> Embedding:
        """The embedding of a key, made by ``make`` if it is not at hand.

        An error that ``make`` raises reaches the caller, and nothing is kept.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            busy = self._busy.setdefault(key, threading.Lock())
        with busy:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            try:
                embedding = make()
            except BaseException:
                with self._lock:
                    self._busy.pop(key, None)
                raise
            # In one step: whoever comes next finds either the lock or the embedding.
            with self._lock:
                self._kept[key] = embedding
                self._busy.pop(key, None)
                self._trim()
            return embedding

    def _trim(self) -> None:
        total = sum(e.nbytes for e in self._kept.values())
        while total > self.budget and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            total -= oldest.nbytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
