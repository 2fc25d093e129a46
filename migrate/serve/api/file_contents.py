"""The bytes of a file, and the text that a vector store parsed out of a file."""

from __future__ import annotations

import json
from codecs import getincrementaldecoder
from collections.abc import Iterator

from migrate.archive.bodies import load_body
from migrate.model.file import BYTES_FROM_PARSED_TEXT
from migrate.serve.api.answers import BYTES_TYPE, ApiAnswer
from migrate.serve.api.lookups import ApiCall, Ids, locate
from migrate.serve.api.refusals import ApiRefusal, not_in_archive
from migrate.serve.api.resources import FILE_RESOURCE, STORE_FILE_RESOURCE
from migrate.serve.sent_bytes import sent_chunks

NO_BYTES_REASON = "the snapshot was taken without the bytes of files"
PARSED_TEXT_HEAD = '{"object":"vector_store.file_content.page","data":[{"type":"text","text":"'
PARSED_TEXT_TAIL = '"}],"has_more":false,"next_page":null}'


def read_file_content(call: ApiCall, asked: Ids) -> ApiAnswer:
    """The bytes of a file. Raises `ApiRefusal`; where the service never returns such bytes, as it says so."""
    call.take_time()
    found = locate(call, FILE_RESOURCE, asked)
    file_id = found.ids[-1]
    blob = call.reader.blob(file_id)
    if blob is None or blob.origin == BYTES_FROM_PARSED_TEXT:
        missing = call.reader.missing_object("file", file_id)
        if missing is not None and missing.expected:
            body = load_body(found.text())
            raise ApiRefusal(400, f"Not allowed to download files of purpose: {body.get('purpose')}")
        reason = missing.reason if missing is not None else NO_BYTES_REASON
        raise not_in_archive(f"The archive does not have the bytes of file {asked[-1]}: {reason}.")
    headers = {"content-disposition": "attachment"}
    return ApiAnswer(sent_chunks(call.access, blob), headers, BYTES_TYPE, blob.size)


def read_parsed_text(call: ApiCall, asked: Ids) -> ApiAnswer:
    """The text that a vector store parsed out of one of its files. A snapshot keeps it where it could not
    read the bytes of the file. Raises `ApiRefusal`."""
    call.take_time()
    file_id = locate(call, STORE_FILE_RESOURCE, asked).ids[-1]
    blob = call.reader.blob(file_id)
    if blob is None or blob.origin != BYTES_FROM_PARSED_TEXT:
        more = "" if blob is None else f"; it has the bytes of the file: GET /files/{asked[-1]}/content"
        raise not_in_archive(f"The archive does not have the parsed text of file {asked[-1]}{more}.")
    return ApiAnswer(_text_pieces(sent_chunks(call.access, blob)))


def _text_pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """UTF-8 as a JSON text inside the page that the service sends."""
    decoder = getincrementaldecoder("utf-8")("replace")
    head = PARSED_TEXT_HEAD
    for chunk in chunks:
        yield (head + json.dumps(decoder.decode(chunk), ensure_ascii=False)[1:-1]).encode()
        head = ""
    rest = decoder.decode(b"", final=True)
    yield (head + json.dumps(rest, ensure_ascii=False)[1:-1] + PARSED_TEXT_TAIL).encode()
