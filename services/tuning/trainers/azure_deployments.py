"""How a model that Azure trained is served: by a deployment, which Azure's control plane makes.

The control plane knows no key of the model's API: it is asked with a token of Microsoft Entra, for an application that
may write deployments. What that needs lies in a secret of Secrets Manager, `<stack>/providers/<provider>-azure`. The
name of the deployment is the intent, and a PUT of it twice is one deployment. Most kinds of deployments cost by the
hour, asked or not; Azure deletes one that nobody has asked for 15 days.

Assumed, since no page that was read says it: a trained model costs nothing without a deployment, and is kept.
"""

from __future__ import annotations

from typing import NamedTuple

import httpx2
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from distillations.job import JobFailure
from foundation import aws
from foundation.settings import settings
from providers.model_version import ModelVersion
from tuning.trainers import hosted
from tuning.trainers.account import Account
from tuning.trainers.trainer import Deployment, Problem, Trained, TrainerAway, TrainerRefused, state_of

_LOGIN = "https://login.microsoftonline.com"
_MANAGEMENT = "https://management.azure.com"
_VERSION = "2024-10-01"
_CONFLICT = 409
_DEPLOYED = {
    "Accepted": False,
    "Creating": False,
    "Moving": False,
    "Succeeded": True,
    "Failed": False,
    "Canceled": False,
    "Disabled": False,
    "Deleting": False,
}
_NEVER = frozenset({"Failed", "Canceled", "Disabled", "Deleting"})


class ControlPlane(BaseModel):
    """What the secret holds, as JSON."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    tenant_id: str = Field(pattern=r"^[\w.-]{1,128}$")
    client_id: str = Field(min_length=1)
    client_secret: str = Field(min_length=1)
    subscription_id: str = Field(pattern=r"^[\w-]{1,64}$")
    resource_group: str = Field(pattern=r"^[\w().-]{1,90}$")
    account: str = Field(pattern=r"^[\w-]{1,64}$")
    sku: str = Field(pattern=r"^\w{1,32}$")
    """The kind of the deployment, such as `Standard`, `GlobalStandard` or `DeveloperTier`."""
    capacity: int = Field(default=1, ge=1, le=10_000)
    format: str = Field(default="OpenAI", min_length=1, max_length=64)
    """Whose format the base has: `OpenAI`, for open models their makers."""

    @property
    def deployments(self) -> str:
        """The path of the deployments of the account."""
        group = f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/Microsoft.CognitiveServices/accounts/{self.account}/deployments"


class _Token(NamedTuple):
    """The access that a token gives to the control plane."""

    text: str
    origin: str = _MANAGEMENT

    def key(self) -> str:
        return self.text


def make_serving(account: Account, http: httpx2.Client | None = None) -> AzureDeployments:
    return AzureDeployments(account, http)


class AzureDeployments:
    """The deployments of one account of Azure."""

    def __init__(self, account: Account, http: httpx2.Client | None = None) -> None:
        self._account = account
        self._http = http or httpx2.Client(timeout=hosted.TIMEOUT_S)

    def problems(self) -> list[Problem]:
        """What would keep the trained model from being deployed; said before anybody pays for it."""
        try:
            self._plane()
        except TrainerRefused as refusal:
            return [Problem("trainer", str(refusal))]
        return []

    def deploy(self, trained: Trained) -> Deployment:
        plane = self._plane()
        api = self._api(plane)
        path = f"{plane.deployments}/{trained.intent}"
        found = api.find(path, **{"api-version": _VERSION}) or _put(api, path, _document(plane, trained.artifact))
        state = (found.get("properties") or {}).get("provisioningState", "")
        failed = JobFailure(code="deployment_failed", message=f"Azure says that the deployment is {state}.")
        return Deployment(
            served_as=trained.intent,
            provider=self._account.name,
            ready=state_of(_DEPLOYED, state, f"deployment {trained.intent}"),
            error=failed if state in _NEVER else None,
        )

    def retire(self, model: ModelVersion) -> None:
        plane = self._plane()
        self._api(plane).delete(f"{plane.deployments}/{model.job_id or ''}", **{"api-version": _VERSION})

    def _plane(self) -> ControlPlane:
        """Raises TrainerRefused with what to store, and nothing of what is stored; TrainerAway while AWS is busy."""
        name = f"{settings().STACK_NAME}/providers/{self._account.name}-azure"
        try:
            text = aws.secretsmanager().get_secret_value(SecretId=name)["SecretString"]
            return ControlPlane.model_validate_json(text)
        except ClientError as error:
            if aws.is_busy(error):
                raise TrainerAway(f"The secret {name} could not be read: {error}") from error
            why = error.response["Error"]["Code"]
        except BotoCoreError as error:
            raise TrainerAway(f"The secret {name} could not be read: {error}") from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            why = f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}"
        message = f"The secret {name}, by which Azure deploys what it has trained, cannot be used ({why})."
        raise TrainerRefused(f"{message} See docs/how-to/train-with-openai-compatible.md.", "no_control_plane")

    def _api(self, plane: ControlPlane) -> hosted.Api:
        form = {
            "grant_type": "client_credentials",
            "client_id": plane.client_id,
            "client_secret": plane.client_secret,
            "scope": f"{_MANAGEMENT}/.default",
        }
        url = f"{_LOGIN}/{plane.tenant_id}/oauth2/v2.0/token"
        token = hosted.object_in(hosted.answer(self._http, "POST", url, data=form)).get("access_token")
        return hosted.Api(_Token(str(token)), self._http)


def _put(api: hosted.Api, path: str, document: hosted.Json) -> hosted.Json:
    """Make the deployment. Raises TrainerAway while another change of the account is under way."""
    try:
        return api.ask("PUT", path, query={"api-version": _VERSION}, json=document)
    except TrainerRefused as refusal:
        if refusal.status == _CONFLICT:
            raise TrainerAway(str(refusal)) from refusal
        raise


def _document(plane: ControlPlane, model: str) -> hosted.Json:
    return {
        "sku": {"name": plane.sku, "capacity": plane.capacity},
        "properties": {"model": {"format": plane.format, "name": model, "version": "1"}},
    }
