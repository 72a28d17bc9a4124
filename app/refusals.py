"""Errors of requests that are refused at the door: who asks, how often, and what is not given to anybody."""

from app.errors import Conflict, Forbidden, InvalidInput, YtragError


class CrossSite(YtragError):
    """A request that came through a web page or a name of somebody else's, while no key is asked for."""

    code = "cross_site"
    hint = "Go to the server by 127.0.0.1, name its address in YTRAG_PUBLIC_URL, or have it ask for keys."


class FormExpired(InvalidInput):
    """A form of the web page without the proof that it comes from one of ours."""

    code = "form_expired"
    hint = "Open the page again and send the form from there."


class RateLimited(YtragError):
    """More requests in this minute than the key may make."""

    code = "rate_limited"
    hint = "Wait as long as Retry-After says; an admin can give the key a higher limit."
    retryable = True


class TooManyTries(YtragError):
    """More tries to sign in than a person needs."""

    code = "too_many_tries"
    hint = "Wait a quarter of an hour; 'ytrag admins put NAME' sets another password."
    retryable = True
    retry_after_s = 900


class TooManyListeners(YtragError):
    """All places for listeners to events are taken."""

    code = "too_many_listeners"
    hint = "Come again after Retry-After, ask for the status instead, or let YTRAG_EVENT_LISTENERS be raised."
    retryable = True
    retry_after_s = 10


class OwnKey(Conflict):
    """A key that would revoke itself."""

    code = "own_key"
    hint = "Revoke it with another admin's key, or with 'ytrag keys revoke' on the server."


class WebhookRefused(InvalidInput):
    """An address to which this server sends nothing."""

    code = "webhook_refused"
    hint = "Use an https address that is reachable from the internet, without a user name in it."


class WebhookPaused(Conflict):
    """A webhook to which nothing is sent for now."""

    code = "webhook_paused"
    hint = "See the errors in its deliveries, then enable it with PATCH /api/webhooks/{id}."


class ReadOnly(Forbidden):
    """Something that the dashboard would change while it may only show."""

    code = "read_only"
    hint = "Unset YTRAG_READ_ONLY and start the server again, or use the command line."
