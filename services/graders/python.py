"""`python`: a source of the user's own, `def grade(sample, item) -> float`, run in the sandbox.

The source is parsed when the eval is created, and runs only in the sandbox. If it raises, or returns no finite number,
`NotGradable` is raised: the row is errored, whereas OpenAI scores 0. Source: OpenAI's guide to graders.
"""

from __future__ import annotations

import ast
import symtable
import warnings
from typing import Any, Literal

from pydantic import FiniteFloat, field_validator

from graders.grade import Grade, GraderModel, Models, NotGradable, Scale

_LARGEST = 256 * 1024
_WANTED = "function grade(sample, item)"
_ARGUMENTS = 2


class SourceFailed(NotGradable):
    """The source raised, exceeded a limit of the sandbox, or returned no number."""

    code = "python_grader_runtime_error"


class SandboxFailed(NotGradable):
    """The sandbox itself ended or failed on this row."""

    code = "python_grader_server_error"


class Python(GraderModel):
    """Passes at `pass_threshold` and above.

    `image_tag` is kept and shown, but not used: a source always has the packages of sandbox/requirements.txt.
    """

    type: Literal["python"]
    source: str
    image_tag: str | None = None
    pass_threshold: FiniteFloat = 0.5

    @field_validator("source")
    @classmethod
    def _has_grade(cls, source: str) -> str:
        if len(source.encode()) >= _LARGEST:
            raise ValueError(f"it has {len(source.encode())} bytes, and less than {_LARGEST} are taken")
        tree, names = _parsed(source)
        if "grade" not in names:
            raise ValueError(f"it has no {_WANTED}")
        for function in tree.body:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name == "grade":
                _check(function)
        return source

    def scale(self) -> Scale:
        return Scale(pass_threshold=self.pass_threshold)

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:
        answer = await models.run_source({"source": self.source, "sample": sample, "item": item})
        if error := answer.get("error"):
            printed = f"\nIt printed: {answer['output']}" if answer.get("output") else ""
            failed = SourceFailed if error["code"] == SourceFailed.code else SandboxFailed
            raise failed(f"{error['message']}{printed}")
        score = float(answer["score"])
        return Grade(passed=score >= self.pass_threshold, score=score)


def _parsed(source: str) -> tuple[ast.Module, set[str]]:
    """The source as a tree, and the names that the module itself defines, assigns or imports."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            # Parsing accepts some errors that only compiling finds, such as a return outside of a function.
            compile(tree, "source", "exec", dont_inherit=True)
            names = symtable.symtable(source, "source", "exec").get_symbols()
    except SyntaxError as error:
        raise ValueError(f"it does not compile: {error.msg} (line {error.lineno})") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("it does not compile: it is nested too deeply") from error
    return tree, {name.get_name() for name in names if name.is_assigned() or name.is_imported()}


def _check(function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    if isinstance(function, ast.AsyncFunctionDef):
        raise ValueError(f"grade is async, a plain {_WANTED} is expected")  # noqa: TRY004 - the source's fault
    if not _takes_two(function.args):
        raise ValueError(f"grade takes other arguments, a {_WANTED} is expected")


def _takes_two(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    needed = positional - len(arguments.defaults)
    keywords_needed = any(default is None for default in arguments.kw_defaults)
    return needed <= _ARGUMENTS and (positional >= _ARGUMENTS or bool(arguments.vararg)) and not keywords_needed
