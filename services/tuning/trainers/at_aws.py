"""What the trainers of AWS share: their files in the bucket, their errors, whom they are served by, what they cost.

In: an order for a job. Out: its files under `tuning/<intent>/` in the trainer's own format, streamed. AWS's errors
become `TrainerRefused`, with the status 404 where nothing has the name, or `TrainerAway` where they may pass.

Assumed, since AWS's pages do not say it: what a quota forbids may be asked for later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from distillations.estimates import training_cost_usd
from distillations.formats import format_named
from distillations.job import Estimate
from foundation import aws, blobs
from foundation.settings import settings
from providers.registry import configured
from tuning.trainers.trainer import Problem, ProviderJob, TrainerAway, TrainerRefused, Training
from tuning.trainers.training_file import TrainingFile

_BUSY = frozenset(
    {
        # Application Auto Scaling's, while another change of the same target is under way.
        "ConcurrentUpdateException",
        "ResourceLimitExceeded",
        "ServiceQuotaExceededException",
        "ServiceUnavailableException",
    }
)
_MISSING = frozenset({"ResourceNotFoundException", "ResourceNotFound", "ObjectNotFoundException"})
# SageMaker has no error of its own for what is not there.
_VALIDATION = "ValidationException"
_SAYS_MISSING = ("not found", "does not exist", "could not find")
_SAYS_THERE = "already exist"
_TAKEN = frozenset({"ResourceInUse", "ConflictException"})
_NOT_FOUND = 404


def plain(model: str) -> str:
    """A model's id at AWS, whatever provider stands before it."""
    return model.rpartition("/")[2]


def folder(intent: str) -> str:
    return f"tuning/{intent}/"


def uri(key: str) -> str:
    return f"s3://{settings().BUCKET}/{key}"


def stored(training: Training, split: str, file: TrainingFile, name: str) -> str:
    """Write a file of the order in the format of this name; its address in S3."""
    key = f"{folder(training.intent)}{split}.jsonl"
    format_ = format_named(name)
    blobs.put_lines(key, (format_.line(orjson.loads(line)) + b"\n" for line in file.read()))
    return uri(key)


def served_by(kind: str) -> str | None:
    """The name of the first provider of a kind; None without one."""
    return next((known.name for known in configured() if known.entry.kind == kind), None)


def missing_role(parameter: str) -> Iterator[Problem]:
    """That the stack lacks the role that AWS takes for the job."""
    if not settings().TRAINING_ROLE_ARN:
        yield Problem("model", f"the stack has no role for the job: deploy it with {parameter}=true")


def missing_provider(kind: str) -> Iterator[Problem]:
    """That the stack lacks the provider that will serve the model."""
    if served_by(kind) is None:
        yield Problem("model", f"no provider of the kind '{kind}' could serve the trained model: add one")


def estimate(training: Training, default_epochs: int | None) -> Estimate:
    """What it costs by the stack's price list; AWS's prices are in no API that is read. How long is not known."""
    cost = training_cost_usd(training.model, training.train.size, training.hyperparameters, default_epochs)
    return Estimate(cost_usd=cost)


def found(look: Callable[[str], ProviderJob], intent: str) -> ProviderJob | None:
    """The job of this name, as the trainer's `look` shows it; None where AWS knows none."""
    try:
        return look(intent)
    except TrainerRefused as refusal:
        if refusal.status != _NOT_FOUND:
            raise
    return None


def started(create: Callable[[], ProviderJob], find: Callable[[], ProviderJob | None]) -> ProviderJob:
    """The job that `create` makes, or that an earlier call has made.

    The answer to that call was lost, and the job could not be read yet when it was looked for.
    """
    try:
        return create()
    except ClientError as error:
        job = find() if is_taken(error) else None
        if job is None:
            raise
        return job


def code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def is_missing(error: ClientError) -> bool:
    """Whether AWS says that there is no such thing."""
    told = error.response["Error"]["Message"].lower()
    return code(error) in _MISSING or (code(error) == _VALIDATION and any(words in told for words in _SAYS_MISSING))


@contextmanager
def gone() -> Iterator[None]:
    """End the block where AWS knows no such thing."""
    try:
        yield
    except ClientError as error:
        if not is_missing(error):
            raise


def is_taken(error: ClientError) -> bool:
    """Whether AWS says that there is something of this name already."""
    said = error.response["Error"]["Message"].lower()
    return code(error) in _TAKEN or (code(error) == _VALIDATION and _SAYS_THERE in said)


@contextmanager
def there() -> Iterator[None]:
    """Make something, unless an earlier call has made it."""
    try:
        yield
    except ClientError as error:
        if not is_taken(error):
            raise


@contextmanager
def translated(*, busy: frozenset[str] = frozenset()) -> Iterator[None]:
    """Raise AWS's errors as those of a trainer. `busy` has the codes that may pass beside those that always do."""
    try:
        yield
    except ClientError as error:
        if aws.is_busy(error) or code(error) in _BUSY | busy:
            raise TrainerAway(str(error)) from error
        status = _NOT_FOUND if is_missing(error) else error.response["ResponseMetadata"]["HTTPStatusCode"]
        raise TrainerRefused(error.response["Error"]["Message"], code(error), status=status) from error
    except BotoCoreError as error:
        raise TrainerAway(f"AWS could not be asked: {error}") from error
