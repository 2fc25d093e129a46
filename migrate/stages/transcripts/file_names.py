"""Names under which transcripts store threads and files, safe on every system and in every browser.

A name depends on one object only, so that it is the same in every run, however many others there are.
"""

from __future__ import annotations

import hashlib
import re

from migrate.codecs.adapt.files import PARSED_TEXT_SUFFIX
from migrate.model.image_type import EXTENSION_OF_IMAGE
from migrate.model.results.conversation import FileReference
from migrate.stages.safe_filenames import safe_name

# Ids that are file names as they are; others get a hash, since systems may ignore case.
PLAIN_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")
MAX_ID_CHARS = 60
SHORT_HASH_DIGITS = 12
# Types of files that neither a browser nor a system runs when they are opened.
HARMLESS_EXTENSIONS = frozenset(
    "txt text log csv tsv md json jsonl yaml yml toml pdf doc docx xls xlsx ppt pptx odt ods odp rtf tex "
    "epub png jpg jpeg gif webp bmp tif tiff heic mp3 wav m4a ogg flac mp4 m4v webm mov avi zip tar gz tgz "
    "bz2 xz 7z parquet npy npz pkl h5 sqlite db".split()
)
# Types that are text: they can be read with the added extension, and are not run. Everything else is bytes.
TEXT_EXTENSIONS = frozenset(
    "html htm xhtml xht shtml mht mhtml svg xml xsl xslt rss atom rdf js mjs cjs jsx ts tsx vue css scss py "
    "pyw ipynb rb php pl sh bash zsh fish bat cmd ps1 psm1 vbs vbe wsf hta lua r jl go rs c h cc cpp hpp cs "
    "java kt swift scala sql tf ini cfg conf properties env diff patch tsql graphql proto".split()
)
ADDED_TO_TEXT, ADDED_TO_BYTES = ".txt", ".bin"
IMAGE_NAMES = {".jpg": (".jpg", ".jpeg"), **{end: (end,) for end in (".png", ".gif", ".webp")}}


def short_hash(text: str) -> str:
    """Some digits of the hash of a text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:SHORT_HASH_DIGITS]


def thread_stem(id_: str) -> str:
    """The name of the files of a thread, without an extension."""
    if PLAIN_ID.fullmatch(id_) and safe_name(id_) == id_:
        return id_
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", id_)[:MAX_ID_CHARS].strip("_") or "thread"
    return f"{readable}-{short_hash(id_)}"


def stored_name(file: FileReference) -> str:
    """The name of a file in its folder. An extension is added where opening the file could run it, or where
    an image has none of its type."""
    name = safe_name(f"{file.name}{PARSED_TEXT_SUFFIX}" if file.is_parsed_text else file.name, file.id)
    if file.image_type:
        extension = EXTENSION_OF_IMAGE[file.image_type]
        return name if name.lower().endswith(IMAGE_NAMES[extension]) else safe_name(f"{name}{extension}")
    stem, dot, extension = name.rpartition(".")
    extension = extension.lower() if stem and dot else ""
    if extension in HARMLESS_EXTENSIONS:
        return name
    return safe_name(f"{name}{ADDED_TO_TEXT if extension in TEXT_EXTENSIONS else ADDED_TO_BYTES}")
