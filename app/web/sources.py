"""Sources of videos, for admins: which are left alone and why, pausing them and letting jobs go again."""

from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.services import standings
from app.services.standings import Standing
from app.source_schemas import SourceAnswer, SourcesAnswer
from app.web.auth import admin

blueprint = APIBlueprint("sources", __name__, url_prefix="/api/sources", abp_tags=[Tag(name="sources")])


class SourcePath(BaseModel):
    """Which source."""

    source: str = Field(max_length=255)


@blueprint.get("", responses={200: SourcesAnswer})
def list_sources() -> dict[str, object]:
    """All sources and whether downloads run."""
    admin()
    return {"data": [_answer(one) for one in standings.every()]}


@blueprint.post("/<source>/pause", responses={200: SourceAnswer})
def pause(path: SourcePath) -> dict[str, object]:
    """Let no job go to the source until it is resumed; downloads at work end as they will."""
    return _answer(standings.pause(path.source, by=admin().owner))


@blueprint.post("/<source>/resume", responses={200: SourceAnswer})
def resume(path: SourcePath) -> dict[str, object]:
    """Let all jobs go to the source again, whatever it answered."""
    admin()
    return _answer(standings.resume(path.source))


def _answer(standing: Standing) -> dict[str, object]:
    return SourceAnswer.model_validate(standing).model_dump(mode="json")
