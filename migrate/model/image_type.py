"""Whether bytes are an image that every browser shows, by what they begin with and never by a name.

SVG is not among the types: it is a document that may contain scripts.
"""

from __future__ import annotations

import base64
import binascii
import re

# Bytes from the beginning of a file that are enough to decide.
IMAGE_HEAD_BYTES = 32

# Type -> (place, bytes) that must all be there. Sources: the specifications of PNG, JPEG (ISO/IEC 10918-1,
# annex B), GIF89a and WebP (RFC 9649).
IMAGE_SIGNATURES: dict[str, tuple[tuple[tuple[int, bytes], ...], ...]] = {
    "image/png": (((0, b"\x89PNG\r\n\x1a\n"), (12, b"IHDR")),),
    "image/jpeg": (((0, b"\xff\xd8\xff"),),),
    "image/gif": (((0, b"GIF87a"),), ((0, b"GIF89a"),)),
    "image/webp": (((0, b"RIFF"), (8, b"WEBPVP8")),),
}
# Type -> the extension of a file.
EXTENSION_OF_IMAGE = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
}
# A `data:` address of an image with base64. The type that it claims is not used.
IMAGE_DATA_ADDRESS = re.compile(r"data:image/[\w.+-]{1,40};base64,", re.IGNORECASE)
# Longer addresses are not looked at: 20 MB, the largest image that the Assistants API took, in base64.
MAX_DATA_ADDRESS_CHARS = 28_000_000


def image_type_of(head: bytes) -> str:
    """`image/png`, `image/jpeg`, `image/gif`, `image/webp`, or '' for anything else."""
    for type_, signatures in IMAGE_SIGNATURES.items():
        for signature in signatures:
            if all(head.startswith(part, place) for place, part in signature):
                return type_
    return ""


def image_in_address(address: str) -> tuple[str, str]:
    """Proved type and base64 text of the image in a `data:` address; ('', '') for any other address."""
    match = IMAGE_DATA_ADDRESS.match(address)
    if match is None or len(address) > MAX_DATA_ADDRESS_CHARS:
        return "", ""
    return proved_base64_image(address[match.end() :])


def proved_base64_image(text: str) -> tuple[str, str]:
    """Proved type and text of an image in base64; ('', '') where it is none."""
    encoded = "".join(text.split())
    try:
        type_ = image_type_of(base64.b64decode(encoded[: IMAGE_HEAD_BYTES * 4], validate=True))
        base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return "", ""
    return (type_, encoded) if type_ else ("", "")
