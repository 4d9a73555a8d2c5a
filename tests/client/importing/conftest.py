import pytest

from stillhouse.capturing.endpoint import Endpoint
from tests.api.sdk import client_of
from tests.client.importing.build import Taking
from tests.flow.system import KEY


@pytest.fixture
def taking():
    return Taking()


@pytest.fixture
def into(system):
    """An endpoint whose requests reach the system in process."""
    endpoint = Endpoint("http://stillhouse.test/v1", KEY)
    vars(endpoint)["stored"] = client_of(system)
    return endpoint


@pytest.fixture
def listed(system):
    """What the system lists, whole."""

    def all_of_it():
        system.settle()
        return [completion.to_dict(mode="json") for completion in client_of(system).chat.completions.list(limit=100)]

    return all_of_it
