"""Downloads as dispatchers and workers run them, step by step and without a source."""

from contextlib import ExitStack
from dataclasses import dataclass, field

from app.errors import NotNow, StageError
from app.models.jobs import Job, JobStage
from app.services import claims, intake, limits, outbox, recovery
from app.services.claims import Claim
from app.services.intake import Request
from app.services.messages import MessageRef

LOOPBACK, FAR = "http://127.0.0.1:8080/", "https://videos.example/"


def jobs_of(count: int, *, source: str = LOOPBACK, priority: int = 1) -> list[Job]:
    """Jobs that were sent in one after another."""
    wanted = [Request(owner="ada", url=f"{source}{n}", name=str(n), priority=priority) for n in range(count)]
    return [intake.accept(request).job for request in wanted]


def stage_of(job: Job) -> JobStage:
    """The job's download."""
    return JobStage.get(job=job.id, name="download")


def dispatch() -> list[str]:
    """What a dispatcher does in one look; ids of the jobs whose download is published."""
    recovery.recover()
    limits.let_in()
    due = outbox.claim_due()
    for row in due:
        outbox.mark_sent(row)
    return [row.subject for row in due if row.actor == "download"]


@dataclass
class Download:
    """A stage that got its slot and runs until it is ended."""

    claim: Claim
    slot: ExitStack

    def end(self) -> None:
        """It has done its work."""
        self.slot.close()
        claims.finish(self.claim)

    def fail(self, error: StageError) -> None:
        """It meets this error, and its claim is settled."""
        self.slot.close()
        claims.give_up(self.claim, error, "")


@dataclass
class Worker:
    """Runs downloads; keeps those it began, for a context that is thrown away gives its slot back."""

    begun: list[Download] = field(default_factory=list)

    def attempt(self, job: Job) -> Download | None:
        """What a worker does with a download's message; None: its turn has not come."""
        claim = claims.take(MessageRef(job.message_id, "download", job.id, job.priority), None, "one")
        assert claim is not None
        slot = ExitStack()
        try:
            slot.enter_context(limits.downloading(job.url))
        except NotNow as wait:
            claims.put_back(claim, wait)
            return None
        self.begun.append(download := Download(claim, slot))
        return download

    def begin(self, job: Job) -> Download:
        """As attempt, where its turn must have come."""
        begun = self.attempt(job)
        assert begun is not None
        return begun

    def stop(self) -> None:
        """Give all slots back."""
        for download in self.begun:
            download.slot.close()
