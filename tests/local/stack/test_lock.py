import os

import pytest

from local.stack.errors import StackError
from local.stack.lock import held, holder


def test_a_held_lock_names_its_process(tmp_path):
    path = tmp_path / "new" / "lock"
    with held(path):
        assert holder(path) == os.getpid()
        with pytest.raises(StackError, match=f"process {os.getpid()}"), held(path):
            pass
    assert holder(path) is None


def test_a_file_alone_is_no_lock(tmp_path):
    path = tmp_path / "lock"
    assert holder(path) is None
    path.write_text("1")
    assert holder(path) is None
