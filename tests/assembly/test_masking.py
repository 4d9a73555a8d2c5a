"""What is masked in a line: everything, for good, alike within the line, and what is JSON stays JSON."""

from __future__ import annotations

from typing import Any, get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.masking import Masker
from assembly.personal_data import spans_of
from distillations.recipe import Duplicates, NearLeaks, Recipe
from distillations.text_steps import PersonalData, PersonalDataKind
from tests.assembly.curating import completion, correction, curated
from tests.examples import examples

MAIL = "ada@lane.example"
OF_EACH_KIND = {
    "BANK_ACCOUNT": "DE89370400440532013000",
    "CARD": "4111 1111 1111 1111",
    "CRYPTO_ADDRESS": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "EMAIL": MAIL,
    "IP_ADDRESS": "2001:db8::17",
    "MAC_ADDRESS": "00:1b:44:11:3a:b7",
    "NATIONAL_ID": "536-90-4399",
    "PERSON": "Ms. Lovelace",
    "PHONE": "+44 20 7946 0958",
}
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 10**19)
    | st.text(max_size=8)
    | st.sampled_from([*OF_EACH_KIND.values()]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def masked(text: str, **settings_: Any) -> str:
    [message] = Masker(**settings_).line({"messages": [{"role": "user", "content": text}]})["messages"]
    return str(message["content"])


def test_every_kind_is_found_and_can_be_asked_for_alone() -> None:
    assert set(OF_EACH_KIND) == set(get_args(PersonalDataKind.__value__))
    whole = " and ".join(OF_EACH_KIND.values())
    assert masked(whole) == " and ".join(
        "Ms. <PERSON_1>" if kind == "PERSON" else f"<{kind}_1>" for kind in OF_EACH_KIND
    )
    for kind, text in OF_EACH_KIND.items():
        assert masked(whole, kinds=[kind]).count("<") == 1
        assert {span.kind for span in spans_of(f"it is {text} today")} == {kind}


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29",
        "1,299.00",
        "4711-0815-22",
        "999.1.1.1",
        "1234 5678 9012 3456",
        "12:30:45",
        "v1.2.3.4.5",
        "Dear all",
    ],
)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    assert masked(f"see {text} of it") == f"see {text} of it"


def test_the_same_has_one_mask_however_it_is_written() -> None:
    assert masked(f"{MAIL} {MAIL.upper()} b@c.example 4111111111111111, 4111-1111-1111-1111") == (
        "<EMAIL_1> <EMAIL_1> <EMAIL_2> <CARD_1>, <CARD_1>"
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Dear Ann-Marie Lee, Ann-Marie's and Lee.", "Dear <PERSON_1>, <PERSON_2>'s and <PERSON_3>."),
        ("Hi Ann, Ann's Annex, McAnn, Ann-Lee, _Ann", "Hi <PERSON_1>, <PERSON_1>'s Annex, McAnn, <PERSON_1>-Lee, _Ann"),
        ("Dear Ann, it is Lee. Hi Lee. Ann Lee", "Dear <PERSON_1>, it is <PERSON_2>. Hi <PERSON_2>. <PERSON_3>"),
        ("Dear team, Dear O'Neil, O'Neil", "Dear team, Dear <PERSON_1>, <PERSON_1>"),
    ],
)
def test_a_name_is_masked_wherever_it_stands_as_a_word(text: str, left: str) -> None:
    assert masked(text, kinds=["PERSON"]) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "请发到zhang@example.com谢谢你们一直以来的耐心帮助和支持我们会尽快处理这个问题",
            "请发到<EMAIL_1>谢谢你们一直以来的耐心帮助和支持我们会尽快处理这个问题",
        ),
        ("邮箱。张三@例子.公司。", "邮箱。<EMAIL_1>。"),
        ("卡号4111111111111111的卡被扣款", "卡号<CARD_1>的卡被扣款"),
        ("信用卡1234567890123456被盗", "信用卡<CARD_1>被盗"),
        ("账号DE89370400440532013000收款", "账号<BANK_ACCOUNT_1>收款"),
        ("我的手机13812345678打不通", "我的手机<PHONE_1>打不通"),
        (
            "我打过电话。后来一直没有人回复我的这个订单20240101123",
            "我打过电话。后来一直没有人回复我的这个订单20240101123",
        ),
        ("请拨+49 30 901820联系", "请拨<PHONE_1>联系"),
        ("地址是10.0.0.1吗", "地址是<IP_ADDRESS_1>吗"),
        ("設備00:1b:44:11:3a:b7です", "設備<MAC_ADDRESS_1>です"),
        ("โทร0812345678ได้เลย", "โทร<PHONE_1>ได้เลย"),
        ("บัตรหมายเลข4111111111111111หาย", "บัตรหมายเลข<CARD_1>หาย"),
        ("kim@example.com로 보내 주세요", "<EMAIL_1>로 보내 주세요"),
        ("Dear 张伟。张伟的订单", "Dear <PERSON_1>。<PERSON_1>的订单"),
        ("Hi 请问我的订单什么时候到", "Hi 请问我的订单什么时候到"),
        ("Hello 你好。请问", "Hello 你好。请问"),
        ("我是Mr. Smith。Smith的订单", "我是Mr. <PERSON_1>。<PERSON_1>的订单"),
        ("订单号为20240611123456", "订单号为20240611123456"),
    ],
)
def test_it_is_found_within_a_script_without_spaces_too(text: str, left: str) -> None:
    assert masked(text) == left


