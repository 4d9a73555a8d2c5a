"""The fakes as one ASGI app: a prefix for each service, and the controls under `/fakes`.

In: requests of boto3's clients, whose `AWS_ENDPOINT_URL_BEDROCK` and the like end in `/bedrock` and the like. Out:
`create_app()`. While the app lives, a thread brings the resources on, so that events come though nobody asks.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.fakes.bedrock.imports import JOB as IMPORT_JOB
from local.fakes.bedrock.imports import Imports
from local.fakes.bedrock.jobs import JOB, Jobs
from local.fakes.bedrock.models import DEPLOYMENT, Deployments, Models
from local.fakes.bedrock.runtime import Runtime
from local.fakes.context import Context
from local.fakes.controls import Controls
from local.fakes.records import Record
from local.fakes.sagemaker import jobs as sagemaker
from local.fakes.sagemaker.hub import Hub
from local.fakes.sagemaker.runtime import Runtime as SageMakerRuntime
from local.fakes.sagemaker.scaling import Scaling
from local.fakes.sagemaker.serving import COMPONENT, CONFIG, ENDPOINT, MODEL, Serving
from local.fakes.service import Handler, Lock, Service
from local.fakes.wire import Sent

_TICK_SECONDS = 0.2


class Fakes:
    """All services over one context."""

    def __init__(self, context: Context) -> None:
        self.begin(context)

    def begin(self, context: Context) -> None:
        """Serve this context from now on."""
        self._context = context
        self.controls = context.controls
        self._lock = threading.RLock()
        self._advances: dict[str, Callable[[Record], None]] = {}
        self.services = {
            name: Service(name, handlers, context.controls, self._lock)
            for name, handlers in {**self._bedrock(), **self._sagemaker()}.items()
        }

    def tick(self) -> None:
        """Bring every resource to the state that it has by now."""
        with self._lock:
            for kind, advance in self._advances.items():
                for record in self._context.records.all(kind):
                    advance(record)

    def _service(self, name: str, handlers: Mapping[str, Handler]) -> Service:
        # Models answer side by side; what they are changes one call after the other.
        lock: Lock = nullcontext() if name.endswith("-runtime") else self._lock
        return Service(name, handlers, self._context.controls, lock)

    def _bedrock(self) -> Mapping[str, Mapping[str, Handler]]:
        jobs, models, deployments = Jobs(self._context), Models(self._context), Deployments(self._context)
        imports = Imports(self._context)
        runtime = Runtime(self._context, deployments, imports)
        self._advances |= {JOB: jobs.advance, DEPLOYMENT: deployments.advance, IMPORT_JOB: imports.advance}
        return {
            "bedrock": {
                "CreateModelCustomizationJob": jobs.create,
                "GetModelCustomizationJob": jobs.get,
                "ListModelCustomizationJobs": jobs.list,
                "StopModelCustomizationJob": jobs.stop,
                "GetCustomModel": models.get,
                "DeleteCustomModel": models.delete,
                "CreateCustomModelDeployment": deployments.create,
                "GetCustomModelDeployment": deployments.get,
                "ListCustomModelDeployments": deployments.list,
                "UpdateCustomModelDeployment": deployments.update,
                "DeleteCustomModelDeployment": deployments.delete,
                "CreateModelImportJob": imports.create,
                "GetModelImportJob": imports.get_job,
                "GetImportedModel": imports.get_model,
                "DeleteImportedModel": imports.delete_model,
            },
            "bedrock-runtime": {
                "Converse": runtime.converse,
                "ConverseStream": runtime.converse_stream,
                "InvokeModel": runtime.invoke,
            },
        }

    def _sagemaker(self) -> Mapping[str, Mapping[str, Handler]]:
        jobs, groups, hub = sagemaker.Jobs(self._context), sagemaker.Groups(self._context), Hub(self._context)
        serving, scaling = Serving(self._context), Scaling(self._context)
        self.sagemaker_runtime = SageMakerRuntime(self._context, serving)
        self._advances |= {sagemaker.JOB: jobs.advance, ENDPOINT: serving.advance, COMPONENT: serving.advance}
        return {
            "sagemaker": {
                "CreateModelPackageGroup": groups.create,
                "DescribeModelPackageGroup": groups.describe,
                "DescribeModelPackage": groups.describe_package,
                "DeleteModelPackage": groups.delete_package,
                "CreateTrainingJob": jobs.create,
                "DescribeTrainingJob": jobs.describe,
                "StopTrainingJob": jobs.stop,
                "DeleteTrainingJob": jobs.delete,
                "DescribeHubContent": hub.describe,
                "CreateModel": serving.create_model,
                "CreateEndpointConfig": serving.create_config,
                "CreateEndpoint": serving.create_endpoint,
                "CreateInferenceComponent": serving.create_component,
                "DescribeModel": partial(serving.describe, MODEL),
                "DescribeEndpointConfig": partial(serving.describe, CONFIG),
                "DescribeEndpoint": partial(serving.describe, ENDPOINT),
                "DescribeInferenceComponent": partial(serving.describe, COMPONENT),
                "DeleteModel": partial(serving.delete, MODEL),
                "DeleteEndpointConfig": partial(serving.delete, CONFIG),
                "DeleteEndpoint": partial(serving.delete, ENDPOINT),
                "DeleteInferenceComponent": partial(serving.delete, COMPONENT),
            },
            "application-autoscaling": {
                "RegisterScalableTarget": scaling.register,
                "PutScalingPolicy": scaling.put_policy,
                "DeregisterScalableTarget": scaling.deregister,
                "DescribeScalableTargets": scaling.targets,
                "DescribeScalingPolicies": scaling.policies,
            },
        }


def create_app(fakes: Fakes) -> Starlette:
    stopped = threading.Event()

    def keep_on() -> None:
        while not stopped.wait(_TICK_SECONDS):
            fakes.tick()

    @asynccontextmanager
    async def alive(_: Starlette) -> AsyncIterator[None]:
        threading.Thread(target=keep_on, daemon=True).start()
        yield
        stopped.set()

    async def call(request: Request) -> Response:
        name = request.path_params["service"]
        service = fakes.sagemaker_runtime if name == "sagemaker-runtime" else fakes.services.get(name)
        if service is None:
            return JSONResponse({"message": "no such service"}, status_code=404)
        # Only the raw path tells a slash of an ARN from one of the path.
        path = request.scope["raw_path"].decode().removeprefix(f"/{name}")
        sent = Sent(request.method, path or "/", request.url.query, request.headers, await request.body())
        reply = await run_in_threadpool(service.reply, sent)
        return Response(reply.body, reply.status, headers=reply.headers)

    async def order(request: Request) -> Response:
        return _ordered(fakes.controls, request.path_params["what"], await request.body())

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "calls": fakes.controls.calls})

    return Starlette(
        routes=[
            Route("/fakes/health", health),
            Route("/fakes/{what}", order, methods=["POST"]),
            Route("/{service}", call, methods=["POST"]),
            Route("/{service}/{rest:path}", call, methods=["GET", "POST", "PATCH", "DELETE", "PUT"]),
        ],
        lifespan=alive,
    )


def _ordered(controls: Controls, what: str, body: bytes) -> Response:
    try:
        document: dict[str, Any] = orjson.loads(body)
        controls.order(what, document)
    except (orjson.JSONDecodeError, ValidationError) as error:
        return JSONResponse({"error": str(error)}, status_code=400)
    except LookupError:
        return JSONResponse({"error": f"no control is called {what}"}, status_code=404)
    return JSONResponse({"ordered": document})
