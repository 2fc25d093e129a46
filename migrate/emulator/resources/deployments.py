"""What a project has beside its agents: deployments and connections, read only, in pages that link on."""

from __future__ import annotations

from urllib.parse import urlencode

from migrate.emulator.errors import missing, refuse
from migrate.emulator.options import Options
from migrate.emulator.router import Call
from migrate.emulator.state import Estate, Json

PAGE_SIZE = 2  # small, so that whoever lists also learns to follow links
ACCOUNT = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo"
    "/providers/Microsoft.CognitiveServices/accounts/demo/projects/demo"
)
# What a query parameter compares with (described by the SDK).
DEPLOYMENT_FILTERS = {"modelPublisher": "modelPublisher", "modelName": "modelName", "deploymentType": "type"}
CONNECTION_FILTERS = {"connectionType": "type", "defaultConnection": "isDefault"}


def stock(estate: Estate, options: Options) -> None:
    """Fills in what no saved answers have said."""
    if estate.deployments is None:
        estate.deployments = [_deployment(name) for name in options.deployments]
    if estate.connections is None:
        estate.connections = [_connection(name) for name in options.connections]


def deployments(call: Call) -> Json:
    return _page(call, call.estate.deployments or [], DEPLOYMENT_FILTERS)


def deployment(call: Call, name: str) -> Json:
    return _named(call.estate.deployments or [], name, "Deployment")


def connections(call: Call) -> Json:
    return _page(call, call.estate.connections or [], CONNECTION_FILTERS)


def connection(call: Call, name: str) -> Json:
    return _named(call.estate.connections or [], name, "Connection")


def _page(call: Call, rows: list[Json], filters: dict[str, str]) -> Json:
    asked = {key: call.query[name].lower() for name, key in filters.items() if name in call.query}
    kept = [row for row in rows if all(str(row.get(key)).lower() == value for key, value in asked.items())]
    given = call.query.get("skip", "0")
    if not given.isdecimal():
        raise refuse("Invalid 'skip': expected an integer.", param="skip")
    start, end = int(given), int(given) + PAGE_SIZE
    page: Json = {"value": kept[start:end]}
    if end < len(kept):
        query = urlencode({**call.query, "skip": end})
        page["nextLink"] = f"{str(call.http.url).split('?')[0]}?{query}"
    return page


def _named(rows: list[Json], name: str, noun: str) -> Json:
    found = next((row for row in rows if row.get("name") == name), None)
    if found is None:
        raise missing(f"{noun} {name} not found")
    return found


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


def _connection(name: str) -> Json:
    return {
        "name": name,
        "id": f"{ACCOUNT}/connections/{name}",
        "type": "CustomKeys",
        "target": f"https://{name}.example.com",
        "isDefault": False,
        "credentials": {"type": "CustomKeys"},
        "metadata": {},
    }
