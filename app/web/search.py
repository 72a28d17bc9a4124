"""Search: the sentences that answer, each with the second at which it is said."""

from flask_openapi import APIBlueprint, Tag

from app.search_schemas import ContextAnswer, ContextQuery, SearchAnswer, SearchFilter, SearchQuery
from app.services import contexts, search
from app.services.search import Filters
from app.web.auth import caller
from monitoring import metrics

blueprint = APIBlueprint("search", __name__, url_prefix="/api", abp_tags=[Tag(name="search")])


@blueprint.get("/search", responses={200: SearchAnswer})
def find(query: SearchQuery) -> dict[str, object]:
    """Sentences found by meaning, by words, or (hybrid) by both, best first."""
    with metrics.search_seconds.labels(query.mode).time():
        page = search.search(
            caller().sees,
            query.q,
            mode=query.mode,
            filters=filters_of(query),
            best_of_video=query.best_of_video,
            context=query.context,
            limit=query.limit,
            cursor=query.cursor,
        )
    return SearchAnswer.model_validate(page).model_dump(mode="json")


@blueprint.get("/context", responses={200: ContextAnswer})
def show_context(query: ContextQuery) -> dict[str, object]:
    """The passages that answer as one text for a language model's prompt, with numbered sources and links."""
    found = contexts.gather(
        caller().sees, query.q, mode=query.mode, filters=filters_of(query), max_tokens=query.max_tokens
    )
    return ContextAnswer.model_validate(found).model_dump(mode="json")


def filters_of(query: SearchFilter) -> Filters:
    """Which videos the query means."""
    return Filters(
        video_id=query.video_id,
        channel=query.channel,
        language=query.language,
        since=query.since,
        until=query.until,
    )
