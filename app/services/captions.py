"""Captions that answer for the recogniser."""

from app.models.jobs import Chunk, Job, JobStage
from app.services import claims, events, jobs, media, transcripts
from app.stages import FAN_OUT, NAMES
from app.values import Captions, Media

PREFIX = "captions:"
"""How the source of a transcript begins that no recogniser made."""
ANSWERED = NAMES[1 : NAMES.index(FAN_OUT) + 1]
"""The stages that a job skips for them."""


@claims.stores_result
def store(job_id: str, described: Media, captions: Captions) -> None:
    """Store them as the job's only chunk, which is done, and set going what comes behind the recogniser."""
    media.describe(job_id, described)
    Chunk.delete().where(Chunk.job == job_id).execute()
    Chunk.create(
        job=job_id,
        position=0,
        start_s=0.0,
        end_s=described.duration_s or captions.words[-1].end_s,
        state="completed",
        progress=1.0,
        words=transcripts.pack(captions.words),
        language=captions.language,
        recogniser=captions.source,
    )
    JobStage.update(state="skipped").where((JobStage.job == job_id) & JobStage.name.in_(ANSWERED)).execute()
    for name in ANSWERED:
        events.add(job_id, "stage", stage=name, status="skipped")
    claims.end_chain()
    jobs.ring(job_id, NAMES[NAMES.index(FAN_OUT) + 1])


def serve(job: Job) -> bool:
    """Whether the job's words are those of captions."""
    chunks = Chunk.select().where((Chunk.job == job.id) & Chunk.recogniser.startswith(PREFIX))
    return bool(chunks.exists())
