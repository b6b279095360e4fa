"""What a scanned plate opens, and what people send from there. These pages work without any script."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from flask import Response, current_app, redirect, render_template, request
from msgspec import Meta, Struct
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge, UnsupportedMediaType

from api import messages
from api.answers import AsOfQuery, Plate
from api.context import here, language, say
from api.endpoints import Endpoint, View
from api.problems import STATUS as FAULTS
from api.routes.pages import HTML, html
from api.services.plates import pages, scan
from data.photos import LARGEST_BYTES
from gis.addressing import codes
from gis.errors import WanggeError

#: A form holds one photo, its words and little else.
LARGEST_FORM: Final = LARGEST_BYTES + (1 << 20)
_NUMBER: Final = re.compile(r"\d{6}-[2-9A-Z]{6}")


class ScanQuery(AsOfQuery, frozen=True):
    """The day asked about; ``sent`` is the number of a report just sent from the page."""

    sent: Annotated[str, Meta(max_length=20)] = ""


class TypedQuery(Struct, frozen=True):
    """A code typed by hand, gaps and all."""

    code: Annotated[str, Meta(max_length=300)] = ""


class ReportForm(Struct, frozen=True):
    """What the forms of a plate's page send. Nobody is asked who they are."""

    text: Annotated[
        str,
        Meta(max_length=scan.LONGEST, description="What is wrong; or where the plate hangs, if known."),
    ] = ""
    photo: Annotated[
        str,
        Meta(
            description="A photo (JPEG, PNG or WebP), in multipart forms; it is made anew from its pixels.",
            extra_json_schema={"format": "binary"},
        ),
    ] = ""
    website: Annotated[str, Meta(description="Left empty: people do not see this field, programs fill it in.")] = ""


_FORMS: Final = {"multipart/form-data": ReportForm, "application/x-www-form-urlencoded": ReportForm}


def typed_page(query: TypedQuery) -> Response:
    """Where a code is typed by hand when the QR cannot be read; a code leads on to its page."""
    link = codes.parse(query.code) if query.code else None
    if link is not None:
        tail = f"{link.code}.{link.key_id}{link.tag}" if link.key_id else link.code
        return _on(f"/d/{tail}" + _lang())
    return _page(Plate("not_a_code" if query.code else "ask", ""), "", status=404 if query.code else 200)


def plate_page(code: str, query: ScanQuery) -> Response:
    """What a plate says. The page works without script and says nothing about residents."""
    sent = query.sent if _NUMBER.fullmatch(query.sent) else ""
    return _page(_plate(code, query), code, sent=sent)


def plate_json(code: str, query: AsOfQuery) -> Response:
    """The same as JSON."""
    found = _plate(code, query)
    status = pages.STATUS.get(found.verdict, 200)
    return Response(msgspec.json.encode(found), status, mimetype="application/json")


def report_problem(code: str) -> Response:
    """Take the form "report a problem"."""
    return _post(code, "problem")


def report_elsewhere(code: str) -> Response:
    """Take the form "this plate hangs elsewhere"."""
    return _post(code, "elsewhere")


def _post(code: str, kind: str) -> Response:
    if request.headers.get("Sec-Fetch-Site", "") == "cross-site":
        raise Forbidden  # a page of another host made the reader's browser send this
    if request.mimetype not in _FORMS:
        raise UnsupportedMediaType
    request.max_content_length = LARGEST_FORM
    request.max_form_parts = 20
    try:
        if (request.content_length or 0) > LARGEST_FORM:
            raise RequestEntityTooLarge
        form, photo = request.form, request.files.get("photo")
    except RequestEntityTooLarge:
        return _again(code, 413, say("photo.too_large", most=LARGEST_BYTES >> 20))
    words = form.get("text", "")
    if form.get("website"):  # a field that people do not see: a program filled it in
        return _on(f"/d/{code}" + _lang())
    picture = b""
    if photo is not None:
        with photo.stream as stream:
            picture = stream.read()
    posted = scan.Posted(kind, words, picture, request.remote_addr or "")
    try:
        number = scan.post(here().engine, code, posted, a_day=here().config.reports_per_day)
    except WanggeError as error:
        status = next(s for known, s in FAULTS if isinstance(error, known))
        return _again(code, status, messages.of_error(error, language()), words=words)
    return _on(f"/d/{code}" + _lang(sent=number))


def _again(code: str, status: int, fault: str, words: str = "") -> Response:
    """The page once more, with what was wrong and what was written."""
    return _page(_plate(code, AsOfQuery()), code, status=status, fault=fault, words=words)


def _plate(text: str, query: AsOfQuery) -> Plate:
    context = here()
    link = codes.parse(text)
    # a code without its tag may be guessed: typing is for people, not for programs that try them all
    if (link is None or not link.key_id) and not context.throttle.allows(request.remote_addr or ""):
        return Plate("throttled", "")
    return pages.plate(context.published, text, query.as_of)


def _page(
    plate: Plate, code: str, *, status: int | None = None, sent: str = "", fault: str = "", words: str = ""
) -> Response:
    link = codes.parse(code)
    tail = "" if link is None else f"{link.code}.{link.key_id}{link.tag}" if link.key_id else link.code
    page = render_template(
        "plate.html",
        lang=language(),
        t=say,
        plate=plate,
        printed=codes.printed(plate.code) if plate.code else "",
        now=codes.printed(plate.successor) if plate.verdict == "merged" else "",
        tail=tail,
        query=_lang(),
        sent=sent,
        fault=fault,
        words=words[: scan.LONGEST],
        longest=scan.LONGEST,
    )
    answer = html(page, status or pages.STATUS.get(plate.verdict, 200))
    answer.headers["X-Robots-Tag"] = "noindex"
    if answer.status_code == 429:
        answer.headers["Retry-After"] = "60"
    return answer


def _on(address: str) -> Response:
    """Send the browser on to another page, which it asks for with GET."""
    return current_app.make_response(redirect(address, 303))


def _lang(**more: str) -> str:
    """A query that keeps the language a reader chose."""
    values = {"lang": request.args["lang"]} if request.args.get("lang") in messages.LANGUAGES else {}
    query = "&".join(f"{k}={v}" for k, v in {**values, **more}.items())
    return f"?{query}" if query else ""


_STATUSES: Final = (200, *sorted(set(pages.STATUS.values())))


def _form(path: str, view: View, summary: str) -> Endpoint:
    return Endpoint(path, view, summary, {HTML: None}, method="POST", access="public", body=_FORMS,
                    statuses=(303, 400, 404, 413, 429), faults=(403, 415), tag="pages")  # fmt: skip


ENDPOINTS: Final = (
    Endpoint("/d/", typed_page, "Type a plate's code by hand", {HTML: None}, query=TypedQuery,
             statuses=(200, 303, 404), faults=(400,), tag="pages"),
    Endpoint("/d/{code}.json", plate_json, "What a plate says, as JSON", {"application/json": Plate},
             query=AsOfQuery, statuses=_STATUSES, faults=(400,), tag="pages"),
    Endpoint("/d/{code}", plate_page, "What a scanned plate opens", {HTML: None}, query=ScanQuery,
             statuses=_STATUSES, faults=(400,), tag="pages"),
    _form("/d/{code}/report", report_problem, "Report a problem at a plate's place"),
    _form("/d/{code}/elsewhere", report_elsewhere, "Say that this plate hangs elsewhere"),
)  # fmt: skip
