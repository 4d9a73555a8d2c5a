"""Capture the calls of one client: its HTTP methods are replaced on the object, the SDK's classes stay as they are.

Every resource of the SDK (`client.chat.completions`, `client.responses`, …) makes its calls through the client's
`post`, `get`, `delete` and `get_api_list`. The replaced ones decide by the path of a call:

- `POST /chat/completions` and `POST /responses` create. They go to the provider and are shown to a `Call`. All ways to
  create (`create`, `parse`, `stream`, raw responses) end in them. One that names an alias goes where its `Plan` says.
- All other calls of `/chat/completions` are about stored completions (list, retrieve, update, delete, messages). They
  go to Stillhouse.
- Every other path goes to the provider unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from openai import APIError, AsyncOpenAI, OpenAI

from stillhouse.capturing.call import Call
from stillhouse.capturing.cascading import First, is_judged
from stillhouse.capturing.recorder import AsyncQuietStream, QuietStream, Recorder
from stillhouse.capturing.ways import AWAY, Plan, Way

_CHAT = "/chat/completions"
_RESPONSES = "/responses"
_CREATED = (_CHAT, _RESPONSES)
_STORED_METHODS = ("get", "delete", "get_api_list")
_REPLACED = ("post", *_STORED_METHODS, "copy", "with_options")
# Resources that may exist already when the client is captured. Each keeps the methods that its client had then.
_RESOURCES = (
    ("chat", "completions"),
    ("chat", "completions", "messages"),
    ("beta", "chat", "completions"),
    ("beta", "chat", "completions", "messages"),
    ("responses",),
)


def install(client: OpenAI | AsyncOpenAI, recorder: Recorder) -> None:
    """Capture the calls of this client, and of the copies that are made of it. An earlier recorder is replaced."""
    attributes = vars(client)
    if "_recorder" in attributes:
        for name in _REPLACED:
            del attributes[name]
    copy = _copy(client, recorder)
    attributes.update(
        {name: _stored(client, recorder, name) for name in _STORED_METHODS},
        post=_async_post(client, recorder) if isinstance(client, AsyncOpenAI) else _post(client, recorder),
        copy=copy,
        with_options=copy,
        stillhouse=recorder.captures,
        _recorder=recorder,
    )
    for resource in _existing(client):
        vars(resource).update({f"_{name}": attributes[name] for name in ("post", *_STORED_METHODS)})


def _existing(client: Any) -> Iterator[Any]:
    """The captured resources that were made already. Looking one up as usual would make it, and import its modules."""
    for path in _RESOURCES:
        resource = client
        for name in path:
            resource = vars(resource).get(name)
            if resource is None:
                break
        else:
            yield resource


def _copy(client: Any, recorder: Recorder) -> Callable[..., Any]:
    copy_client = client.copy

    def copy(*args: Any, **options: Any) -> Any:
        copied = copy_client(*args, **options)
        install(copied, recorder)
        return copied

    return copy


def _post(client: OpenAI, recorder: Recorder) -> Callable[..., Any]:
    provider_post: Any = client.post

    def post(path: str, **request: Any) -> Any:
        if _is_stored(path, creates=True):
            return recorder.endpoint.stored.post(path, **request)
        name = recorder.ways.names(request) if path in _CREATED else None
        if name:
            plan = recorder.ways.plan(name, client, recorder.caller(request, client))
            return _by_alias(client, recorder, plan, provider_post, path, request)
        call = _begin(client, recorder, path, request)
        answer = provider_post(path, **request)
        if call is not None:
            call.answered(answer)
        return answer

    return post


def _by_alias(  # noqa: PLR0917 - the five of `post`, and the plan
    client: OpenAI, recorder: Recorder, plan: Plan, provider_post: Any, path: str, request: dict[str, Any]
) -> Any:
    """The answer of the first way that leads to one. Where none does, raises what the first one raised.

    A cascade's target comes before all ways; where none leads to an answer, its unsure one is given.
    """
    away: Exception | None = None
    first = _first(plan, path, request)
    if first is not None and plan.first is not None:
        asked = _begin_first(client, recorder, plan.first, first, path, request)
        with suppress(APIError):
            if first.judge(_posts(plan.first, provider_post)(path, **asked)):
                return first.given()
    for way in _after(first, plan):
        asked = _on_way(way, request)
        call = _begin_way(client, recorder, way, plan, first, path, asked)
        _name_there(way, asked, client)
        try:
            answer = _posts(way, provider_post)(path, **asked)
        except _tolerated(first) as error:
            away = away or error
            continue
        if call is not None:
            call.answered(answer)
        if path == _RESPONSES:
            recorder.ways.answered(plan, way, answer)
        return answer
    if first is not None and first.answer is not None:
        return first.given()
    raise away or RuntimeError("an alias has no way")


async def _async_by_alias(  # noqa: PLR0917 - as above
    client: AsyncOpenAI, recorder: Recorder, plan: Plan, provider_post: Any, path: str, request: dict[str, Any]
) -> Any:
    """The same for async clients."""
    away: Exception | None = None
    first = _first(plan, path, request)
    if first is not None and plan.first is not None:
        asked = _begin_first(client, recorder, plan.first, first, path, request)
        with suppress(APIError):
            if first.judge(await _posts(plan.first, provider_post)(path, **asked)):
                return first.given()
    for way in _after(first, plan):
        asked = _on_way(way, request)
        call = _begin_way(client, recorder, way, plan, first, path, asked)
        _name_there(way, asked, client)
        try:
            answer = await _posts(way, provider_post)(path, **asked)
        except _tolerated(first) as error:
            away = away or error
            continue
        if call is not None:
            call.answered(answer)
        if path == _RESPONSES:
            recorder.ways.answered(plan, way, answer)
        return answer
    if first is not None and first.answer is not None:
        return first.given()
    raise away or RuntimeError("an alias has no way")


def _first(plan: Plan, path: str, request: dict[str, Any]) -> First | None:
    """The call of a cascade's target, where its answer can be judged."""
    if plan.first is None or plan.cascade is None or not is_judged(path, request):
        return None
    return First(plan.alias or {}, plan.cascade, plan.first.model)


