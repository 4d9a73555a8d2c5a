"""Make the result of `sam build` quick to deploy and to start: add byte code, and pack each directory once.

`sam deploy` packs a directory again for every function that names it, and uploads an archive as it is. In: the build
directory. Out: the same directory, whose template names archives.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

from local.stack.processes import Command

_CODE_URI = re.compile(r"^(?P<key> +CodeUri: )(?P<directory>[\w-]+)$", re.MULTILINE)
# The archive travels between processes of this machine: speed before size.
_COMPRESSION_LEVEL = 1


def compile_command(python: Path, built: Path) -> Command:
    """The command that compiles the sources once. Function processes cannot write byte code, and would at each start.

    Byte code that was copied beside the sources names their times, which an archive does not keep, so it is made anew.
    """
    return [python, "-m", "compileall", "-q", "-f", "-j", "0", "--invalidation-mode", "unchecked-hash", built]


def pack(built: Path) -> None:
    """Packs each function directory and points the built template at the archives."""
    template = built / "template.yaml"
    text = template.read_text()
    for directory in sorted({match["directory"] for match in _CODE_URI.finditer(text)}):
        if (built / directory).is_dir():
            _archive(built / directory, built / f"{directory}.zip")
    template.write_text(_CODE_URI.sub(lambda match: _archived(match, built), text))


def _archive(directory: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                # Without times of its own, the same code is the same archive, and is neither sent nor deployed again.
                entry = zipfile.ZipInfo(str(path.relative_to(directory)))
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, path.stat().st_mode << 16
                file.writestr(entry, path.read_bytes(), compresslevel=_COMPRESSION_LEVEL)


def _archived(match: re.Match[str], built: Path) -> str:
    archive = f"{match['directory']}.zip"
    return f"{match['key']}{archive}" if (built / archive).exists() else match[0]


def main() -> None:
    built, python = Path(sys.argv[1]), Path(sys.argv[2])
    subprocess.run(compile_command(python, built), check=True)
    pack(built)


if __name__ == "__main__":
    main()