def test_what_is_much_takes_one_look_each() -> None:
    """Each would take minutes where one span, name or mask is held against all others."""
    accounts = "AB12" + "A" * 60 + "_ "
    assert spans_of(accounts * 2_000) == []
    names = [f"Dear X{_letters(number)}, " for number in range(20_000)]
    assert masked("".join(names), kinds=["PERSON"]).count("<PERSON_") == len(names)
    mails = "".join(f"{_letters(number)}@b.cc " for number in range(20_000))
    assert masked(mails, kinds=["EMAIL"]).endswith("<EMAIL_20000> ")


def _letters(number: int) -> str:
    """A name of five small letters for each number."""
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(5))


@settings(max_examples=examples(25))
@given(value=values)
def test_json_stays_json_of_the_same_shape_and_nothing_is_left_in_it(value: Any) -> None:
    text = orjson.dumps({"v": value}).decode() if _fits(value) else "{}"
    arguments = {"id": "c", "type": "function", "function": {"name": "f", "arguments": text}}
    [message] = Masker().line({"messages": [{"role": "assistant", "content": None, "tool_calls": [arguments]}]})[
        "messages"
    ]
    left = message["tool_calls"][0]["function"]["arguments"]
    assert _shape(orjson.loads(left)) == _shape(orjson.loads(text))
    assert not any(found in left for kind, found in OF_EACH_KIND.items() if kind != "PERSON")


def _fits(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return [_shape(member) for member in value.values()]
    return [_shape(member) for member in value] if isinstance(value, list) else None


def test_who_speaks_is_masked_and_what_is_called_is_not() -> None:
    said = {"role": "user", "name": "ada_lovelace", "content": f"I am {MAIL}"}
    masker = Masker()
    assert masker.message(said) == {"role": "user", "name": "PERSON_1", "content": "I am <EMAIL_1>"}
    assert masker.message({**said, "role": "assistant"})["name"] == "PERSON_1"
    assert masker.message({**said, "name": "grace"})["name"] == "PERSON_2"
    assert dict(masker.counts) == {"PERSON": 3, "EMAIL": 3}
    for left in ({**said, "role": "tool"}, {**said, "role": "system", "name": "example_user"}):
        assert Masker().message(left)["name"] == left["name"]
    assert Masker(["EMAIL"]).message(said)["name"] == "ada_lovelace"


def test_a_set_tells_how_much_was_masked_and_has_none_of_it_anywhere() -> None:
    recipe = Recipe(steps=[PersonalData(), NearLeaks(), Duplicates()], validation_share=0)
    rows = [completion(1, f"write to {MAIL}", "done"), completion(2, "write to b@c.example", "done")]
    rows.append(completion(3, "who?", f"{MAIL} of course"))
    found = curated(rows, recipe, corrections=[correction(3, role="assistant", content="not b@c.example")])
    assert found.drops == {"duplicates": 1}
    assert dict(found.curator.journal.masked) == {"EMAIL": 3}
    told = b"".join(row.model_dump_json().encode() for row in found.rows.values()) + b"".join(found.lines.values())
    assert b"@" not in told
    [_, masks] = found.rows["chatcmpl-3"].evidence
    assert (masks.rule, masks.reason, masks.masked) == (
        "personal_data",
        "Personal data was masked: 1 EMAIL.",
        {"EMAIL": 1},
    )
