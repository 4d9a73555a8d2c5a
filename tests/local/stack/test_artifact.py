import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from local.stack.artifact import compile_command, pack

REPOSITORY = Path(__file__).resolve().parents[3]

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


def test_byte_code_holds_whatever_time_its_source_gets_in_an_archive(tmp_path):
    source = tmp_path / "api" / "handler.py"
    source.parent.mkdir()
    source.write_text("x = 1\n")
    subprocess.run(compile_command(Path(sys.executable), tmp_path), check=True)
    os.utime(source, (0, 0))
    header = Path(importlib.util.cache_from_source(source)).read_bytes()[:8]
    # A hash in place of a time (bit 0), and no look at the source (bit 1 unset).
    assert header == importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")


def test_make_build_compiles_as_the_local_stack_does():
    done = subprocess.run(
        ["make", "-n", "build"], cwd=REPOSITORY, env=os.environ, capture_output=True, check=True, text=True
    )
    python, *compiling = compile_command(Path(".venv-sam/bin/python"), Path(".aws-sam/build"))
    assert "sam build" in done.stdout
    assert done.stdout.splitlines()[-1] == " ".join(map(str, [python, *compiling]))