def _after(first: First | None, plan: Plan) -> list[Way]:
    """The ways of what is not answered yet: a cascade's target has said what it says, and is no fallback behind it."""
    return plan.ways if first is None else [way for way in plan.ways if way != plan.first]


def _tolerated(first: First | None) -> tuple[type[APIError], ...]:
    """What a way may raise while there is another one, or an unsure answer that is better than none."""
    return AWAY if first is None or first.answer is None else (APIError,)


def _begin_first(  # noqa: PLR0917 - as above
    client: OpenAI | AsyncOpenAI, recorder: Recorder, way: Way, first: First, path: str, request: dict[str, Any]
) -> dict[str, Any]:
    """What a cascade's target is asked."""
    asked = _on_way(way, request)
    first.call = _begin(way.client or client, recorder, path, asked, alias=dict(first.alias))
    _name_there(way, asked, client)
    first.asks(asked)
    return asked


def _begin_way(  # noqa: PLR0917 - as above
    client: OpenAI | AsyncOpenAI,
    recorder: Recorder,
    way: Way,
    plan: Plan,
    first: First | None,
    path: str,
    asked: dict[str, Any],
) -> Call | None:
    """The call of a way, which is captured with what came of the cascade before it."""
    call = _begin(way.client or client, recorder, path, asked, alias=plan.alias)
    if first is not None and call is not None:
        call.asked_by(first.captured(kept=False), first.began)
    return call


def _posts(way: Way, provider_post: Any) -> Any:
    """What posts on a way: the application's own client as it did before, or another one, captured or not."""
    other: Any = way.client
    return provider_post if other is None else partial(type(other).post, other)


def _on_way(way: Way, request: dict[str, Any]) -> dict[str, Any]:
    """The request of a way's model, which is captured under the name that it has in Stillhouse."""
    return {**request, "body": {**request["body"], "model": way.model}}


def _name_there(way: Way, request: dict[str, Any], client: OpenAI | AsyncOpenAI) -> None:
    """Give the model the name that its provider knows.

    What the wrapper captures, the gateway does not, too. It is waited for as long, and asked as often, as the
    application has said of its own `client`.
    """
    request["body"] = {**request["body"], "model": way.model_there}
    if way.through_gateway:
        request["body"]["store"] = False
        patience = {"timeout": client.timeout, "max_retries": client.max_retries}
        request["options"] = {**patience, **(request.get("options") or {})}


def _async_post(client: AsyncOpenAI, recorder: Recorder) -> Callable[..., Any]:
    provider_post: Any = client.post

    async def post(path: str, **request: Any) -> Any:
        if _is_stored(path, creates=True):
            return await recorder.endpoint.async_stored.post(path, **request)
        name = recorder.ways.names(request) if path in _CREATED else None
        if name:
            plan = await recorder.ways.aplan(name, client, recorder.caller(request, client))
            return await _async_by_alias(client, recorder, plan, provider_post, path, request)
        call = _begin(client, recorder, path, request)
        answer = await provider_post(path, **request)
        if call is not None:
            call.answered(answer)
        return answer

    return post


def _begin(
    client: OpenAI | AsyncOpenAI,
    recorder: Recorder,
    path: str,
    request: dict[str, Any],
    *,
    alias: dict[str, Any] | None = None,
) -> Call | None:
    # An application may call `client.post` itself, with any body.
    if not isinstance(request.get("body"), dict):
        return None
    if path == _CHAT:
        quiet_stream = AsyncQuietStream if isinstance(client, AsyncOpenAI) else QuietStream
        return recorder.begin(client.base_url.host, request, quiet_stream, alias)
    if path == _RESPONSES:
        return recorder.begin_response(client.base_url.host, request, alias)
    return None


def _stored(client: Any, recorder: Recorder, name: str) -> Callable[..., Any]:
    """The method of this name: to Stillhouse for stored completions, to the provider for everything else."""
    provider_method = getattr(client, name)
    ours = "async_stored" if isinstance(client, AsyncOpenAI) else "stored"

    def method(path: str, *args: Any, **request: Any) -> Any:
        if _is_stored(path):
            # Stillhouse's client is made when it is first needed.
            return getattr(getattr(recorder.endpoint, ours), name)(path, *args, **request)
        return provider_method(path, *args, **request)

    return method


def _is_stored(path: str, *, creates: bool = False) -> bool:
    """Whether a path is about stored completions; `POST /chat/completions` itself `creates` one."""
    return path.startswith(f"{_CHAT}/") or (path == _CHAT and not creates)
