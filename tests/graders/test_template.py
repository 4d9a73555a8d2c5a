import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import NotGradable
from graders.grade import TooLarge
from graders.template import look_up, render, render_messages

ROW = {
    "item": {
        "text": "hello",
        "none": None,
        "number": 3,
        "score": 0.5,
        "yes": True,
        "list": ["a", {"deep": [10, 20]}],
        "map": {"b": 1, "a": "é"},
        "with space": "s",
        "with-dash": "d",
    },
    "sample": {"output_text": "out", "choices": [{"message": {"content": "c"}}]},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("no place", "no place"),
        ("{{ item.text }}", "hello"),
        ("{{item.text}}", "hello"),
        ("{{\n item.text\t}}", "hello"),
        ("<{{ item.text }}|{{ sample.output_text }}>", "<hello|out>"),
        ("{{ item.text }}{{ item.text }}", "hellohello"),
        ("{{ item.list[0] }}", "a"),
        ("{{ item.list[1].deep[1] }}", "20"),
        ("{{ sample.choices[0].message.content }}", "c"),
        ("{{ item.with space }} {{ item.with-dash }}", "s d"),
        ("{ item.text } {% if x %}", "{ item.text } {% if x %}"),
        ('{"a": {"b": "{{ item.text }}"}}', '{"a": {"b": "hello"}}'),
    ],
)
def test_places_are_filled(template, text):
    assert render(template, ROW) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("item.number", "3"),
        ("item.score", "0.5"),
        ("item.yes", "true"),
        ("item.none", "null"),
        ("item.map", '{"b":1,"a":"é"}'),
        ("item.list", '["a",{"deep":[10,20]}]'),
    ],
)
def test_what_is_no_text_is_compact_json(path, text):
    assert render(f"{{{{ {path} }}}}", ROW) == text


@pytest.mark.parametrize(
    "path",
    [
        "item.gone",
        "item.text.more",
        "item.list[2]",
        "item.list.0",
        "item.map[0]",
        "item.none.x",
        "item.number[0]",
        "gone",
        "request.messages",
        "",
        "item..text",
        "item.text.",
        "item.list[-1]",
        "item.list[x]",
        "item.list[0",
        "item.text | upper",
        "item.text + item.text",
        "item.__class__",
        "item.text.__len__",
    ],
)
def test_a_place_without_a_value_is_not_gradable(path):
    with pytest.raises(NotGradable) as refused:
        render(f"before {{{{ {path} }}}} after", ROW)
    assert path in str(refused.value)


def test_the_missing_step_is_named_and_values_are_not():
    with pytest.raises(NotGradable, match=r"'\.gone' is missing") as refused:
        render("{{ item.gone }}", {"item": {"secret": "my words"}})
    assert "my words" not in str(refused.value)


@pytest.mark.parametrize(
    "injected", ["{{ item.secret }}", "{{item.secret}}", "}} {{ item.secret }} {{", "{{", "\\1 \\g<0>"]
)
def test_a_rendered_value_is_never_rendered_again(injected):
    row = {"item": {"secret": "SECRET"}, "sample": {"output_text": injected, "map": {"k": injected}}}
    assert render("<{{ sample.output_text }}>", row) == f"<{injected}>"
    assert render("{{ sample.output_text }}{{ item.secret }}", row) == f"{injected}SECRET"
    assert orjson.loads(render("{{ sample.map }}", row)) == {"k": injected}


def test_two_values_do_not_make_a_place_together():
    row = {"item": {"a": "{{ item.", "b": "secret }}", "secret": "SECRET"}}
    assert render("{{ item.a }}{{ item.b }}", row) == "{{ item.secret }}"


@given(before=st.text(alphabet="ab{} \n"), value=st.text(alphabet="ab{}i.tem "), after=st.text(alphabet="ab{} \n"))
def test_a_value_stands_in_the_text_as_it_is(before, value, after):
    template = f"{before.replace('{', '(')}{{{{ item.v }}}}{after.replace('{', '(').replace('}', ')')}"
    expected = template.replace("{{ item.v }}", value, 1)
    assert render(template, {"item": {"v": value}}) == expected


def test_look_up_gives_the_value_itself():
    assert look_up("item.list[1]", ROW) == {"deep": [10, 20]}
    assert look_up("item", ROW) is ROW["item"]


