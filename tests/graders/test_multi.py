import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graders.formula import Formula
from tests.graders.asking import criterion, grade

CHECK = {"type": "string_check", "input": "{{ sample.output_text }}", "reference": "a", "operation": "like"}
MULTI = {"type": "multi", "name": "m", "graders": {"one": CHECK}, "calculate_output": "one", "pass_threshold": 0.5}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("1", 1),
        (" .5 + 1.5e1 ", 15.5),
        ("1 - 2 - 3", -4),
        ("8 / 4 / 2", 1),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("2 ^ -1", 0.5),
        ("--a", 0.25),
        ("3 * -a", -0.75),
        ("min(a, b, 1)", 0.25),
        ("max(a, b)", 4),
        ("max(a)", 0.25),
        ("abs(-b) + floor(1.7) + ceil(1.2)", 7),
        ("exp(0) + sqrt(b) + log(1)", 3),
        ("min(max(a, 0.5), sqrt(b)) / 2", 0.25),
        ("a_1 + A", 7),
        ("+".join(["1"] * 500), 500),
    ],
)
def test_values(formula, value):
    assert Formula(formula).value({"a": 0.25, "b": 4.0, "a_1": 2.0, "A": 5.0}) == value


@pytest.mark.parametrize(
    ("formula", "place"),
    [
        ("", "at its end"),
        ("1 +", "at its end"),
        ("(1", "at its end"),
        ("1)", r"at '\)', its part 2"),
        ("a b", "at 'b', its part 2"),
        ("1..2", r"part 2"),
        ("a ** b", r"at '\*', its part 3"),
        ("a.b", r"at '\.'"),
        ("a[0]", r"at '\['"),
        ("__import__('os')", "none of the functions"),
        ("eval(a)", "none of the functions"),
        ("sqrt()", r"at '\)'"),
        ("sqrt(1, 2)", "takes 1 argument, not 2"),
        ("+a", r"at '\+'"),
        ("a; b", "at ';'"),
        ("é", "at 'é'"),
        ("(" * 50 + "a" + ")" * 50, "levels deep"),
        ("-" * 900 + "a", "levels deep"),
        ("1+" * 600 + "1", "at most 1000 characters"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(formula, place):
    with pytest.raises(ValueError, match=place):
        Formula(formula)


@pytest.mark.parametrize(
    "formula",
    [
        *("1 / 0", "log(0)", "log(-1)", "sqrt(-1)", "9 ^ 9 ^ 9 ^ 9", "exp(1000)", "1e308 * 10", "0 ^ -1"),
        *("(-1) ^ 0.5", "floor((-1) ^ 0.5)", "max((-1) ^ 0.5, 1)", "abs((-1) ^ 0.5)", "(-8) ^ (1 / 3) * 0"),
        *("floor(9) ^ floor(3000000)", "ceil(9) ^ ceil(3000000)", "floor(1e308 * 10)"),
    ],
)
def test_a_formula_without_a_finite_value(formula):
    with pytest.raises((ArithmeticError, ValueError)):
        Formula(formula).value({})


arithmetic = st.recursive(
    st.integers(0, 9).map(str) | st.sampled_from(["a", "b"]),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner) | inner.map("-{}".format),
    max_leaves=12,
)


@given(arithmetic)
def test_formulas_mean_what_they_mean_in_python(formula):
    scores = {"a": 0.5, "b": 3.0}
    assert Formula(formula).value(scores) == pytest.approx(float(eval(formula, {}, scores)))  # noqa: S307


@given(st.text(alphabet="ab01.+-*/^(), minlog", max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        formula = Formula(text)
    except ValueError:
        return
    assert formula.names or any(character.isdigit() for character in text)


@pytest.mark.parametrize(
    "graders",
    [{"one": CHECK}, {"one": {"name": "other", **CHECK}}, [{"name": "one", **CHECK}], {"name": "one", **CHECK}],
)
def test_graders_come_as_a_map_a_list_or_one(graders):
    result = grade({**MULTI, "graders": graders}, {}, {"output_text": "a"})
    assert result.passed
    assert result.sample == {"graders": {"one": {"passed": True, "score": 1.0, "sample": None}}}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"graders": {}}, "graders"),
        ({"graders": "one"}, "graders"),
        ({"graders": [CHECK]}, "one"),
        ({"graders": [{"name": "one", **CHECK}, {"name": "one", **CHECK}]}, "name of its own"),
        ({"graders": [{"name": "one", **CHECK}, 7]}, "name of its own"),
        ({"graders": {"my one": CHECK}}, "'my one' cannot stand in a formula"),
        ({"graders": {"one": {**CHECK, "operation": "matches"}}}, "operation"),
        ({"graders": {"one": {**MULTI}}}, "do not nest"),
        ({"graders": {"one": {"type": "magic"}}}, "magic"),
        ({"graders": {"one": 7}}, "one"),
        ({"calculate_output": "one + two"}, "two"),
        ({"calculate_output": "one +"}, "at its end"),
        ({"pass_threshold": None}, "pass_threshold"),
        ({"pass_threshold": float("inf")}, "pass_threshold"),
    ],
)
def test_a_wrong_definition_is_refused_and_named(change, named):
    with pytest.raises(ValidationError, match=named):
        criterion({**MULTI, **change})


def test_a_stored_definition_reads_as_it_was():
    wanted = criterion(MULTI)
    assert criterion(wanted.model_dump(mode="json")) == wanted
