"""The views that people query: one per kind, in the form of each version of the schema.

The program itself reads tables and the views `scopes`, `bodies` and `id_map`, which are the same in every
version.
"""

from __future__ import annotations

from collections.abc import Iterable

from migrate.archive.packs import BODIES_PER_PACK

MESSAGE_TEXT_SQL = """(SELECT group_concat(CASE WHEN part.type != 'object' THEN part.value ELSE coalesce(
        json_extract(part.value, '$.text.value'), json_extract(part.value, '$.text'),
        json_extract(part.value, '$.refusal'), '[' || json_extract(part.value, '$.type') || ']')
        END, char(10))
      FROM json_each(one.value, '$.content') AS part)"""

# A row for each body of a pack.
UNPACKED_BODIES_SQL = "json_each(CAST(sqlar_uncompress(packs.data, packs.size) AS TEXT))"

VIEWS = (
    """CREATE VIEW scopes AS SELECT listed.snapshot_id, kinds.name AS kind,
         parents.object_id AS parent_id, listed.manifest_id, coalesce(listed.state, 'complete') AS state,
         listed.reason, listed.cursor
       FROM listed JOIN kinds ON kinds.id = listed.kind_id JOIN parents ON parents.id = listed.parent_id""",
    f"""CREATE VIEW bodies AS SELECT packs.id * {BODIES_PER_PACK} + one.key AS id, packs.kind,
         json_extract(one.value, '$.id') AS object_id, one.value AS body
       FROM packs JOIN {UNPACKED_BODIES_SQL} AS one WHERE one.type != 'null'""",
    """CREATE VIEW id_map AS
         SELECT j.kind, j.source_id, j.target_id, j.name, j.source_parent, j.target_parent,
                p.source_type, p.source_url, p.target_type, p.target_url
         FROM journal j JOIN plans p ON p.id = j.plan_id
         WHERE j.state = 'done' AND j.target_id IS NOT NULL AND j.action NOT IN ('delete', 'undo')
         AND NOT EXISTS (SELECT 1 FROM journal u WHERE u.plan_id = j.plan_id AND u.action = 'undo'
           AND u.state = 'done' AND u.kind = j.kind AND u.source_parent = j.source_parent
           AND u.source_id = j.source_id)""",
)

# Where an agent of the new generation has its fields.
NEWEST_VERSION_PATH = "$.versions.latest"

# View -> kind, name of its parent column, and further columns as JSON paths (`|`: the first one that exists)
# or SQL expressions.
VIEW_COLUMNS: dict[str, tuple[str, str | None, tuple[tuple[str, str], ...]]] = {
    "assistants": ("assistant", None, (("name", "$.name"),
        ("model", f"$.model|{NEWEST_VERSION_PATH}.definition.model"),
        ("instructions", f"$.instructions|{NEWEST_VERSION_PATH}.definition.instructions"),
        ("created_at", f"$.created_at|{NEWEST_VERSION_PATH}.created_at"),
        ("metadata", f"$.metadata|{NEWEST_VERSION_PATH}.metadata"))),
    "threads": ("thread", None, (("created_at", "$.created_at"), ("metadata", "$.metadata"),
        ("tool_resources", "$.tool_resources"))),
    "messages": ("message", "thread_id", (("role", "$.role"), ("text", MESSAGE_TEXT_SQL),
        ("created_at", "$.created_at"), ("assistant_id", "$.assistant_id"), ("run_id", "$.run_id"))),
    "runs": ("run", "thread_id", (("status", "$.status"), ("assistant_id", "$.assistant_id"),
        ("model", "$.model"), ("created_at", "$.created_at"), ("total_tokens", "$.usage.total_tokens"))),
    "run_steps": ("run_step", "thread_id", (("run_id", "$.run_id"), ("type", "$.type"),
        ("status", "$.status"), ("created_at", "$.created_at"))),
    "files": ("file", None, (("filename", "$.filename"), ("purpose", "$.purpose"), ("bytes", "$.bytes"),
        ("created_at", "$.created_at"))),
    "vector_stores": ("vector_store", None, (("name", "$.name"), ("status", "$.status"),
        ("files", "$.file_counts.total"), ("usage_bytes", "$.usage_bytes"),
        ("created_at", "$.created_at"))),
    "vector_store_files": ("vector_store_file", "vector_store_id", (("status", "$.status"),
        ("attributes", "$.attributes"), ("chunking_strategy", "$.chunking_strategy"),
        ("last_error", "$.last_error.message"))),
}  # fmt: skip


