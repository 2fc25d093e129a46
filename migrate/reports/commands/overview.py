"""What changed in the members of objects since the snapshot before, in words."""

from __future__ import annotations

from migrate.model.results.overview import KindChange
from migrate.reports.text_table import number_of

# Kind of the members -> how one of them is called.
MEMBER_NOUNS = {"message": "message", "vector_store_file": "file"}


def members_text(change: KindChange) -> str:
    """`2 new messages, 1 removed, in 2 threads`, or '' where no members changed."""
    if not change.objects_with_other_members:
        return ""
    noun = MEMBER_NOUNS.get(change.members, change.members.replace("_", " "))
    where = number_of(change.objects_with_other_members, change.kind.replace("_", " "))
    if change.added_members is None or change.removed_members is None or change.changed_members is None:
        more = change.more_members
        if not more:
            return f"other {noun}s in {where}"
        word = "new" if more > 0 else "removed"
        return f"at least {number_of(abs(more), f'{word} {noun}')} in {where}"
    numbers = (
        ("new", change.added_members),
        ("removed", change.removed_members),
        ("changed", change.changed_members),
    )
    (first, count), *rest = [row for row in numbers if row[1]] or [("", 0)]
    if not count:
        return f"the {noun}s are in another order in {where}"
    others = "".join(f", {number:,} {word}" for word, number in rest)
    return f"{number_of(count, f'{first} {noun}')}{f'{others},' if others else ''} in {where}"
