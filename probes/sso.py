"""Single sign-on: where the sign-in of each app that holds student data leads. Nothing is submitted and nobody is signed in."""

import html
import re
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urljoin

import msgspec
from msgspec import Meta

from netready.access import written
from netready.failure import Failed, Failure
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.site import Endpoint, Site
from netready.text import clean
from probes.dns_lookup import HostName
from probes.page import Visit, Way, attempt, host_of, trust

METHOD = "sso/1"
METRIC = "sign_in_redirects"
KEPT = 128 * 1024  # bytes of a page that are looked at
MOST = 2 * 2**20  # bytes of a page that are read
# At the identity provider itself, only that it was reached matters: without cookies some answer with an error or a loop.
ARRIVED = frozenset({Failure.HTTP_STATUS, Failure.REDIRECT_LOOP, Failure.TOO_LARGE})

# The bounds keep a hostile page from costing more than a second.
_PASSWORD = re.compile(r"<input\b[^>]{0,400}?\btype\s*=\s*[\"']?password\b", re.IGNORECASE)
_SAML = re.compile(r"\bname\s*=\s*[\"']?SAMLRequest\b", re.IGNORECASE)
_ACTION = re.compile(r"<form\b[^>]{0,400}?\baction\s*=\s*[\"']?([^\"'\s>]{1,2000})", re.IGNORECASE)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [sso]. Without apps: the site's endpoints with `student_data`.

    identity  the host where people sign in; without it, the one where most apps lead
    follow    other hosts that a sign-in may pass through; a redirect to any other is not followed
    """

    apps: Annotated[tuple[Endpoint, ...], Meta(max_length=64)] = ()
    identity: HostName | None = None
    follow: Annotated[tuple[HostName, ...], Meta(max_length=32)] = ()
    timeout: Annotated[float, Meta(gt=0, le=120)] = 15.0  # seconds for one app, redirects included
    max_redirects: Annotated[int, Meta(ge=1, le=20)] = 10
    ca_file: str = ""


def read(settings: Settings, context: Context) -> Iterator[Measurement]:
    """One measurement per app: the redirects from its sign-in address to the page where people sign in, and whose that is.

    Raises Refused before the first packet when nobody named an app's host. A page that neither asks for a password nor leads
    elsewhere is `inconclusive`: a script may send people on, and scripts are not run.
    """
    for app in settings.apps:
        if host := host_of(begin(app)):
            context.authority.allow_host(host)
    way = Way(
        trust=trust(settings.ca_file, "sso.ca_file"),
        timeout=settings.timeout,
        max_bytes=MOST,
        max_redirects=settings.max_redirects,
        keep=KEPT,
    )
    for app in settings.apps:
        at, url, visit = context.clock.now(), begin(app), Visit()
        context.say(f"sso: {clean(url)}")
        trouble = attempt(url, visit, way, context)
        if trouble is not None and trouble[0] in ARRIVED and visit.host == settings.identity:
            trouble = None
        landed, how = "", ""
        if trouble is None:
            try:
                landed, how = landing(url, visit, settings.identity or "")
            except Failed as failed:
                trouble = failed.failure, failed.reason
        details: dict[str, Detail] = {
            "name": clean(app.name),
            "role": app.role.value,
            "landed": landed,
            "how": how,
            "identity": settings.identity or "",
            "encrypted": not visit.plain,
            "tls_version": visit.tls_version,
            "final": visit.final,
            "bytes_sent": visit.bytes_sent,
            "bytes_received": visit.bytes_received,
            "layer": "http",
        }
        target = written(url)
        if trouble is None:
            yield Measurement.of(METRIC, target, at, float(visit.redirects), METHOD, **details)
        else:
            yield Measurement.failed(METRIC, target, at, trouble[0], METHOD, **details, reason=trouble[1])


def begin(app: Endpoint) -> str:
    """Where signing in to an app begins."""
    return app.login or app.url


def landing(url: str, visit: Visit, identity: str) -> tuple[str, str]:
    """The host where people sign in, and how the visit shows it: "redirect", "form" or "password". Pure.

    A SAML request may be handed on by a form that sends itself (SAML 2.0 Bindings section 3.5); its address is read and
    nothing is sent there. Raises Failed(inconclusive).
    """
    if visit.host == identity:
        return identity, "redirect"
    if _SAML.search(visit.text) and (form := _ACTION.search(visit.text)):
        try:
            to = clean(host_of(urljoin(visit.final, html.unescape(form[1]))))
        except ValueError:
            to = ""
        if to:
            return to, "form"
    if _PASSWORD.search(visit.text):
        return visit.host, "password"
    if not identity and visit.host != host_of(url):
        return visit.host, "redirect"
    raise Failed(
        Failure.INCONCLUSIVE, f"the page at {visit.host} neither asks for a password nor leads elsewhere; a script may do so"
    )


def fit(settings: Settings, site: Site) -> Settings:
    """Without apps of its own, the site's endpoints that hold student data."""
    apps = settings.apps or tuple(endpoint for endpoint in site.endpoints if endpoint.student_data)
    return msgspec.structs.replace(settings, apps=apps)


def hosts(settings: Settings) -> tuple[str, ...]:
    """The apps' hosts, and those that a sign-in may lead to."""
    return (*(host_of(begin(app)) for app in settings.apps), settings.identity or "", *settings.follow)


INSTRUMENT = Instrument(
    name="sso",
    version=1,
    read=read,
    settings=Settings,
    does="Follows the sign-in of each app with student data to the page where people sign in, without signing in",
    metrics=(METRIC,),
    seconds=lambda settings: 2.0 * len(settings.apps),
    load=lambda settings, _rate: 100_000.0 * len(settings.apps),
    fit=fit,
    hosts=hosts,
    missing=lambda settings: None if settings.apps else "no endpoint is marked with student_data in [[site.endpoints]]",
    files=("ca_file",),
    wanted=lambda settings: bool(settings.apps),
)
