"""Deployments and connections of a project, in pages that are joined by links, and the models of the OpenAI
platform: read only."""

from __future__ import annotations

from urllib.parse import urlencode

from migrate.emulator.errors import agent_not_found, refuse
from migrate.emulator.options import Options
from migrate.emulator.router import Call
from migrate.emulator.state import Estate, Json

PAGE_SIZE = 2  # small, so that clients must follow links
PROJECT_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo"
    "/providers/Microsoft.CognitiveServices/accounts/demo/projects/demo"
)
# Query parameter -> key of a row that it filters by (described by the SDK).
DEPLOYMENT_FILTERS = {"modelPublisher": "modelPublisher", "modelName": "modelName", "deploymentType": "type"}
CONNECTION_FILTERS = {"connectionType": "type", "defaultConnection": "isDefault"}


def fill_inventory(estate: Estate, options: Options) -> None:
    """Create the deployments and connections of the options, unless the saved state has some."""
    if estate.deployments is None:
        estate.deployments = [_deployment(name) for name in options.deployments]
    if estate.connections is None:
        estate.connections = [_connection(name) for name in options.connections]


def list_deployments(call: Call) -> Json:
    return _page(call, call.estate.deployments or [], DEPLOYMENT_FILTERS)


def read_deployment(call: Call, name: str) -> Json:
    return _find(call.estate.deployments or [], name, "Deployment")


def list_connections(call: Call) -> Json:
    return _page(call, call.estate.connections or [], CONNECTION_FILTERS)


def list_models(call: Call) -> Json:
    """The models of the OpenAI platform, in one page. `shutdown_date` is described by the SDK only."""
    rows = [_model(str(row["name"]), row.get("shutdown_date")) for row in call.estate.deployments or []]
    return {"object": "list", "data": rows}


def read_connection(call: Call, name: str) -> Json:
    return _find(call.estate.connections or [], name, "Connection")


def _page(call: Call, rows: list[Json], filters: dict[str, str]) -> Json:
    expected = {key: call.query[name].lower() for name, key in filters.items() if name in call.query}
    matches = [
        row for row in rows if all(str(row.get(key)).lower() == text for key, text in expected.items())
    ]
    skip = call.query.get("skip", "0")
    if not skip.isdecimal():
        raise refuse("Invalid 'skip': expected an integer.", param="skip")
    start, end = int(skip), int(skip) + PAGE_SIZE
    page: Json = {"value": matches[start:end]}
    if end < len(matches):
        query = urlencode({**call.query, "skip": end})
        page["nextLink"] = f"{str(call.http.url).split('?')[0]}?{query}"
    return page


def _find(rows: list[Json], name: str, noun: str) -> Json:
    row = next((row for row in rows if row.get("name") == name), None)
    if row is None:
        raise agent_not_found(f"{noun} {name} not found")
    return row


def _deployment(name: str) -> Json:
    return {
        "type": "ModelDeployment",
        "name": name,
        "modelName": name,
        "modelVersion": "1",
        "modelPublisher": "OpenAI",
        "capabilities": {"chat_completion": "true"},
        "sku": {"name": "GlobalStandard", "capacity": 10, "family": "", "size": "", "tier": ""},
    }


def _model(name: str, shutdown_date: str | None) -> Json:
    return {
        "id": name,
        "object": "model",
        "created": 1_700_000_000,
        "owned_by": "openai",
        "shutdown_date": shutdown_date,
    }


def _connection(name: str) -> Json:
    return {
        "name": name,
        "id": f"{PROJECT_ID}/connections/{name}",
        "type": "CustomKeys",
        "target": f"https://{name}.example.com",
        "isDefault": False,
        "credentials": {"type": "CustomKeys"},
        "metadata": {},
    }
