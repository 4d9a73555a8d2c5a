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


def code_at(built):
    (built / "template.yaml").write_text(TEMPLATE)
    code = built / "A-Shared" / "api" / "handler.py"
    code.parent.mkdir(parents=True)
    code.write_text("x = 1\n")
    return code


def test_functions_of_one_directory_share_one_archive(tmp_path):
    code_at(tmp_path)
    pack(tmp_path)
    text = (tmp_path / "template.yaml").read_text()
    assert text == TEMPLATE.replace("CodeUri: A-Shared", "CodeUri: A-Shared.zip")
    with zipfile.ZipFile(tmp_path / "A-Shared.zip") as archive:
        assert archive.namelist() == ["api/handler.py"]
    assert sorted(entry.name for entry in tmp_path.glob("*.zip")) == ["A-Shared.zip"]


def test_a_script_that_lambda_starts_is_executable_in_the_archive(tmp_path):
    code = code_at(tmp_path)
    code.chmod(0o644)
    code.with_name("start").write_text("#!/bin/bash\n")
    code.with_name("start").chmod(0o755)
    pack(tmp_path)
    with zipfile.ZipFile(tmp_path / "A-Shared.zip") as archive:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    assert modes == {"api/handler.py": 0o644, "api/start": 0o755}


def test_byte_code_holds_whatever_time_its_source_gets_in_an_archive(tmp_path):
    source = tmp_path / "api" / "handler.py"
    source.parent.mkdir()
    source.write_text("x = 1\n")
    subprocess.run(compile_command(Path(sys.executable), tmp_path), check=True)
    os.utime(source, (0, 0))
    header = Path(importlib.util.cache_from_source(source)).read_bytes()[:8]
    # A hash in place of a time (bit 0), and no look at the source (bit 1 unset).
    assert header == importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")


def test_make_build_compiles_and_packs_as_the_local_stack_does(tmp_path):
    done = subprocess.run(
        ["make", "-n", "build"], cwd=REPOSITORY, env=os.environ, capture_output=True, check=True, text=True
    )
    assert "sam build" in done.stdout
    _, *packing = done.stdout.splitlines()[-1].split()
    assert packing == ["-m", "local.stack.artifact", ".aws-sam/build", ".venv-sam/bin/python"]
    code = code_at(tmp_path)
    subprocess.run([sys.executable, *packing[:2], tmp_path, sys.executable], cwd=REPOSITORY, check=True)
    with zipfile.ZipFile(tmp_path / "A-Shared.zip") as archive:
        compiled = importlib.util.cache_from_source(str(code.relative_to(tmp_path / "A-Shared")))
        assert set(archive.namelist()) == {"api/handler.py", compiled}


def test_the_same_code_is_the_same_archive(tmp_path):
    code = code_at(tmp_path)
    pack(tmp_path)
    before = (tmp_path / "A-Shared.zip").read_bytes()
    os.utime(code, (0, 0))
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    pack(tmp_path)
    assert (tmp_path / "A-Shared.zip").read_bytes() == before
