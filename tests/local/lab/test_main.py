import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.lab.__main__ import main
from tests.examples import of_the_soak

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("number", [signal.SIGTERM, *of_the_soak(signal.SIGINT)])
def test_it_says_when_it_is_ready_and_a_signal_stops_it(number):
    with started() as lab:
        ready = lab.stdout.readline()
        lab.send_signal(number)
        out, err = lab.communicate(timeout=10)
        assert re.fullmatch(r"lab ready: http://127\.0\.0\.1:\d+/v1\n", ready)
        assert (out, err) == ("", "")
        assert lab.returncode in {0, -number}


@contextmanager
def started():
    command = [sys.executable, "-m", "local.lab", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as lab:
        try:
            yield lab
        finally:
            lab.kill()


def test_a_port_is_needed(capsys):
    with pytest.raises(SystemExit):
        main([])
    assert "--port" in capsys.readouterr().err
