"""The real handlers in the place of the Stillhouse that wrappers talk to."""

import json
import threading

from tests.client.doubles import Stillhouse


class Deployed(Stillhouse):
    """Gives each request to the handler that the template routes it to, then lets the queues run."""

    def __init__(self, system):
        super().__init__()
        self.system = system
        self.one_at_a_time = threading.Lock()

    def answer(self, method, path, body, headers):
        sent = {name.lower(): value for name, value in headers.items() if name.lower() != "authorization"}
        key = headers["authorization"].removeprefix("Bearer ")
        with self.one_at_a_time:
            status, answer = self.system.call(method, path, body, key=key, headers=sent)
            self.system.settle()
        return status, "application/json", [json.dumps(answer).encode()]
