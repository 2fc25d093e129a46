"""Which estate of an archive a path means."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import unquote

from migrate.model.estate_location import PROJECT_IN_PATH
from migrate.serve.api.refusals import ApiRefusal, not_in_archive
from migrate.serve.api.served_apis import FAMILY_TYPES, ApiAddress
from migrate.serve.connections import ServedEstate

TYPE_NAMES = {
    "azure-openai": "Azure OpenAI resource",
    "openai": "OpenAI project",
    "foundry-classic": "Foundry project with classic agents",
    "foundry": "Foundry project",
}


def choose_estate(address: ApiAddress, estates: Collection[ServedEstate]) -> ServedEstate:
    """The estate that an address means: the one of the number in it, else the only one that has such paths,
    of projects the one of that name. Both generations of a project are one place. Raises `ApiRefusal`."""
    family = [estate for estate in estates if estate.type in FAMILY_TYPES[address.family]]
    found = family
    if address.estate is not None:
        urls = {estate.url for estate in estates if str(estate.number) == address.estate}
        found = [estate for estate in found if estate.url in urls]
    elif address.family == "foundry":
        names = ("", address.project.casefold())  # the address of a gateway may have no name
        found = [estate for estate in found if project_of_url(estate.url).casefold() in names]
    if len({estate.url for estate in found}) != 1:
        raise _not_one_estate(address, found or family, is_ambiguous=bool(found))
    for estate in found:
        if estate.type == address.api.type:
            return estate
    there = " and ".join(TYPE_NAMES[estate.type] for estate in found)
    raise not_in_archive(
        f"The archive has {found[0].url} as a {there}. These paths are those of a "
        f"{TYPE_NAMES[address.api.type]}, which was not read."
    )


def project_of_url(url: str) -> str:
    """The name of the project in an address, or ''."""
    match = PROJECT_IN_PATH.search(url)
    return unquote(match[1]) if match else ""


def _not_one_estate(address: ApiAddress, estates: Sequence[ServedEstate], is_ambiguous: bool) -> ApiRefusal:
    """The refusal where no estate, or more than one, is meant. It names the addresses that can be used."""
    kind = TYPE_NAMES[FAMILY_TYPES[address.family][-1]]
    if not estates:
        return ApiRefusal(404, f"This archive has no {kind}.", by_gateway=True)
    named = f" '{address.project}'" if address.project else ""
    what = f"several estates of this kind: {kind}{named}" if is_ambiguous else f"no such {kind}{named}"
    rows = dict.fromkeys((f"/estates/{estate.number}", estate.url) for estate in estates)
    prefixes = ", ".join(f"{prefix} for {url}" for prefix, url in rows)
    message = f"This archive has {what}. Put one of these before the path: {prefixes}."
    return ApiRefusal(404, message, by_gateway=True)
