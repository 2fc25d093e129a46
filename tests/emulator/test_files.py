"""Files: exact names and bytes, purposes, downloads, expiry, strict forms, and deletion from all objects."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.emulator import uploads

KEY = "secret-of-this-test"


def test_the_recorded_answers(azure, platform):
    for api, prefix in ((azure, "assistant-"), (platform, "file-")):
        answer = api.ok("GET", f"/files/{api.file('favorite_foods.txt', b'x' * 131)}")
        assert answer["id"].startswith(prefix)
        assert answer == {
            "object": "file",
            "id": answer["id"],
            "purpose": "assistants",
            "filename": "favorite_foods.txt",
            "bytes": 131,
            "created_at": answer["created_at"],
            "status": "processed",
            "status_details": None,
        }
    assert azure.file(purpose="batch").startswith("file-")


def test_v1_files_always_show_when_they_expire(azure):
    with openai.OpenAI(base_url=f"{azure.emulator.url}/openai/v1/", api_key=KEY) as client:
        created = client.files.create(file=("a.txt", b"a"), purpose="assistants")
    assert created.to_dict()["expires_at"] is None


@pytest.mark.parametrize(
    "name",
    [
        "plain.txt",
        "Assets/x.pdf",
        "../../etc/passwd",
        r"C:\docs\plan.txt",
        "\\",
        "übergröße 計画 🎈.txt",
        "a;b=c.txt",
    ],
)
def test_names_are_kept(api, name):
    assert api.ok("GET", f"/files/{api.file(name)}")["filename"] == name


@pytest.mark.parametrize("size", [0, 1, 65_536, 1_000_003])
def test_bytes_are_kept(azure, size):
    content = bytes(number % 251 for number in range(size))
    file_id = azure.file(content=content)
    assert azure.ok("GET", f"/files/{file_id}")["bytes"] == size
    assert azure.client.files.content(file_id).read() == content
    assert azure.emulator.estate.content[file_id].read() == content


def test_two_can_read_one_file_at_once(azure):
    content = bytes(number % 251 for number in range(3_000_000))
    file_id = azure.file(content=content)
    with ThreadPoolExecutor(4) as pool:
        reads = [pool.submit(lambda: azure.client.files.content(file_id).read()) for _ in range(8)]
    assert all(read.result() == content for read in reads)


def test_a_large_file_does_not_fill_the_memory(azure):
    class Zeros(io.RawIOBase):
        left = 40_000_000

        def read(self, size=-1):
            piece = min(self.left, size if size >= 0 else 65_536)
            self.left -= piece
            return bytes(piece)

    azure.file()
    tracemalloc.start()
    file_id = azure.client.files.create(file=("zeros.bin", Zeros()), purpose="assistants").id
    read = 0
    with azure.client.files.with_streaming_response.content(file_id) as response:
        for piece in response.iter_bytes(65_536):
            read += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == 40_000_000
    assert peak < 10_000_000


@pytest.mark.parametrize(
    ("service", "downloads", "refused"),
    [
        ("azure-openai", None, set()),
        ("azure-openai", False, {"assistants", "evals", "fine-tune"}),
        ("openai", None, {"assistants", "evals", "fine-tune", "user_data"}),
        ("openai", True, set()),
    ],
)
def test_downloads_by_purpose(launch, service, downloads, refused):
    api = launch(service, downloads=downloads)
    purposes = {"assistants", "batch", "evals", "fine-tune"}
    purposes |= {"vision", "user_data"} if service == "openai" else set()
    for purpose in purposes:
        file_id = api.file(purpose=purpose)
        if purpose in refused:
            message = api.refused("GET", f"/files/{file_id}/content")
            assert message == f"Not allowed to download files of purpose: {purpose}"
        else:
            assert api.client.files.content(file_id).read() == b"hello"


@pytest.mark.parametrize("purpose", ["vision", "user_data", "assistants_output", "x"])
def test_purposes_that_azure_refuses(azure, purpose):
    with pytest.raises(openai.BadRequestError, match="is not one of"):
        azure.file(purpose=purpose)
    assert not azure.emulator.estate.files


def test_lifetimes_differ(azure, platform):
    def upload(api, seconds):
        after = {"anchor": "created_at", "seconds": seconds}
        created = api.client.files.create(file=("a.txt", b"a"), purpose="assistants", expires_after=after)
        return created.expires_at - created.created_at

    assert upload(platform, 3_600) == 3_600
    assert upload(azure, 1_209_600) == 1_209_600
    for api, seconds in ((azure, 3_600), (platform, 3_599), (platform, 2_592_001)):
        with pytest.raises(openai.BadRequestError, match="expires_after"):
            upload(api, seconds)


def post_form(api, body, content_type="multipart/form-data; boundary=b"):
    connection = http.client.HTTPConnection(urlsplit(api.emulator.url).netloc)
    headers = {"api-key": KEY, "content-type": content_type}
    connection.request("POST", "/openai/files?api-version=2025-03-01-preview", body, headers)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def form(**parts):
    names = {name: f'name="{name}"' for name in parts} | {"file": 'name="file"; filename="a.txt"'}
    encoded = [
        f"--b\r\nContent-Disposition: form-data; {names[name]}\r\n\r\n{value}"
        for name, value in parts.items()
    ]
    return "\r\n".join([*encoded, "--b--", ""]).encode()


def test_an_unknown_part_gets_the_reported_error(azure):
    status, body = post_form(azure, form(purpose="assistants", filename="a.txt", file="x" * 500_000))
    assert status == 400
    assert body["error"]["message"] == "Additional properties are not allowed ('filename' was unexpected)"
    assert not azure.emulator.estate.files


@pytest.mark.parametrize(
    "body",
    [
        form(purpose="assistants"),
        form(file="x"),
        form(file="x", purpose="assistants")[:-10],
        b"",
        b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--",
        b"--b\r\nX: " + b"x" * 20_000,
        form(file="x", purpose="x" * 70_000),
    ],
)
def test_broken_forms(azure, body):
    assert post_form(azure, body)[0] == 400
    assert post_form(azure, form(file="x", purpose="assistants"), "application/json")[0] == 400
    assert post_form(azure, form(file="x", purpose="assistants"))[0] == 200


@given(
    contents=st.lists(st.binary(max_size=60) | st.sampled_from([b"\r\n--b", b"--b--", b"\r\n-"]), max_size=4),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
def test_forms_can_be_cut_anywhere(contents, cuts):
    contents = [content for content in contents if b"\r\n--bound" not in content]
    head = b'Content-Disposition: form-data; name="p"\r\n\r\n'
    whole = b"".join(b"--bound\r\n" + head + content + b"\r\n" for content in contents) + b"--bound--\r\n"

    async def pieces():
        place, turn = 0, 0
        while place < len(whole):
            size = cuts[turn % len(cuts)]
            yield whole[place : place + size]
            place, turn = place + size, turn + 1

    kind = 'multipart/form-data; boundary="bound"'
    fields = []

    def open_sink(_name, _filename):
        fields.append(uploads.Field())
        return fields[-1]

    asyncio.run(uploads.read_form(kind, pieces(), open_sink))
    assert [bytes(field.value) for field in fields] == contents


def test_listing_by_purpose(azure):
    expected = azure.file(purpose="batch")
    azure.file()
    assert [row["id"] for row in azure.ok("GET", "/files", purpose="batch")["data"]] == [expected]


def test_deleting_removes_a_file_from_all_objects(api):
    deleted_id, kept = api.file(), api.file()
    resources = {"code_interpreter": {"file_ids": [deleted_id, kept]}}
    assistant = api.ok("POST", "/assistants", {"model": "m", "tool_resources": resources})["id"]
    thread = api.thread(tool_resources=resources)
    store = api.ok("POST", "/vector_stores", {"file_ids": [deleted_id, kept]})["id"]
    answer = {"id": deleted_id, "object": "file", "deleted": True}
    assert api.ok("DELETE", f"/files/{deleted_id}") == answer
    for path in (f"/assistants/{assistant}", f"/threads/{thread}"):
        assert api.ok("GET", path)["tool_resources"]["code_interpreter"]["file_ids"] == [kept]
    assert api.ok("GET", f"/vector_stores/{store}")["file_counts"]["total"] == 1
    assert [row["id"] for row in api.ok("GET", f"/vector_stores/{store}/files")["data"]] == [kept]
    status, body = api("DELETE", f"/files/{deleted_id}")
    assert (status, body["error"]) == (
        404,
        {
            "message": f"No such File object: {deleted_id}",
            "type": "invalid_request_error",
            "param": "id",
            "code": None,
        },
    )
    assert api("GET", f"/files/{deleted_id}/content")[0] == 404
