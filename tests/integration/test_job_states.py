"""Jobs in whatever order things happen to them: HTTP tells the state that a simple model expects."""

from itertools import count
from typing import Any, ClassVar

from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.models.jobs import JobEvent
from app.services import claims
from app.source_errors import VideoUnavailable
from app.stages import NAMES
from tests.integration import work

NUMBERS = count()
ENDED = ("completed", "failed", "cancelled")


class Life(RuleBasedStateMachine):
    """One job, and the model of it: its state and the stage that is next."""

    api: ClassVar[FlaskClient]

    def __init__(self) -> None:
        super().__init__()
        self.body = {"url": f"https://youtu.be/{next(NUMBERS):011}"}
        self.state, self.next = "pending", 0
        self.job = self.post("/api/videos/process", 202, self.body)["job_id"]

    def post(self, path: str, status: int, body: dict[str, str]) -> dict[str, Any]:
        answer = self.api.post(path, json=body)
        assert answer.status_code == status, answer.text
        return dict(answer.get_json())

    @precondition(lambda self: self.state not in ENDED)
    @rule(stages=st.integers(1, len(NAMES)))
    def work(self, stages: int) -> None:
        todo = NAMES[self.next : self.next + stages]
        work.do(self.job, *todo)
        self.next += len(todo)
        self.state = "completed" if self.next == len(NAMES) else "running"

    @precondition(lambda self: self.state not in ENDED)
    @rule()
    def fail(self) -> None:
        claims.give_up(work.take(self.job, NAMES[self.next]), VideoUnavailable("It is gone."), "")
        self.state = "failed"

    @rule()
    def cancel(self) -> None:
        allowed = self.state not in ("completed", "failed")
        assert self.api.delete(f"/api/jobs/{self.job}").status_code == (204 if allowed else 409)
        if allowed:
            self.state = "cancelled"

    @rule(stage=st.none() | st.sampled_from(NAMES))
    def retry(self, stage: str | None) -> None:
        body = {"from_stage": stage} if stage else {}
        if self.state not in ENDED:
            self.post(f"/api/jobs/{self.job}/retry", 409, body)
            return
        begins = self.post(f"/api/jobs/{self.job}/retry", 202, body)["from_stage"]
        assert NAMES.index(begins) <= NAMES.index(stage or begins)
        if stage is None and self.state == "failed":
            assert begins == NAMES[self.next]
        self.state, self.next = "pending", NAMES.index(begins)

    @rule()
    def send_again(self) -> None:
        """The owner's second request is the same job while it is at work or done, else a new one."""
        if self.state in ("failed", "cancelled"):
            return
        again = self.post("/api/videos/process", 200, self.body)
        assert (again["job_id"], again["deduplicated"]) == (self.job, True)

    @invariant()
    def is_told(self) -> None:
        told = self.api.get(f"/api/jobs/{self.job}/status").get_json()
        stages = [stage["status"] for stage in told["stages"]]
        assert told["status"] == self.state
        assert stages[: self.next] == ["completed"] * self.next
        assert (told["finished_at"] is not None) == (self.state in ENDED)
        assert (told["error"] is not None) == (self.state == "failed")
        if self.state == "cancelled":
            assert set(stages[self.next :]) <= {"skipped"}
        if self.state == "completed":
            assert told["progress"] == 100

    def teardown(self) -> None:
        told = JobEvent.select(JobEvent.seq).where(JobEvent.job == self.job).order_by(JobEvent.seq)
        sequence = [event.seq for event in told]
        assert sequence == list(range(1, len(sequence) + 1))


def test_jobs_stand_where_their_history_leads(api: FlaskClient) -> None:
    Life.api = api
    calm = settings(
        max_examples=25,
        stateful_step_count=15,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Life, settings=calm)