# Columns that version 2 adds to a view, in the same form.
ADDED_COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "threads": (("messages", """(SELECT coalesce(sum(part.count), 0) FROM listed
        JOIN kinds ON kinds.id = listed.kind_id JOIN parents ON parents.id = listed.parent_id
        JOIN spans AS part ON part.manifest_id = listed.manifest_id
      WHERE listed.snapshot_id = scopes.snapshot_id AND kinds.name = 'message'
        AND parents.object_id = json_extract(one.value, '$.id'))"""),),
    "runs": (("completed_at", "$.completed_at"),),
    "run_steps": (("completed_at", "$.completed_at"),),
    "files": (("expires_at", "$.expires_at"),),
    "vector_stores": (("last_active_at", "$.last_active_at"), ("expires_at", "$.expires_at")),
    "vector_store_files": (("created_at", "$.created_at"),),
}  # fmt: skip
# Columns of seconds since 1970. In version 2 each is followed by one with the time as text.
TIME_ENDING = "_at"
ISO_ENDING = "_iso"

# How to read an archive, for users of a program that shows only the names of its views.
READ_ME: tuple[tuple[str, str], ...] = (
    ("any program", "The views decompress bodies with the SQL function sqlar_uncompress. A program that "
        "reports 'no such function: sqlar_uncompress' does not have it."),
    ("sqlite3", "The shell has the function built in: sqlite3 -readonly FILE"),
    ("sqlite-utils", "It is installed with assistants-migrate, which adds the function."),
    ("Datasette", "Install assistants-migrate in the environment of Datasette, which adds the function, "
        "links and a search. PACKAGE is the folder of a checkout, or a wheel: datasette install PACKAGE. "
        "Where pipx installed Datasette: pipx inject datasette PACKAGE. Where uv did: uv tool install "
        "datasette --with PACKAGE"),
    ("Python", "conn.create_function('sqlar_uncompress', 2, lambda data, size: data if size == len(data) "
        "else zlib.decompress(data))"),
)  # fmt: skip


def kind_view(name: str) -> str:
    """The SQL of a view of version 1."""
    return _view_sql(name, ((column, _value_sql(path)) for column, path in VIEW_COLUMNS[name][2]))


def kind_view_with_times(name: str) -> str:
    """The SQL of a view of version 2: more columns, and each time also as ISO 8601 in UTC."""
    columns: list[tuple[str, str]] = []
    for column, path in (*VIEW_COLUMNS[name][2], *ADDED_COLUMNS.get(name, ())):
        value = _value_sql(path)
        columns.append((column, value))
        if column.endswith(TIME_ENDING):
            columns.append((f"{column}{ISO_ENDING}", _iso_sql(value)))
    return _view_sql(name, columns)


def read_me_view() -> str:
    """The SQL of the view that says how to read the others. It needs no function."""
    rows = [f"({_quoted(program)}, {_quoted(text)})" for program, text in READ_ME]
    return f"CREATE VIEW read_me (program, how) AS VALUES {', '.join(rows)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _iso_sql(seconds: str) -> str:
    """A time as text; NULL where the value is no number, or no time that SQLite knows."""
    return (
        f"CASE WHEN typeof({seconds}) IN ('integer', 'real') "
        f"THEN strftime('%Y-%m-%dT%H:%M:%SZ', {seconds}, 'unixepoch') END"
    )


def _value_sql(path: str) -> str:
    """The value of a column: of the first JSON path that exists, or of an expression."""
    if not path.startswith("$"):
        return path
    values = [f"json_extract(one.value, '{part}')" for part in path.split("|")]
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _view_sql(name: str, columns: Iterable[tuple[str, str]]) -> str:
    kind, parent, _ = VIEW_COLUMNS[name]
    shown = ["scopes.snapshot_id AS snapshot", "json_extract(one.value, '$.id') AS id"]
    if parent:
        shown.append(f"scopes.parent_id AS {parent}")
    shown += [f"{value} AS {column}" for column, value in columns]
    return (
        f"CREATE VIEW {name} AS SELECT {', '.join(shown)}, spans.ordinal + one.key - spans.place AS ordinal, "
        "one.value AS body FROM scopes JOIN spans ON spans.manifest_id = scopes.manifest_id "
        f"JOIN packs ON packs.id = spans.pack_id JOIN {UNPACKED_BODIES_SQL} AS one "
        f"ON one.key >= spans.place AND one.key < spans.place + spans.count WHERE scopes.kind = '{kind}'"
    )
