"""The comparison of two snapshots: a choice, then how far it is, then the report of `diff`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from migrate.model.results.archive import SnapshotInfo
from migrate.reports.formats.html import ItemLinks
from migrate.reports.report import ReportItem
from migrate.serve.addresses import with_query
from migrate.serve.comparisons import Comparison, Comparisons, value_chars
from migrate.serve.connections import ArchiveAccess
from migrate.serve.page_request import ArchiveFunction, error_page, number_in_text, snapshot_page
from migrate.serve.pages.version_timeline import FieldVersion, field_version

# Seconds that a page waits for a result, and between two looks of a page that waits.
WAIT_FOR_RESULT_S, REFRESH_S = 0.1, 1
# Result of a report -> what it means for two snapshots.
RESULTS = {"clear": "The same", "open": "Different", "incomplete": "Not everything was read"}
# Differences of a page of the list without a script, and characters of their values: it ends before the
# difference with which it would have more.
ITEMS_PER_PAGE, MAX_LIST_CHARS = 50, 400_000


def compare_endpoint(comparisons: Comparisons) -> ArchiveFunction:
    """The page `/compare` over these comparisons."""

    def answer(access: ArchiveAccess, request: Request) -> Response:
        right = _chosen(access, request, "right", access.first_shown)
        left = _chosen(access, request, "left", lambda: _before(access, right))
        estate = access.estate_of(right)
        page = partial(snapshot_page, access, estate, right, section="compare", left=left, right=right)
        if "left" not in request.query_params or left.id == right.id:
            return page("compare.html.j2")
        comparison = comparisons.ask(left.id, right.id, WAIT_FOR_RESULT_S)
        if comparison.error is not None:
            return error_page(comparison.error)
        if comparison.state == "done":
            if "list" in request.query_params:
                return _list_page(request, comparison, page)
            shown = {**comparison.context, "result": RESULTS[comparison.context["report"].result]}
            shown["plain_address"] = list_address(comparison)
            return page("comparison.html.j2", **shown)
        return page("comparing.html.j2", comparison=comparison, refresh_s=REFRESH_S)

    return answer


def _list_page(request: Request, comparison: Comparison, page: Callable[..., Response]) -> Response:
    """The differences as a list that needs no script."""
    items = comparison.context["listed"]
    links = comparison.context["links_of_listed"]
    first = min(max(number_in_text(request.query_params.get("from", "")) or 1, 1), max(len(items), 1))
    shown = _with_room(items[first - 1 : first - 1 + ITEMS_PER_PAGE])
    last = first - 1 + len(shown)

    def address(number: int) -> str:
        return list_address(comparison, number)

    return page(
        "comparison_list.html.j2",
        headline=comparison.context["headline"],
        items=[_ListedItem.of(*row) for row in zip(shown, links[first - 1 :], strict=False)],
        first=first if shown else 0,
        last=last,
        total=len(items),
        previous=max(1, first - ITEMS_PER_PAGE) if first > 1 else None,
        next=last + 1 if last < len(items) else None,
        list_address=address,
    )


def _with_room(items: Sequence[ReportItem]) -> Sequence[ReportItem]:
    """The first items, as many as have room on a page, but at least one."""
    room = MAX_LIST_CHARS
    for number, item in enumerate(items):
        room -= value_chars(item)
        if room < 0 and number:
            return items[:number]
    return items


def list_address(comparison: Comparison, first: int = 1) -> str:
    """The list of the differences of a comparison, from one of them on."""
    return with_query(
        "/compare", {"left": comparison.left, "right": comparison.right, "list": 1, "from": first}
    )


@dataclass(frozen=True)
class _ListedItem:
    """One object that differs."""

    verdict: str
    kind: str
    name: str
    left_id: str
    right_id: str
    parent: str
    links: ItemLinks
    fields: tuple[FieldVersion, ...]

    @classmethod
    def of(cls, item: ReportItem, links: ItemLinks) -> _ListedItem:
        """Of an item of the report, whose values are masked."""
        fields = tuple(field_version(detail.path, detail.left, detail.right) for detail in item.details)
        parent = links.parent_name or item.parent
        return cls(item.verdict, item.kind, item.name, item.left_id, item.right_id, parent, links, fields)


def _chosen(
    access: ArchiveAccess, request: Request, name: str, default: Callable[[], SnapshotInfo]
) -> SnapshotInfo:
    text = request.query_params.get(name, "")
    number = number_in_text(text)
    if number is not None:
        return access.snapshot_info(number)
    return default() if not text else access.snapshot_info(-1)


def _before(access: ArchiveAccess, info: SnapshotInfo) -> SnapshotInfo:
    """The snapshot of the same estate before another one; that itself where it is the first."""
    earlier = [other for other in access.estate_of(info).snapshots if other.id < info.id]
    return earlier[-1] if earlier else info
