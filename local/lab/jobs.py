"""Fine-tuning jobs: their states, their events, and the training itself.

In: checked job requests. Out: job and event objects; after success a student under the job's own model name.
Each job has a thread, so that requests are answered meanwhile; trainings run one at a time. A file that
cannot be learnt from ends in `failed` with `invalid_training_file`. `n_epochs` is real (passes over the
examples, `auto` is 10); batch size and learning rate have no meaning for these models and are only echoed.
`trained_tokens` is the file's tokens times the passes. As at OpenAI the models after the last three passes are kept;
the earlier two learn when they are first asked.
"""

import threading
import time
from functools import partial
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, Field

from local.lab.models import Models
from local.lab.rows import RowError, TrainingFile, read_training_file
from local.lab.store import Store
from local.lab.student import Example, Student, train
from local.lab.wire import new_id

_KIND, _LESSONS = "jobs", "job_lessons"
_PASSES = 10
_KEPT = 3
_PAUSED = "paused"
_OPEN = ("validating_files", "queued", "running", _PAUSED)
_LARGEST_SEED = 2**31 - 1


class Hyperparameters(BaseModel):
    """OpenAI's hyperparameters of supervised fine-tuning."""

    batch_size: Literal["auto"] | Annotated[int, Field(ge=1, le=256)] = "auto"
    learning_rate_multiplier: Literal["auto"] | Annotated[float, Field(gt=0)] = "auto"
    n_epochs: Literal["auto"] | Annotated[int, Field(ge=1, le=50)] = "auto"


class _Supervised(BaseModel):
    hyperparameters: Hyperparameters | None = None


class _Method(BaseModel):
    type: Literal["supervised"]
    supervised: _Supervised | None = None


class JobRequest(BaseModel):
    """The body of a request for a job."""

    model: Annotated[str, Field(min_length=1)]
    training_file: Annotated[str, Field(min_length=1)]
    validation_file: str | None = None
    suffix: Annotated[str, Field(max_length=64, pattern=r"^[\w.-]*$")] | None = None
    seed: Annotated[int, Field(ge=0, le=_LARGEST_SEED)] | None = None
    method: _Method | None = None
    hyperparameters: Hyperparameters | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
            Field(max_length=16),
        ]
        | None
    ) = None

    def chosen_hyperparameters(self) -> Hyperparameters:
        supervised = self.method.supervised if self.method else None
        chosen = supervised.hyperparameters if supervised else None
        return chosen or self.hyperparameters or Hyperparameters()


class Job:
    """One job; `about` is its object as callers see it."""

    def __init__(self, wanted: JobRequest, seed: int) -> None:
        hyperparameters = wanted.chosen_hyperparameters().model_dump()
        self.events: list[dict[str, Any]] = []
        self._changing = threading.Condition()
        self.about: dict[str, Any] = {
            "id": new_id("ftjob-"),
            "object": "fine_tuning.job",
            "created_at": int(time.time()),
            "error": None,
            "fine_tuned_model": None,
            "finished_at": None,
            "hyperparameters": hyperparameters,
            "model": wanted.model,
            "organization_id": "org-lab",
            "result_files": [],
            "seed": seed,
            "status": "validating_files",
            "trained_tokens": None,
            "training_file": wanted.training_file,
            "validation_file": wanted.validation_file,
            "estimated_finish": None,
            "integrations": [],
            "metadata": wanted.metadata,
            "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
            "suffix": wanted.suffix,
        }

    @classmethod
    def kept(cls, document: bytes) -> Self:
        """The job that was kept as this document."""
        about, events = orjson.loads(document)
        job = cls(JobRequest.model_validate(about), about["seed"])
        job.about, job.events = about, events
        return job

    @property
    def checkpoints(self) -> dict[int, str]:
        """The names of the models that were kept, by the pass after which they were, the last one first."""
        name = self.about["fine_tuned_model"]
        return {self.passes: name, **self.early_names(name)} if self.about["status"] == "succeeded" else {}

    def early_names(self, name: str) -> dict[int, str]:
        """What the models before the last pass are called, where that one is called `name`."""
        early = range(self.passes - 1, max(0, self.passes - _KEPT), -1)
        return {step: f"{name}:ckpt-step-{step}" for step in early}

    def document(self) -> bytes:
        return orjson.dumps([self.about, self.events])

    @property
    def is_open(self) -> bool:
        return self.about["status"] in _OPEN

    @property
    def passes(self) -> int:
        epochs = self.about["hyperparameters"]["n_epochs"]
        return _PASSES if epochs == "auto" else epochs

    def move(self, status: str, message: str, *, level: str = "info", **fields: Any) -> bool:
        """Enter a status unless the job has already ended; says whether it did."""
        with self._changing:
            if self.about["status"] not in _OPEN:
                return False
            if status not in _OPEN:
                fields["finished_at"] = int(time.time())
            self.about = {**self.about, **fields, "status": status}
            self.tell(message, level=level)
            self._changing.notify_all()
            return True

    def step(self, status: str, message: str, **fields: Any) -> bool:
        """The same for a step of the work, which waits while the job is paused."""
        with self._changing:
            self._changing.wait_for(lambda: self.about["status"] != _PAUSED)
            return self.move(status, message, **fields)

    def begin(self) -> bool:
        """Begin the training unless the job is paused or has ended; says whether it did."""
        with self._changing:
            return self.about["status"] != _PAUSED and self.move("running", "Fine-tuning job started")

    def resume(self) -> bool:
        """Go on with the job if it is paused; says whether it was."""
        with self._changing:
            return self.about["status"] == _PAUSED and self.move("queued", "The job was resumed")

    def fail(self, code: str, message: str) -> None:
        param = code.removeprefix("invalid_") if code.startswith("invalid_") else None
        fault = {"code": code, "message": message, "param": param}
        self.move("failed", message, level="error", error=fault)

    def tell(self, message: str, *, level: str = "info", metrics: dict[str, Any] | None = None) -> None:
        event = {
            "id": new_id("ft-event-"),
            "object": "fine_tuning.job.event",
            "created_at": int(time.time()),
            "level": level,
            "message": message,
            "type": "metrics" if metrics else "message",
            "data": metrics or {},
        }
        self.events.append(event)


