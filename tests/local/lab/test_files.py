import openai
import pytest
from openai.types import FileObject


def put(sdk, name="a.jsonl", purpose="fine-tune", content=b'{"messages": []}\n'):
    return sdk.files.create(file=(name, content), purpose=purpose)


def test_a_file_comes_back_as_it_went_up(sdk):
    file = put(sdk, content=b"caf\xc3\xa9\r\n\x00")
    assert (file.bytes, file.filename, file.purpose, file.status) == (8, "a.jsonl", "fine-tune", "processed")
    assert sdk.files.content(file.id).content == b"caf\xc3\xa9\r\n\x00"
    assert sdk.files.retrieve(file.id) == file


def test_the_object_is_openais(lab):
    made = lab.post("/v1/files", files={"file": ("x.jsonl", b"{}")}, data={"purpose": "batch"}).json()
    assert FileObject.model_validate(made, strict=True).to_dict() == made


def test_an_expiry_is_kept(lab):
    data = {"purpose": "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    made = lab.post("/v1/files", files={"file": ("x", b"{}")}, data=data).json()
    assert made["expires_at"] == made["created_at"] + 3600
    data["expires_after[seconds]"] = "5"
    assert lab.post("/v1/files", files={"file": ("x", b"{}")}, data=data).status_code == 400


def test_lists_are_newest_first_in_pages_and_by_purpose(sdk):
    made = [put(sdk, str(number)).id for number in range(5)]
    other = put(sdk, purpose="evals").id
    assert [file.id for file in sdk.files.list(limit=2)] == [other, *reversed(made)]
    assert [file.id for file in sdk.files.list(purpose="fine-tune", order="asc")] == made
    assert sdk.files.list(after="file-gone").data == []


def test_a_deleted_file_is_gone(sdk):
    file = put(sdk)
    assert sdk.files.delete(file.id).deleted
    for call in (sdk.files.retrieve, sdk.files.delete, sdk.files.content):
        with pytest.raises(openai.NotFoundError):
            call(file.id)


@pytest.mark.parametrize(
    ("parts", "data", "param"),
    [
        ({}, {"purpose": "fine-tune"}, "file"),
        ({"file": ("x", b"{}")}, {}, "purpose"),
        ({"file": ("x", b"{}")}, {"purpose": "fun"}, "purpose"),
    ],
)
def test_a_bad_upload_names_the_part(lab, parts, data, param):
    answer = lab.post("/v1/files", files=parts or None, data=data)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
