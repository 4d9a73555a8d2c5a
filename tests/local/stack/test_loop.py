import threading

from botocore.exceptions import ClientError

from local.stack.loop import repeated


def test_it_goes_on_after_an_aws_error_and_reports_it_once():
    calls, collected, enough = [], [], threading.Event()

    def once():
        calls.append(1)
        if len(calls) > 3:
            enough.set()
            return
        raise ClientError({"Error": {"Code": "NotThere", "Message": "later"}}, "Invoke")

    with repeated("clock", once, pause=0.001, report=collected.append):
        assert enough.wait(5)
    assert collected == ["clock: An error occurred (NotThere) when calling the Invoke operation: later"]
    after = len(calls)
    assert not threading.Event().wait(0.05)
    assert len(calls) == after