class Trainer:
    """Starts jobs and runs each to its end; keeps the jobs and their training examples in the store."""

    def __init__(self, models: Models, store: Store) -> None:
        self._models = models
        self._store = store
        self._turn = threading.Lock()

    def keep(self, job: Job) -> None:
        self._store.keep(_KIND, job.about["id"], job.document())

    def kept(self) -> dict[str, Job]:
        """The jobs from before a restart, oldest first. Their models answer again; open jobs start anew."""
        jobs = [Job.kept(document) for document in self._store.kept(_KIND).values()]
        jobs.sort(key=lambda job: job.about["created_at"])
        lessons = self._store.kept(_LESSONS)
        for job in jobs:
            training = lessons.get(job.about["id"], b"")
            if job.about["status"] == "succeeded":
                self._keep_models(job, training, job.checkpoints)
            elif job.is_open:
                job.tell("The lab was restarted, and the job begins again")
                self._run_aside(job, training, None)
        return {job.about["id"]: job for job in jobs}

    def start(self, job: Job, training: bytes, validation: bytes | None) -> None:
        self._store.keep(_LESSONS, job.about["id"], training)
        self.keep(job)
        job.tell(f"Created fine-tuning job: {job.about['id']}")
        job.tell(f"Validating training file: {job.about['training_file']}")
        self._run_aside(job, training, validation)

    def _run_aside(self, job: Job, training: bytes, validation: bytes | None) -> None:
        # A daemon, so that the lab stops at once whatever it is learning.
        threading.Thread(target=self._run, args=(job, training, validation), daemon=True).start()

    def _run(self, job: Job, training: bytes, validation: bytes | None) -> None:
        try:
            self._see_through(job, training, validation)
        except Exception as error:
            # Nobody sees an exception of a thread, so the job fails with it and the log has the traceback.
            job.fail("training_failed", f"The training stopped: {error}")
            raise
        finally:
            self.keep(job)

    def _see_through(self, job: Job, training: bytes, validation: bytes | None) -> None:
        try:
            lesson = read_training_file(training)
        except RowError as error:
            job.fail("invalid_training_file", f"The job failed due to an invalid training file. {error}")
            return
        try:
            check = None if validation is None else read_training_file(validation, fewest=1)
        except RowError as error:
            job.fail("invalid_validation_file", f"The job failed due to an invalid validation file. {error}")
            return
        while job.step("queued", "Files validated, moving job to queued state"):
            # A job that is paused while it waits for its turn gives the turn away.
            with self._turn:
                student = self._learnt(job, lesson, check) if job.begin() else None
            if student:
                self._finish(job, student, lesson, training)
                return

    def _keep_models(self, job: Job, training: bytes, names: dict[int, str]) -> None:
        """Register models of a job, by the passes that they learn in when they are first asked."""
        for passes, name in names.items():
            self._models.add_kept(name, partial(_learnt_again, job, training, passes), owned_by="org-lab")

    def _learnt(self, job: Job, lesson: TrainingFile, check: TrainingFile | None) -> Student:
        student = train(lesson.examples, seed=job.about["seed"], passes=job.passes)
        _tell_learnt(job, student, lesson.examples, check.examples if check else [])
        return student

    def _finish(self, job: Job, student: Student, lesson: TrainingFile, training: bytes) -> None:
        name = f"ft:{job.about['model']}:lab:{job.about['suffix'] or ''}:{job.about['id']}"
        early = job.early_names(name)
        # The models answer before the job says so; a job cancelled meanwhile takes them back.
        self._models.add(name, student, owned_by="org-lab")
        self._keep_models(job, training, early)
        job.tell(f"New fine-tuned model created: {name}")
        done = "The job has successfully completed"
        tokens = lesson.tokens * job.passes
        if not job.step("succeeded", done, fine_tuned_model=name, trained_tokens=tokens):
            for made in (name, *early.values()):
                self._models.remove(made)


def _learnt_again(job: Job, training: bytes, passes: int) -> Student:
    return train(read_training_file(training).examples, seed=job.about["seed"], passes=passes)


def _tell_learnt(job: Job, student: Student, seen: list[Example], unseen: list[Example]) -> None:
    metrics: dict[str, Any] = {
        "step": job.passes,
        "total_steps": job.passes,
        "train_accuracy": _accuracy(student, seen),
    }
    if unseen:
        metrics["valid_accuracy"] = _accuracy(student, unseen)
    job.tell(
        f"Learnt {student.choices} answers from {len(seen)} examples in {job.passes} passes",
        metrics=metrics,
    )


def _accuracy(student: Student, examples: list[Example]) -> float:
    """The share of examples that the student answers exactly as the file does."""
    given = student.answers([example.prompt for example in examples])
    hits = sum(answer == example.answer for answer, example in zip(given, examples, strict=True))
    return round(hits / len(examples), 4)
