"""The real SDK clients against a project: the project client, its OpenAI client, and the classic client."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import CodeInterpreterTool, FileSearchTool, FunctionTool, PromptAgentDefinition
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from tests.emulator.project import KEY, sdk


@pytest.fixture
def client(project) -> Iterator[AIProjectClient]:
    with sdk(project.emulator) as client:
        yield client


@pytest.fixture
def openai_client(client) -> Iterator[openai.OpenAI]:
    with client.get_openai_client(max_retries=0) as given:
        yield given


def test_listing_ends(client):
    names = [f"agent-{number}" for number in range(45)]
    for name in names:
        client.agents.create_version(name, definition=PromptAgentDefinition(model="gpt-4.1"))
    assert [agent.name for agent in client.agents.list()] == names[::-1]
    assert [agent.name for agent in client.agents.list(limit=7, order="asc", kind="prompt")] == names


def test_the_life_of_an_agent(client):
    tools = [
        CodeInterpreterTool(),
        FileSearchTool(vector_store_ids=["vs_a"]),
        FunctionTool(name="f", description="d", parameters={"type": "object"}, strict=True),
    ]
    definition = PromptAgentDefinition(model="gpt-4.1", instructions="x", temperature=0, tools=tools)
    created = client.agents.create_version(
        "desk", definition=definition, metadata={"k": "v"}, description="d"
    )
    assert (created.id, created.version, created.metadata, created.description) == (
        "desk:1",
        "1",
        {"k": "v"},
        "d",
    )
    assert created.definition.as_dict() == definition.as_dict()
    client.agents.create_version("desk", definition=PromptAgentDefinition(model="gpt-4o"))
    assert client.agents.get("desk").versions.latest.version == "2"
    assert [version.version for version in client.agents.list_versions("desk")] == ["2", "1"]
    assert client.agents.get_version("desk", "1").definition["instructions"] == "x"
    assert client.agents.delete_version("desk", "2").deleted is True
    assert client.agents.delete("desk").deleted is True
    with pytest.raises(ResourceNotFoundError, match="doesn't exist"):
        client.agents.get("desk")


def test_names_that_the_client_does_not_check(client):
    for definition in ({"kind": "prompt", "model": "m", "x": 1}, {"kind": "prompt"}):
        with pytest.raises(HttpResponseError, match="invalid"):
            client.agents.create_version("desk", body={"definition": definition})
    with pytest.raises(HttpResponseError, match="name"):
        client.agents.create_version("my desk", definition=PromptAgentDefinition(model="m"))


def test_inventory(launch_project):
    connections = ("a", "b", "c", "d", "e")
    with sdk(launch_project(connections=connections).emulator) as client:
        deployments = list(client.deployments.list())
        assert [row.name for row in deployments] == ["gpt-4.1", "gpt-4o", "gpt-4o-mini", "o4-mini"]
        assert deployments[0].sku.capacity
        assert tuple(row.name for row in client.connections.list()) == connections
        assert client.connections.get("c").id.endswith("/connections/c")


def test_a_wrong_token(project):
    with sdk(project.emulator, "another") as client, pytest.raises(ClientAuthenticationError):
        client.agents.get("desk")


def test_conversations(openai_client):
    user = {"type": "message", "role": "user", "content": "first"}
    created = openai_client.conversations.create(items=[user], metadata={"k": "v"})
    assert openai_client.conversations.retrieve(created.id).metadata == {"k": "v"}
    more = [{**user, "content": f"number {number}"} for number in range(20)]
    assert len(openai_client.conversations.items.create(created.id, items=more).data) == 20
    listed = list(openai_client.conversations.items.list(created.id, order="asc", limit=8))
    assert [item.content[0].text for item in listed] == ["first", *(row["content"] for row in more)]
    assert (
        openai_client.conversations.items.retrieve(listed[0].id, conversation_id=created.id).id
        == listed[0].id
    )
    assert openai_client.conversations.items.delete(listed[0].id, conversation_id=created.id).id == created.id
    assert openai_client.conversations.update(created.id, metadata={}).metadata == {}
    with pytest.raises(openai.BadRequestError, match="maxItems"):
        openai_client.conversations.items.create(created.id, items=[user] * 21)
    assert openai_client.conversations.delete(created.id).deleted is True
    with pytest.raises(openai.NotFoundError):
        openai_client.conversations.retrieve(created.id)


def test_files_and_stores(openai_client):
    created = [openai_client.files.create(file=(f"{n}.txt", b"x"), purpose="assistants") for n in range(3)]
    assert [row.id for row in openai_client.files.list(limit=2, order="asc")] == [row.id for row in created]
    store = openai_client.vector_stores.create(name="s", file_ids=[created[0].id])
    batch = openai_client.vector_stores.file_batches.create(
        store.id, file_ids=[row.id for row in created[1:]]
    )
    assert openai_client.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id).status
    entry = openai_client.vector_stores.files.create(store.id, file_id=created[0].id, attributes={"a": 1})
    assert entry.attributes == {"a": 1}
    assert len(list(openai_client.vector_stores.files.list(store.id, limit=2))) == 3
    with pytest.raises(openai.BadRequestError, match="Not allowed to download"):
        openai_client.files.content(created[0].id)
    assert openai_client.vector_stores.delete(store.id).deleted is True
    with pytest.raises(openai.NotFoundError):
        openai_client.vector_stores.search(store.id, query="x")


def test_no_response_is_created(openai_client, project):
    with pytest.raises(openai.BadRequestError, match="runs no models"):
        openai_client.responses.create(input="x", model="gpt-4.1")
    assert project.emulator.estate.forbidden_calls == ["POST /api/projects/demo/openai/v1/responses"]


def test_the_classic_client(classic):
    client = classic.client
    file_id = client.files.create(file=("a.txt", b"x"), purpose="assistants").id
    store = client.vector_stores.create(name="s", file_ids=[file_id])
    created = client.beta.assistants.create(
        model="gpt-4o",
        name="desk",
        tools=[{"type": "file_search"}],
        tool_resources={"file_search": {"vector_store_ids": [store.id]}},
    )
    assert [row.id for row in client.beta.assistants.list(limit=1)] == [created.id]
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "first"}])
    client.beta.threads.messages.create(thread.id, role="assistant", content="second")
    read = client.beta.threads.messages.list(thread.id, order="asc", limit=1)
    assert [message.content[0].text.value for message in read] == ["first", "second"]
    assert client.files.retrieve(file_id).filename == "a.txt"
    assert [row.id for row in client.files.list().data] == [file_id]
    with pytest.raises(openai.BadRequestError, match="runs no models"):
        client.beta.threads.runs.create(thread.id, assistant_id=created.id)


def test_the_classic_client_with_a_key_is_refused(classic):
    url = classic.emulator.url
    with (
        openai.AzureOpenAI(base_url=url, api_key=KEY, api_version="v1", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.beta.assistants.list()
