import pytest

from evals.slicing import LeftOut, every_tag, metadata_of, named_tags, slices

ITEM = {
    "metadata": {"app": "mail", "long": "x" * 500, "n": 3, "list": [1]},
    "label": "spam",
    "ok": True,
    "text": "x" * 65,
    "deep": {"label": "ham", "list": ["a"]},
    "none": None,
    "completion_id": "chatcmpl-1",
}


def test_every_metadata_key_and_every_short_scalar_field_is_a_tag():
    expected = {"app": "mail", "long": "x" * 500, "n": "3", "item.label": "spam", "item.ok": "true"}
    assert every_tag(ITEM) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("app", "mail"),
        ("item.label", "spam"),
        ("item.deep.label", "ham"),
        ("item.deep.list[0]", "a"),
        ("item.metadata.n", "3"),
        ("label", None),
        ("item.deep", None),
        ("item.none", None),
        ("item.text", None),
        ("item.deep.list[7]", None),
        ("item.", None),
        ("item.deep..label", None),
        ("list", None),
    ],
)
def test_a_key_is_a_path_of_the_item_or_a_metadata_key(key, value):
    assert named_tags([key])(ITEM).get(key) == value


@pytest.mark.parametrize("item", [{}, {"metadata": None}, {"metadata": "text"}])
def test_items_without_metadata_have_no_tags(item):
    assert metadata_of(item) == every_tag({**item, "metadata": None}) == named_tags(["app"])(item) == {}


def rows(**values):
    """A row for each letter under each key."""
    count = max(map(len, values.values()))
    return {str(row): {key: text[row] for key, text in values.items() if row < len(text)} for row in range(count)}


def test_rows_that_share_a_value_are_a_slice():
    kept, left_out = slices(rows(a="x" * 20 + "y" * 30, b=" " * 20))
    assert [(slice_.key, slice_.value, slice_.rows[0], len(slice_.rows)) for slice_ in kept] == [
        ("a", "x", "0", 20),
        ("a", "y", "20", 30),
        ("b", " ", "0", 20),
    ]
    assert left_out == []


def test_what_is_no_slice_is_named_with_the_reason():
    tags = rows(few="x" * 19 + "y" * 181, same="z" * 200)
    for row, own in tags.items():
        own["id"] = row
    kept, left_out = slices(tags, ["few", "absent"])
    assert [(slice_.key, slice_.value) for slice_ in kept] == [("few", "y")]
    assert [(omission.key, omission.value, omission.rows) for omission in left_out] == [
        ("absent", None, 0),
        ("few", "x", 19),
        ("id", None, 200),
        ("same", "z", 200),
    ]
    reasons = [omission.reason for omission in left_out]
    for reason, word in zip(
        reasons, ["No row has it", "Fewer than 20", "200 values; at most 50", "Every row"], strict=True
    ):
        assert word in reason


def test_the_first_twenty_keys_that_fit_are_taken():
    tags = rows(**{f"k{number:02}": "x" * 25 + "y" * 25 for number in range(22)})
    kept, left_out = slices(tags)
    assert len(kept) == 40
    assert left_out == [
        LeftOut(key=key, value=None, rows=50, reason="Only 20 keys are taken; ask for this one by name.")
        for key in ("k20", "k21")
    ]