def test_messages_of_text_and_of_parts():
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "{{ item.text }}!", "type": "message"},
        {"role": "user", "content": {"type": "input_text", "text": "one {{ item.text }}"}},
        {"role": "user", "content": [{"type": "input_text", "text": "{{ item.text }} "}, "{{ sample.output_text }}"]},
    ]
    assert render_messages(messages, ROW) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "hello!"},
        {"role": "user", "content": "one hello"},
        {"role": "user", "content": "hello out"},
    ]
    assert messages[1]["content"] == "{{ item.text }}!"


def test_images_and_audio_reach_the_judge_in_a_chat_messages_spelling():
    content = [
        {"type": "input_text", "text": "Look, {{ item.text }}:"},
        {"type": "input_image", "image_url": "https://e.x/{{ item.list[0] }}.png"},
        {"type": "input_audio", "input_audio": {"data": "{{ item.text }}", "format": "mp3"}},
    ]
    (message,) = render_messages([{"role": "user", "content": content}], ROW)
    assert message["content"] == [
        {"type": "text", "text": "Look, hello:"},
        {"type": "image_url", "image_url": {"url": "https://e.x/a.png", "detail": "auto"}},
        {"type": "input_audio", "input_audio": {"data": "hello", "format": "mp3"}},
    ]


def test_a_role_is_no_template():
    assert render_messages([{"role": "{{ item.text }}", "content": ""}], ROW)[0]["role"] == "{{ item.text }}"


def test_parts_in_the_spelling_of_chat_messages_stay_as_they_are():
    content = [
        {"type": "text", "text": "Look, {{ item.text }}:"},
        {"type": "image_url", "image_url": {"url": "https://e.x/{{ item.list[0] }}.png", "detail": "low"}},
        {"type": "output_text", "text": "{{ sample.output_text }}"},
    ]
    (message,) = render_messages([{"role": "user", "content": content}], ROW)
    assert message["content"] == [
        {"type": "text", "text": "Look, hello:"},
        {"type": "image_url", "image_url": {"url": "https://e.x/a.png", "detail": "low"}},
        {"type": "text", "text": "out"},
    ]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "content"),
        (7, "content"),
        ([None], "content"),
        ({"text": "no type"}, "no type"),
        ({"type": "video", "text": "x"}, "'video'"),
        ({"type": ["text"], "text": "x"}, "type"),
        ({"type": "input_text"}, "text"),
        ({"type": "text", "text": None}, "text"),
        ([{"type": "input_image"}], "image_url"),
        ([{"type": "input_image", "file_id": "file-1"}], "image_url"),
        ([{"type": "image_url", "image_url": "https://e.x"}], r"image_url\.url"),
        ([{"type": "image_url"}], r"image_url\.url"),
        ([{"type": "input_audio", "input_audio": {"format": "mp3"}}], r"input_audio\.data"),
        ([{"type": "input_audio"}], r"input_audio\.data"),
    ],
)
def test_content_that_is_no_part_of_a_message_is_refused_and_never_left_out(content, named):
    with pytest.raises(NotGradable, match=named):
        render_messages([{"role": "user", "content": content}], ROW)


@pytest.mark.parametrize(
    ("template", "text"),
    [("{{{ item.text }}}", "{hello}"), ("{{ {{ item.text }}", "{{ hello"), ("{{ {item.text} }}", "{{ {item.text} }}")],
)
def test_a_place_holds_no_brace(template, text):
    assert render(template, ROW) == text


@pytest.mark.parametrize("template", ["{{" + " " * 200_000, "{{" * 100_000, "{{ x" * 100_000, "{{}" * 100_000])
def test_a_template_without_an_end_stays_as_it_is(template):
    assert render(template, ROW) == template


def test_what_is_filled_in_is_bounded_over_all_messages():
    row = {"item": {"text": "x" * 1_000_000}}
    assert len(render("{{ item.text }}" * 10, row)) == 10_000_000
    for messages in [["{{ item.text }}" * 11], ["{{ item.text }}"] * 11]:
        with pytest.raises(TooLarge, match="10000000 letters"):
            render_messages([{"role": "user", "content": text} for text in messages], row)


def test_the_beginning_of_a_long_path_is_shown():
    with pytest.raises(NotGradable) as refused:
        render(f"{{{{ item.{'x' * 1_000} }}}}", ROW)
    assert len(str(refused.value)) < 250
