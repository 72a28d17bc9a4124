"""What a job costs the database's server."""

import pytest

from app.errors import WorkStopped
from app.models import sql
from app.models.base import transactional
from app.models.jobs import Job
from app.services import claims, intake, transcripts
from app.services.intake import Request
from app.stages import CHUNK_ACTOR, FAN_OUT, NAMES
from app.values import Recognition
from tests.integration import work

ON_A_SERVER = pytest.mark.parametrize("settings", ["mysql"], indirect=True)
URL = "https://www.youtube.com/watch?v=jNQXAC9IVRw"


def commits() -> int:
    """How many transactions this thread's connection has stored."""
    return int(sql.find("SHOW SESSION STATUS LIKE 'Com_commit'")[0][1])


@ON_A_SERVER
@pytest.mark.usefixtures("house")
def test_a_stage_and_a_chunk_take_two_commits_each_however_much_they_tell() -> None:
    job_id = intake.accept(Request("ada", URL, "a name")).job.id
    taken = {}

    for stage in (*NAMES[:3], CHUNK_ACTOR, *NAMES[3:]):
        before = commits()
        claim = work.take(job_id, stage)
        if stage == FAN_OUT:
            transcripts.plan_chunks(job_id, [(0.0, 60.0)])
        elif stage == CHUNK_ACTOR:
            transcripts.store_words(job_id, 0, Recognition("en", ()), "whisper-small")
        elif stage in ("download", "index"):
            work.store(job_id, stage)
        else:
            claims.finish(claim)
        taken[stage] = commits() - before

    assert taken == dict.fromkeys(taken, 2)


@pytest.mark.usefixtures("house")
def test_a_statement_that_must_meet_a_row_and_meets_none_undoes_all_of_its_transaction() -> None:
    job_id = intake.accept(Request("ada", URL, "a name")).job.id

    @transactional
    def change() -> None:
        sql.later("UPDATE job SET name = 'half' WHERE id = ?", job_id)
        sql.expect(WorkStopped("nobody"), "UPDATE job SET name = 'other' WHERE id = ?", "none")

    with pytest.raises(WorkStopped):
        change()

    assert Job.get_by_id(job_id).name == "a name"
