import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.lab.__main__ import main

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, {0, -signal.SIGTERM}), (signal.SIGINT, {0})])
def test_it_says_when_it_is_ready_and_a_signal_stops_it(sent, status):
    command = [sys.executable, "-m", "local.lab", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as lab:
        try:
            ready = lab.stdout.readline()
            lab.send_signal(sent)
            out, err = lab.communicate(timeout=10)
        finally:
            lab.kill()
    assert re.fullmatch(r"lab ready: http://127\.0\.0\.1:\d+/v1\n", ready)
    assert (out, err) == ("", "")
    assert lab.returncode in status


def test_a_port_is_needed(capsys):
    with pytest.raises(SystemExit):
        main([])
    assert "--port" in capsys.readouterr().err
