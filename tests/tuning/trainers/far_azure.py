"""Azure: OpenAI's API, the login of Microsoft Entra, and the control plane that makes deployments."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx2
from botocore.exceptions import ClientError
from openai import OpenAI

from foundation import aws
from foundation.settings import settings
from tests.tuning.trainers.far_openai import FarOpenAI
from tuning.trainers.account import Account
from tuning.trainers.azure_deployments import AzureDeployments
from tuning.trainers.openai_compatible import OpenAITrainer

ACCOUNT = Account("azure", "https://acme.openai.azure.com/openai/v1", "azure")
PLANE = {
    "tenant_id": "t-1",
    "client_id": "c-1",
    "client_secret": "hidden",
    "subscription_id": "s-1",
    "resource_group": "g",
    "account": "acme",
    "sku": "Standard",
}
DEPLOYMENTS = "/subscriptions/s-1/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/acme/deployments"


def store(plane: Any) -> None:
    """Store what the control plane is asked with, as a person does."""
    text = plane if isinstance(plane, str) else json.dumps(plane)
    name = f"{settings().STACK_NAME}/providers/azure-azure"
    try:
        aws.secretsmanager().create_secret(Name=name, SecretString=text)
    except ClientError:
        aws.secretsmanager().put_secret_value(SecretId=name, SecretString=text)


@dataclass
class FarAzure(FarOpenAI):
    student: str = "azure/gpt-4.1-mini"
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)
    processed: bool = True

    def trainer(self) -> OpenAITrainer:
        client = httpx2.Client(transport=httpx2.MockTransport(self.serve))
        at_openai_s = OpenAI(base_url=ACCOUNT.base_url, api_key="any", http_client=client)
        return OpenAITrainer(at_openai_s, ACCOUNT, AzureDeployments(ACCOUNT, client))

    def costs(self) -> list[str]:
        assert len(self.times) == len(set(self.times)), "something was deployed twice"
        return list(self.deployments)

    def deployed(self, intent: str) -> None:
        if intent in self.deployments:
            self.deployments[intent]["properties"]["provisioningState"] = "Succeeded"

    def _answer(self, request: httpx2.Request) -> tuple[int, Any]:
        if request.url.host == "login.microsoftonline.com":
            form = parse_qs(request.content.decode())
            assert (request.url.path, form["grant_type"]) == ("/t-1/oauth2/v2.0/token", ["client_credentials"])
            return 200, {"access_token": "token-1", "expires_in": 3599}
        if request.url.host == "management.azure.com":
            assert request.headers["authorization"] == "Bearer token-1"
            assert request.url.params["api-version"]
            return self._control(request)
        if request.method == "GET" and request.url.path.endswith("/files"):
            status = "processed" if self.processed else "pending"
            files = [{"id": k, "filename": v, "status": status} for k, v in self.uploads.items()]
            return 200, {"data": files, "has_more": False}
        return super()._answer(_as_openai_s(request))

    def _upload(self, request: httpx2.Request) -> tuple[int, Any]:
        status, made = super()._upload(request)
        return status, {**made, "status": "processed" if self.processed else "pending"}

    def _control(self, request: httpx2.Request) -> tuple[int, Any]:
        matched = re.fullmatch(f"{DEPLOYMENTS}/([^/]+)", request.url.path)
        assert matched, request.url.path
        name = matched.group(1)
        if request.method == "DELETE":
            return (202 if self.deployments.pop(name, None) else 204), {}
        if request.method == "PUT":
            asked = json.loads(request.content)
            self.deployments[name] = {**asked, "name": name}
            self.deployments[name]["properties"]["provisioningState"] = "Creating"
            self.times.append(name)
        if name not in self.deployments:
            return 404, {"error": {"code": "ResourceNotFound", "message": "no such deployment"}}
        return 200, self.deployments[name]


def _as_openai_s(request: httpx2.Request) -> httpx2.Request:
    """The request with the path that OpenAI has."""
    url = request.url.copy_with(path=request.url.path.removeprefix("/openai"))
    return httpx2.Request(request.method, url, headers=request.headers, content=request.content)


def make_far_side(_: Any) -> FarAzure:
    store(PLANE)
    return FarAzure()
