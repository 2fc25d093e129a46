"""Both generations of services in the same words: agents, instructions, stores, threads and messages."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from copy import deepcopy
from typing import Any

from migrate.emulator import Emulator
from tests.e2e.projects import agent, assistant

Json = dict[str, Any]
Rows = MutableMapping[str, Json]


class ServiceView:
    """The estate of an emulated service. `is_new`: agents with versions, and conversations."""

    def __init__(self, cloud: Emulator, type_: str) -> None:
        self._cloud, self.estate, self.is_new = cloud, cloud.estate, type_ == "foundry"

    @property
    def agents(self) -> Rows:
        return self.estate.agents if self.is_new else self.estate.assistants

    @property
    def threads(self) -> Rows:
        return self.estate.conversations if self.is_new else self.estate.threads

    def messages(self, thread: str) -> Rows:
        return (self.estate.items if self.is_new else self.estate.messages)[thread]

    def contents(self, thread: str) -> list[Any]:
        """The contents of the messages of a thread, in order."""
        return [row["content"] for row in self.messages(thread).values()]

    def definition(self, id_: str) -> Json:
        """What an agent does, as users get it."""
        row = self.agents[id_]
        found: Json = row["versions"]["latest"]["definition"] if self.is_new else row
        return found

    def stores(self, id_: str) -> list[str]:
        """Ids of the vector stores that an agent uses."""
        definition = self.definition(id_)
        if not self.is_new:
            search = (definition["tool_resources"] or {}).get("file_search") or {}
            return list(search.get("vector_store_ids", ()))
        return [id_ for tool in definition.get("tools") or () for id_ in tool.get("vector_store_ids", ())]

    def change(self, id_: str, instructions: str) -> None:
        """What somebody else does to an agent."""
        self._write(id_, {"instructions": instructions})

    def use_store(self, id_: str, store: str) -> None:
        """Somebody else lets an agent search a vector store."""
        search = {"type": "file_search"}
        if self.is_new:
            self._write(id_, {"tools": [{**search, "vector_store_ids": [store]}]})
        else:
            resources = {"file_search": {"vector_store_ids": [store]}}
            self._write(id_, {"tools": [search], "tool_resources": resources})

    def _write(self, id_: str, changes: Json) -> None:
        """Change an agent: a newer version, where there are versions."""
        if not self.is_new:
            self.agents[id_] = {**self.agents[id_], **changes}
            return
        version = deepcopy(self.agents[id_]["versions"]["latest"])
        number = str(int(version["version"]) + 1)
        version |= {"id": f"{id_}:{number}", "version": number}
        version["definition"] |= changes
        self.estate.agent_versions[id_][version["id"]] = version
        self.agents[id_] = {**self.agents[id_], "versions": {"latest": version}}

    def add_agent(self, name: str, store: str) -> str:
        """An agent that uses a vector store; its id."""
        row = agent(self._cloud, name) if self.is_new else assistant(77, name)
        self.agents[row["id"]] = row
        self.use_store(row["id"], store)
        return str(row["id"])

    def delete_store(self, store: str) -> None:
        del self.estate.vector_stores[store], self.estate.vector_store_files[store]

    def delete_thread(self, thread: str) -> None:
        rows = self.estate.items if self.is_new else self.estate.messages
        del self.threads[thread], rows[thread]

    def agent_with_store(self) -> tuple[str, str]:
        """An agent and the vector store that it uses."""
        found: Iterator[tuple[str, str]] = ((id_, store) for id_ in self.agents for store in self.stores(id_))
        return next(found)
