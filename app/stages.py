"""The stages of a job in their order: adding one is a line here and a file in actors/stages."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One step of a job; weight is its share of the whole work, pool the class of workers that runs it."""

    name: str
    weight: int
    pool: str


STAGES = (
    Stage("download", weight=10, pool="io"),
    Stage("extract_audio", weight=3, pool="media"),
    Stage("transcribe", weight=75, pool="media"),
    Stage("segment", weight=1, pool="light"),
    Stage("embed", weight=9, pool="light"),
    Stage("index", weight=2, pool="light"),
)
NAMES = tuple(stage.name for stage in STAGES)

FAN_OUT = "transcribe"
"""The stage that ends when the last of its chunks does; a chain of messages stops behind it."""

CHUNK_ACTOR = "transcribe_chunk"
"""Works on one chunk of the stage that fans out."""

OTHERS = {CHUNK_ACTOR: "asr", "housekeeping": "light", "list_videos": "io", "notify": "io"}
POOLS = {stage.name: stage.pool for stage in STAGES} | OTHERS
"""The pool that serves each queue; a stage's queue bears its name."""


def overall_progress(done: dict[str, float]) -> float:
    """A job's progress, 0 to 100, from each stage's fraction done, 0 to 1."""
    total = sum(stage.weight for stage in STAGES)
    return round(100 * sum(stage.weight * done.get(stage.name, 0.0) for stage in STAGES) / total, 1)
