import zipfile

from local.stack.artifact import pack

TEMPLATE = """\
Globals:
  Function:
    CodeUri: services/
Resources:
  A:
    Properties:
      CodeUri: A-Shared
  B:
    Properties:
      CodeUri: A-Shared
  C:
    Properties:
      CodeUri: absent
"""


def test_functions_of_one_directory_share_one_archive(tmp_path):
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "A-Shared" / "api").mkdir(parents=True)
    (tmp_path / "A-Shared" / "api" / "handler.py").write_text("x = 1\n")
    pack(tmp_path)
    text = (tmp_path / "template.yaml").read_text()
    assert text == TEMPLATE.replace("CodeUri: A-Shared", "CodeUri: A-Shared.zip")
    with zipfile.ZipFile(tmp_path / "A-Shared.zip") as archive:
        assert archive.namelist() == ["api/handler.py"]
    assert sorted(entry.name for entry in tmp_path.glob("*.zip")) == ["A-Shared.zip"]
