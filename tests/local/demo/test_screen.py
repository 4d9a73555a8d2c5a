import io

import pytest
from rich.console import Console

from local.demo.screen import Screen


def run(console):
    with Screen(console) as screen:
        with screen.stage("push", "Pushing", 4) as stage:
            stage.advance(3)
            stage.advance(1)
            stage.say("all [of] them")
        with screen.stage("push", "Pushing"):
            pass
        screen.say("said [red]as is[/red]")
    return screen, console.file.getvalue()


def test_off_a_terminal_each_stage_is_a_plain_line_at_start_and_end():
    screen, text = run(Console(file=io.StringIO(), width=120))
    assert list(screen.seconds) == ["push"]
    lines = text.splitlines()
    assert lines[0].endswith("Pushing …")
    assert "Pushing: 4 of 4; all [of] them (0.0 s)" in lines[1]
    assert lines[-1] == "said [red]as is[/red]"
    assert "\x1b" not in text


def test_on_a_terminal_the_stages_are_alive():
    _, text = run(Console(file=io.StringIO(), width=120, force_terminal=True))
    assert "\x1b" in text
    assert "4 of 4" in text
    assert "…" not in text


def test_a_stage_that_fails_still_has_its_seconds():
    screen = Screen(Console(file=io.StringIO()))
    with pytest.raises(ValueError, match="broken"), screen, screen.stage("push", "Pushing"):
        raise ValueError("broken")
    assert "push" in screen.seconds
