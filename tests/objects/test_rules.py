"""Rules on the columns of a table, against numbers compared by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsam_core.errors import ClassifyError
from rsam_core.objects.classify.rule_matching import match
from rsam_core.objects.classify.rules import OPERATORS, Condition, Extreme, Relation, Rule

TABLE = pd.DataFrame(
    {
        "area": [10, 200, 300, 400],
        "solidity": [0.95, 0.5, np.nan, 0.9],
        "label": ["road", None, "Road", "water"],
    }
)


def hits(*items: Condition | Rule, combine: str = "and") -> list[int]:
    return np.flatnonzero(match(TABLE, Rule(items, combine))).tolist()


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        (("area", ">=", 200), [1, 2, 3]),
        (("area", ">", 200), [2, 3]),
        (("area", "<=", 200), [0, 1]),
        (("area", "<", 200), [0]),
        (("area", "=", 300), [2]),
        (("area", "!=", 300), [0, 1, 3]),
        (("area", "between", 200, 300), [1, 2]),
        (("solidity", "<", 0.92), [1, 3]),
        (("solidity", "!=", 0.5), [0, 3]),
        (("label", "=", "road"), [0, 2]),
        (("label", "!=", "road"), [3]),
    ],
)
def test_each_comparison_and_a_missing_value_never_matches(condition, rows):
    assert hits(Condition(*condition)) == rows


def test_and_or_and_brackets():
    large, solid = Condition("area", ">", 100), Condition("solidity", ">", 0.8)
    assert hits(large, solid) == [3]
    assert hits(large, solid, combine="or") == [0, 1, 2, 3]
    water = Condition("label", "=", "water")
    assert hits(Rule((solid, water), "or"), Condition("area", "<", 100)) == [0]


def test_a_missing_column_is_named():
    with pytest.raises(ClassifyError, match="no column “ndvi”"):
        hits(Condition("ndvi", ">", 0.3))
    with pytest.raises(ClassifyError, match=r"“area_m2”.*ground sample distance"):
        hits(Condition("area_m2", ">", 5))
    with pytest.raises(ClassifyError, match="columns “a”, “b”"):
        hits(Condition("a", ">", 0), Condition("b", ">", 0))


def test_words_are_not_compared_with_numbers():
    with pytest.raises(ClassifyError, match="holds words"):
        hits(Condition("label", ">", 3))
    with pytest.raises(ClassifyError, match="can only be equal"):
        Condition("label", ">", "road")


def test_an_empty_table_matches_nothing():
    assert match(TABLE.iloc[:0], Rule((Condition("area", ">", 1),))).shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("", ">", 1), "needs a column"),
        (("area", "~", 1), "no comparison"),
        (("area", ">", float("nan")), "needs a number"),
        (("area", ">", True), "needs a number"),
        (("area", ">", None), "needs a number"),
        (("area", "between", 1), "two numbers"),
        (("area", "between", 5, 1), "smaller one"),
    ],
)
def test_senseless_conditions_are_refused(arguments, says):
    with pytest.raises(ClassifyError, match=says):
        Condition(*arguments)


def test_senseless_rules_are_refused():
    one = Condition("area", ">", 1)
    with pytest.raises(ClassifyError, match="needs a condition"):
        Rule(())
    with pytest.raises(ClassifyError, match="not “xor”"):
        Rule((one,), "xor")
    # What a file holds in place of a word is named and not repeated.
    with pytest.raises(ClassifyError, match="not a list"):
        Rule((one,), ["\x98", False])
    with pytest.raises(ClassifyError, match="a group of entries is no comparison"):
        Condition("area", {"\x9b": 1}, 1)
    with pytest.raises(ClassifyError, match="made of conditions"):
        Rule(("area > 1",))
    deep = Rule((one,))
    for _ in range(7):
        deep = Rule((deep,))
    with pytest.raises(ClassifyError, match="levels deep"):
        Rule((deep,))


conditions = st.one_of(
    st.builds(
        Condition,
        st.sampled_from(["area", "solidity"]),
        st.sampled_from([op for op in OPERATORS if op != "between"]),
        st.floats(-1e6, 1e6),
    ),
    st.builds(lambda low, more: Condition("area", "between", low, low + more),
              st.floats(-1e3, 1e3), st.floats(0, 1e3)),
    st.builds(Condition, st.just("label"), st.sampled_from(["=", "!="]), st.text(max_size=5)),
)  # fmt: skip
rules = st.recursive(
    conditions,
    lambda inner: st.builds(
        Rule, st.lists(inner, min_size=1, max_size=3).map(tuple), st.sampled_from(["and", "or"])
    ),
    max_leaves=6,
)


@given(rules)
def test_json_round_trip_matches_the_same(item):
    rule = item if isinstance(item, Rule) else Rule((item,))
    back = Rule.from_json(rule.to_json())
    assert back == rule
    assert (match(TABLE, back) == match(TABLE, rule)).all()


@pytest.mark.parametrize(
    "broken", [None, [], {}, {"items": 3}, {"items": [1]}, {"items": [{"column": "area"}]}]
)
def test_broken_json_is_refused(broken):
    with pytest.raises(ClassifyError):
        Rule.from_json(broken)


def test_json_nested_too_deep_is_refused():
    data = {"items": [{"column": "area", "operator": ">", "value": 1}]}
    for _ in range(100):
        data = {"items": [data]}
    with pytest.raises(ClassifyError, match="levels deep"):
        Rule.from_json(data)


def test_a_rule_reads_as_a_sentence():
    rule = Rule((Condition("area", ">=", 200), Condition("solidity", "between", 0.5, 1)))
    assert str(rule) == "area at least 200 and solidity between 0.5 and 1"
    assert rule.columns == ("area", "solidity")


WORDS = pd.DataFrame({"colour": ["red|brown", "brown", None, "dark"], "area": [5.0, 9.0, 7.0, 9.0]})


class Told:
    """Answers for relations that a test knows beforehand."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []

    def related(self, relation, others, among=None):
        self.asked.append((relation.how, [o.tolist() for o in others], among))
        return np.array([True, False, True, True])


