"""`python -m local.stack run|build|up|down|reset|status|env`: `run` stays in the foreground, `up` does not.

`down` stops and keeps what was captured, `reset` stops and wipes it, `env` prints lines for a shell, `build` builds
what the others deploy.
"""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from local.stack import control, deploy, supervisor
from local.stack.errors import StackError
from local.stack.info import StackInfo, exports
from local.stack.layout import Layout
from local.stack.lock import held


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument("verb", choices=list(_VERBS))
    verb = parser.parse_args().verb
    try:
        return _VERBS[verb](Layout.of_checkout())
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped")
        return 130 if verb == "up" else 0


def _run(layout: Layout) -> NoReturn:
    supervisor.run(layout, _report, ready=_show)


def _serve(layout: Layout) -> NoReturn:
    """What `up` starts: as `run`, and leaves it to `up` to say that it is ready."""
    supervisor.run(layout, _report, ready=lambda _: None)


def _build(layout: Layout) -> int:
    with held(layout.local / "up.lock", wait=True):
        deploy.build(layout, _report)
    return 0


def _up(layout: Layout) -> int:
    _show(control.ensure_up(_report, layout))
    return 0


def _down(layout: Layout) -> int:
    print("stopped; the next start has all that was captured" if control.down(layout) else "the local stack is not up")
    return 0


def _reset(layout: Layout) -> int:
    control.reset(layout)
    print("stopped, and what was captured is wiped")
    return 0


def _status(layout: Layout) -> int:
    info = control.running(layout)
    if info is None:
        print("the local stack is not up")
        return 1
    _show(info)
    return 0


def _env(layout: Layout) -> int:
    info = control.running(layout)
    if info is None:
        raise StackError("the local stack is not up: run 'make local-up'")
    for line in exports(info):
        print(line)
    return 0


def _report(line: str) -> None:
    print(line, flush=True)


def _show(info: StackInfo) -> None:
    _report(f"ready: {info.pages_url} in a browser, and sign in with the key")
    _report(f"  api      {info.api_url}")
    _report(f"  gateway  {info.gateway_url}")
    _report(f"  key      {info.api_key}")
    _report(f"  lab      {info.lab_url} with lab-large, lab-small, lab-judge; their prices are examples")
    _report(f"  fakes    {info.fakes_url} stands for Bedrock; the lab trains and answers behind it")
    _report(f"  aws      AWS_ENDPOINT_URL={info.endpoint_url}")


_VERBS = {
    "run": _run,
    "serve": _serve,
    "build": _build,
    "up": _up,
    "down": _down,
    "reset": _reset,
    "status": _status,
    "env": _env,
}


if __name__ == "__main__":
    sys.exit(main())
