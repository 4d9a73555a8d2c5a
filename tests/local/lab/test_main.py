import os
import re
import signal
import time
from pathlib import Path

import pytest

from local.lab.__main__ import main
from tests.examples import of_the_soak


@pytest.mark.parametrize("number", [signal.SIGTERM, *of_the_soak(signal.SIGINT)])
def test_it_says_when_it_is_ready_and_a_signal_stops_it(number, fresh):
    process = fresh.begin("local.lab.__main__", "--port", "0")
    written = Path(f"/proc/{process}/fd/1")
    while not written.read_text().endswith("\n"):
        time.sleep(0.01)
    os.kill(process, number)
    out, err, status = fresh.end()
    assert re.fullmatch(r"lab ready: http://127\.0\.0\.1:\d+/v1\n", out)
    assert err == ""
    assert status in {0, -number}


def test_a_port_is_needed(capsys):
    with pytest.raises(SystemExit):
        main([])
    assert "--port" in capsys.readouterr().err