def test_like_looks_among_the_words_of_a_cell():
    assert match(WORDS, Rule((Condition("colour", "≈", "brown"),))).tolist() == [1, 1, 0, 0]
    assert match(WORDS, Rule((Condition("colour", "≈", "row"),))).tolist() == [0, 0, 0, 0]
    with pytest.raises(ClassifyError, match="like a word"):
        Condition("colour", "≈", 3)


def test_none_is_the_opposite_even_of_a_missing_value():
    rule = Rule((Condition("colour", "≈", "red"), Condition("area", ">", 8)), "none")
    assert match(WORDS, rule).tolist() == [0, 0, 1, 0]
    assert str(rule) == "not colour ≈ red and not area above 8"


def test_the_largest_are_those_of_the_rest_wherever_they_stand():
    brown = Condition("colour", "≈", "brown")
    for items in ((brown, Extreme("area", 1)), (Extreme("area", 1), brown)):
        assert match(WORDS, Rule(items)).tolist() == [0, 1, 0, 0]
    # Of equal ones the earlier row.
    assert match(WORDS, Rule((Extreme("area", 1),))).tolist() == [0, 1, 0, 0]
    assert match(WORDS, Rule((Extreme("area", 2, False),))).tolist() == [1, 0, 1, 0]
    assert match(WORDS, Rule((Extreme("area", 9),))).all()


def test_relations_are_asked_with_the_others_and_only_for_those_that_matter():
    told = Told()
    rule = Rule((Relation("near", (Rule((Condition("colour", "≈", "dark"),)),)),
                 Condition("area", ">", 6)))  # fmt: skip
    assert match(WORDS, rule, told).tolist() == [0, 0, 1, 1]
    ((how, others, among),) = told.asked
    assert how == "near"
    assert others == [[False, False, False, True]]
    assert among.tolist() == [False, True, True, True]
    with pytest.raises(ClassifyError, match="where they are"):
        match(WORDS, rule)


def test_relations_and_extremes_are_kept_in_json():
    water = Rule((Condition("label", "=", "water"),))
    rule = Rule((
        Relation("within", (water,), 50, "px"),
        Relation("between", (water, water)),
        Rule((Condition("area", ">", 5),), "none"),
        Extreme("area", 3, False),
    ))  # fmt: skip
    assert Rule.from_json(rule.to_json()) == rule
    assert rule.columns == ("label", "area")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Relation("under", (Rule((Condition("a", ">", 1),)),)),
        lambda: Relation("between", (Rule((Condition("a", ">", 1),)),)),
        lambda: Relation("within", (Rule((Condition("a", ">", 1),)),)),
        lambda: Relation("within", (Rule((Condition("a", ">", 1),)),), -1),
        lambda: Relation("within", (Rule((Condition("a", ">", 1),)),), 1, "feet"),
        lambda: Relation("near", ("water",)),
        lambda: Extreme("area", 0),
        lambda: Extreme("area", 1.5),
        lambda: Rule((Extreme("area", 1), Condition("a", ">", 1)), "or"),
        lambda: Rule.from_json({"items": [{"how": "near"}]}),
        lambda: Rule.from_json({"items": [{"count": "many"}]}),
    ],
)
def test_what_makes_no_sense_is_refused(make):
    with pytest.raises(ClassifyError):
        make()
