"""Search: the sentences that answer, each with the second at which it is said."""

from flask_openapi import APIBlueprint, Tag

from app.engines.sources import link_at
from app.schemas import SearchAnswer, SearchQuery
from app.services import search
from app.services.search import Filters
from app.web.auth import caller
from app.web.links import video_links

blueprint = APIBlueprint("search", __name__, url_prefix="/api", abp_tags=[Tag(name="search")])


@blueprint.get("/search", responses={200: SearchAnswer})
def find(query: SearchQuery) -> dict[str, object]:
    """Sentences found by meaning, by words, or (hybrid) by both, best first."""
    wanted = query.model_dump()
    filters = Filters(**{name: wanted[name] for name in vars(Filters())})
    page = search.search(
        caller().sees, query.q, mode=query.mode, filters=filters, limit=query.limit, cursor=query.cursor
    )
    answer = SearchAnswer.model_validate(page)
    for hit in answer.hits:
        if hit.video.url.startswith("upload:"):  # nowhere to open it but here
            hit.url = link_at(f"{video_links(hit.video.id)['transcript']}?format=vtt", hit.start_s)
    return answer.model_dump(mode="json")
