from .description import Description, KindGuesser, describe, kinds_of
from .query import WordsQuery, words

__all__ = [
    "Description",
    "KindGuesser",
    "WordsQuery",
    "describe",
    "kinds_of",
    "words",
]
