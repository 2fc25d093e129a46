"""A small estate made from a seed: random names, ids, references, metadata and times."""

from __future__ import annotations

from random import Random
from typing import Any

from migrate.emulator import Emulator
from migrate.emulator.uploads import Upload
from tests.e2e.projects import EPOCH, agent, assistant, say, store, thread

Json = dict[str, Any]
DAY_S = 86_400
NAMES = ("reader", "clerk", "chief", "clerk")
TEAMS, USERS = ("red", "blue", "green"), ("4711", "0815")
SEARCH, CODE = {"type": "file_search"}, {"type": "code_interpreter"}


class EstateGenerator:
    """Fills the estate of an emulated service. Ids are random, so that a beginning of one is unique."""

    def __init__(self, cloud: Emulator, type_: str, seed: int) -> None:
        self._cloud, self._is_new, self._random = cloud, type_ == "foundry", Random(seed)

    def fill(self) -> None:
        files = [self._file(n) for n in range(5)]
        stores = [self._store(n, files) for n in range(3)]
        add_agent = self._agent if self._is_new else self._assistant
        for n, name in enumerate(NAMES):
            add_agent(n, name, files, stores)
        add_thread = self._conversation if self._is_new else self._thread
        for n in range(5):
            add_thread(n, files, stores)

    def _id(self, prefix: str, length: int) -> str:
        return prefix + "".join(self._random.choices("abcdefghijkmnpqrstuvwxyz23456789", k=length))

    def _some(self, ids: list[str], most: int) -> list[str]:
        return self._random.sample(ids, self._random.randint(0, min(most, len(ids))))

    def _metadata(self) -> Json:
        """Not every object has every key."""
        pairs = {"team": self._random.choice(TEAMS), "user": self._random.choice(USERS)}
        return {key: value for key, value in pairs.items() if self._random.random() < 0.7}

    def _file(self, number: int) -> str:
        id_, upload = self._id("assistant-", 22), Upload()
        data = b"%d" % number * (number + 1)
        upload.write(data)
        self._cloud.estate.content[id_] = upload
        self._cloud.estate.files[id_] = {
            "id": id_, "object": "file", "created_at": EPOCH + number, "purpose": "assistants",
            "filename": f"{self._random.choice(('notes', 'guide'))}-{number}.md", "bytes": len(data),
            "status": "processed", "status_details": None,
        }  # fmt: skip
        return id_

    def _store(self, number: int, files: list[str]) -> str:
        name = self._random.choice(("papers", "prices"))
        made = store(self._cloud, number, name, self._some(files, 3), metadata=self._metadata())
        return self._renamed_store(made)

    def _renamed_store(self, old: str) -> str:
        estate, new = self._cloud.estate, self._id("vs_", 24)
        rows = {id_: {**row, "vector_store_id": new} for id_, row in estate.vector_store_files[old].items()}
        row = {**estate.vector_stores[old], "id": new}
        del estate.vector_stores[old], estate.vector_store_files[old]
        estate.vector_stores[new] = row
        for id_, member in rows.items():
            estate.vector_store_files[new][id_] = member
        return new

    def _assistant(self, number: int, name: str, files: list[str], stores: list[str]) -> None:
        resources: Json = {}
        if used := self._some(stores, 1):
            resources["file_search"] = {"vector_store_ids": used}
        if code := self._some(files, 2):
            resources["code_interpreter"] = {"file_ids": code}
        tools = [tool for tool in (SEARCH, CODE) if tool["type"] in resources]
        row = assistant(number, name, tools=tools, tool_resources=resources, metadata=self._metadata())
        row["id"] = self._id("asst_", 24)
        self._cloud.estate.assistants[row["id"]] = row

    def _agent(self, number: int, name: str, files: list[str], stores: list[str]) -> None:
        tools: list[Json] = []
        if used := self._some(stores, 1):
            tools.append({**SEARCH, "vector_store_ids": used})
        if code := self._some(files, 2):
            tools.append({**CODE, "container": {"type": "auto", "file_ids": code}})
        row = agent(self._cloud, f"{name}-{number}", tools=tools)
        row["versions"]["latest"]["metadata"] = self._metadata()

    def _thread(self, number: int, files: list[str], stores: list[str]) -> None:
        used = self._some(stores, 1) if number % 2 else []
        resources = {"file_search": {"vector_store_ids": used}} if used else {}
        made = thread(self._cloud, 100 + number, [], metadata=self._metadata(), tool_resources=resources)
        estate, id_ = self._cloud.estate, self._id("thread_", 24)
        row = {**estate.threads[made], "id": id_}
        del estate.threads[made]
        estate.threads[id_] = row
        for place in range(self._random.randint(0, 3)):
            shown = [{"file_id": file, "tools": [CODE]} for file in self._some(files, 1)]
            time = EPOCH + (number + place) * DAY_S
            say(self._cloud, id_, f"number {place}", id=f"msg_{number:012}{place:012}", created_at=time,
                attachments=shown)  # fmt: skip

    def _conversation(self, number: int, files: list[str], stores: list[str]) -> None:
        id_ = self._id("conv_", 50)
        row = {"id": id_, "object": "conversation", "created_at": EPOCH + number * DAY_S,
               "metadata": self._metadata()}  # fmt: skip
        self._cloud.estate.conversations[id_] = row
        for place in range(self._random.randint(0, 3)):
            item = f"msg_{number:025}{place:025}"
            content: list[Json] = [{"type": "input_text", "text": f"number {place}"}]
            content += [{"type": "input_file", "file_id": file} for file in self._some(files, 1)]
            self._cloud.estate.items[id_][item] = {
                "type": "message", "id": item, "status": "completed", "role": "user", "content": content,
            }  # fmt: skip
