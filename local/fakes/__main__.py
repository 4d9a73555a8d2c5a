"""`python -m local.fakes --port N --lab URL [--state DIR]`: runs the fakes until SIGTERM or SIGINT.

Their S3 and their event bus are those of `AWS_ENDPOINT_URL`. Out: one line when they answer. Fails with uvicorn's
message where the port is taken.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import boto3
import uvicorn

from local.fakes.app import Fakes, create_app
from local.fakes.context import Context
from local.fakes.controls import Controls
from local.fakes.lab import Lab
from local.fakes.records import Records
from local.lab.store import Store


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m local.fakes", description="AWS's trainers, with the lab behind.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--lab", required=True, help="the lab's URL, which ends in /v1")
    parser.add_argument("--account", default="000000000000")
    parser.add_argument("--state", type=Path, help="folder that keeps what was made; nothing is kept without it")
    chosen = parser.parse_args(arguments)
    session = boto3.Session()
    context = Context(
        records=Records(Store(chosen.state), region=session.region_name or "us-east-1", account=chosen.account),
        controls=Controls(),
        lab=Lab(chosen.lab),
        s3=session.client("s3"),
        events=session.client("events"),
    )
    uvicorn.run(
        create_app(Fakes(context)),
        host=chosen.host,
        port=chosen.port,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
