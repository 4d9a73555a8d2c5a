"""What hosted trainers share: JSON over HTTP in an account, their errors, the names that a trainer has for things.

In: requests in an account. Out: answers as dicts, or TrainerRefused with the trainer's words and status, or TrainerAway
where another attempt may help. No call is made twice by itself: a second
POST could be a second job, and a function that waits for a trainer three times is stopped before it knows.
"""

from __future__ import annotations

from typing import IO, Any, Protocol

import httpx2

from distillations.estimates import training_cost_usd
from distillations.job import Estimate
from foundation import foreign_json
from foundation.foreign_json import NotJSON
from providers.key import KeyUnusable
from tuning.trainers.trainer import TrainerAway, TrainerRefused, Training

type Json = dict[str, Any]

# Twice within the 120 s of a function.
TIMEOUT_S = 40
_NOT_FOUND = 404
_AWAY = frozenset({408, 425, 429})
_FIRST_REFUSAL = 400
_FIRST_SERVER_ERROR = 500


def estimate(training: Training, default_epochs: int | None) -> Estimate:
    """What it costs by the stack's price list. How long it takes is not known."""
    cost = training_cost_usd(training.model, training.train.size, training.hyperparameters, default_epochs)
    return Estimate(cost_usd=cost)


def chosen(hyperparameters: Json, names: dict[str, str]) -> Json:
    """What was chosen, by the trainer's names; what is `auto` is left to it."""
    return {names[name]: value for name, value in hyperparameters.items() if value != "auto"}


class Refused(TrainerRefused):
    """A refusal with the object in its answer, empty where that holds none."""

    def __init__(self, message: str, code: str, status: int, body: Json) -> None:
        super().__init__(message, code, status=status)
        self.body = body


class Access(Protocol):
    """Where an API is, and what it is asked with."""

    @property
    def origin(self) -> str:
        """The beginning of its URL, up to the path."""
        ...

    def key(self) -> str: ...


class Api:
    """A trainer's API. Paths begin behind the host."""

    def __init__(self, account: Access, http: httpx2.Client | None = None) -> None:
        self._account = account
        self._http = http or httpx2.Client(timeout=TIMEOUT_S)

    def get(self, path: str, **query: str) -> Json:
        return self.ask("GET", path, query=query)

    def find(self, path: str, **query: str) -> Json | None:
        """What is there; None where nothing is."""
        try:
            return self.get(path, **query)
        except TrainerRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
        return None

    def items(self, path: str) -> list[Json]:
        """The objects of a list, which is the answer itself or lies in its `data`."""
        listed = _read(self.send("GET", path))
        found = listed.get("data") if isinstance(listed, dict) else listed
        return [item for item in found or [] if isinstance(item, dict)]

    def post(self, path: str, document: Json, **query: str) -> Json:
        return self.ask("POST", path, json=document, query=query)

    def delete(self, path: str, **query: str) -> None:
        """Delete what is there. What is gone already is no error."""
        try:
            self.ask("DELETE", path, query=query)
        except TrainerRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise

    def ask(self, method: str, path: str, *, query: dict[str, str] | None = None, **content: Any) -> Json:
        """The object in the answer, an empty one where it holds none."""
        return object_in(self.send(method, path, params=query, **content))

    def send(self, method: str, path: str, **content: Any) -> httpx2.Response:
        """Ask; a redirect is an answer, too. Raises TrainerAway while the key cannot be used: a person must mend it."""
        url = f"{self._account.origin}{path}"
        return answer(self._http, method, url, headers={"Authorization": f"Bearer {self._key()}"}, **content)

    def _key(self) -> str:
        try:
            key = self._account.key()
            key.encode("ascii")
        except KeyUnusable as error:
            raise TrainerAway(str(error)) from error
        except UnicodeError as error:
            raise TrainerAway("The provider's key has a character that no header takes: store it anew.") from error
        return key

    def put_file(self, url: str, file: IO[bytes], size: int, headers: dict[str, str] | None = None) -> None:
        """Send a file of `size` bytes to an address that is signed: the key does not go there."""
        if not url.startswith("https://"):
            raise TrainerRefused("The trainer wants the training set at an address without TLS.", "insecure_upload")
        sent = {"Content-Length": str(size), **(headers or {})}
        answer(self._http, "PUT", url, content=file, headers=sent)


def answer(http: httpx2.Client, method: str, url: str, **content: Any) -> httpx2.Response:
    """Ask, and raise what is no answer as that of a trainer."""
    try:
        response = http.request(method, url, follow_redirects=False, **content)
    except httpx2.TransportError as error:
        raise TrainerAway(f"The trainer did not answer: {type(error).__name__}.") from error
    _raise_error(response)
    return response


def _raise_error(response: httpx2.Response) -> None:
    status = response.status_code
    if status < _FIRST_REFUSAL:
        return
    read = _read(response)
    body = read if isinstance(read, dict) else {}
    message, code = _told(body)
    message = message or f"HTTP {status}"
    if status in _AWAY or status >= _FIRST_SERVER_ERROR:
        raise TrainerAway(f"The trainer answered {status}: {message}")
    raise Refused(message, code or f"http_{status}", status, body)


def _read(response: httpx2.Response) -> Any:
    """What an answer holds, whatever its status; an empty object where it is no JSON."""
    try:
        return foreign_json.read(response.content)
    except NotJSON:
        return {}


def _told(body: Json) -> tuple[str, str]:
    """The message and the code of an error, wherever they stand."""
    error = body.get("error", body)
    if not isinstance(error, dict):
        return str(error), ""
    return str(error.get("message") or ""), str(error.get("code") or error.get("type") or "")


def object_in(response: httpx2.Response) -> Json:
    """The object in an answer, an empty one where it holds nothing. Raises TrainerAway at anything else."""
    if not response.content.strip():
        return {}
    try:
        document = foreign_json.read(response.content)
    except NotJSON as error:
        raise TrainerAway("The trainer's answer is no JSON.") from error
    if not isinstance(document, dict):
        raise TrainerAway("The trainer's answer is no JSON object.")
    return document
