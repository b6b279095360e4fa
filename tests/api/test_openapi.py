"""The API does what its description says: schemathesis makes requests of it, good and bad, and judges the answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from api.routes import endpoints
from api.services.operating import operator

pytestmark = pytest.mark.database

OPERATIONS = [(e.method, e.path) for e in endpoints()]
ASKED = [(e.method, e.path, "POSITIVE") for e in endpoints()]
#: What takes nothing, or any text, cannot be asked wrongly.
ASKED += [(e.method, e.path, "NEGATIVE") for e in endpoints() if e.query or any(e.body.values()) or e.parts]
#: Requests for each operation and kind; always the same ones.
EXAMPLES = settings(
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema(app):
    schemathesis = pytest.importorskip("schemathesis")
    return schemathesis.openapi.from_wsgi("/api/openapi.json", app)


@pytest.fixture(scope="module")
def headers(world):
    return {"Authorization": f"Bearer {operator.renew(world.url)}"}


@pytest.mark.parametrize(("method", "path", "mode"), ASKED)
def test_answers_are_as_described(schema, headers, method, path, mode):
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    wanted = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    ]
    operation = schema[path][method]

    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=GenerationMode[mode]))
    def ask(case):
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=wanted)

    ask()


def test_the_description_holds_every_route_and_is_valid(app):
    from openapi_spec_validator import OpenAPIV31SpecValidator

    told = json.loads(app.test_client().get("/api/openapi.json").data)
    OpenAPIV31SpecValidator(told).validate()
    listed = {(m.upper(), p) for p, of in told["paths"].items() for m in of}
    assert listed == set(OPERATIONS)
    ruled = {
        (m, str(r))
        for r in app.url_map.iter_rules()
        if r.endpoint != "static"
        for m in r.methods - {"HEAD", "OPTIONS"}
    }
    assert ruled == {(e.method, e.rule) for e in endpoints()}
    assert told["components"]["securitySchemes"]
    for endpoint in endpoints():
        operation = told["paths"][endpoint.path][endpoint.method.lower()]
        assert ("security" in operation) == (endpoint.needs != "public")
        assert operation["summary"]


def test_what_holds_for_every_route_is_told(app):
    """A wrong token is told wherever it is sent, a body may be too large or packed, words come in two languages."""
    client = app.test_client()
    told = client.get("/api/openapi.json").json["paths"]
    for endpoint in endpoints():
        operation = told[endpoint.path][endpoint.method.lower()]
        path = endpoint.path.replace("{z}", "1").replace("{x}", "1").replace("{y}", "1")
        answer = client.open(path, method=endpoint.method, headers={"Authorization": "Bearer of nothing"})
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), path
        assert "401" in operation["responses"]
        assert {"413", "415"} <= set(operation["responses"]) or not endpoint.body
        (lang,) = [p for p in operation["parameters"] if p["name"] == "lang"]
        assert (lang["in"], lang["required"]) == ("query", False)
