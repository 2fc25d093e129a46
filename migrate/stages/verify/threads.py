"""Compare threads and their messages, page by page and several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from migrate.errors import RequestFailed
from migrate.model.message_label import object_label
from migrate.model.results.apply import VerifyFinding, VerifyResult
from migrate.stages.estate import Estate, LazyMessage
from migrate.stages.match.messages import pair_messages
from migrate.stages.object_fingerprints import is_unchanged, message_fingerprint
from migrate.stages.plan.adaptation import without_folded_attachments
from migrate.stages.progress import Progress
from migrate.stages.verify.context import VerifyContext
from migrate.stages.verify.objects import compare_object, verify_object
from migrate.stages.worker_pool import run_parallel

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

THREADS_COMPARED = "threads compared"

_MessagePairs = Iterator[tuple[LazyMessage | None, LazyMessage | None]]


class ThreadCheck:
    """Compares the threads of a plan with the target, and adds to a result."""

    def __init__(self, ctx: VerifyContext, target: Estate, reader: Reader, result: VerifyResult) -> None:
        self._ctx, self._target, self._reader, self._result = ctx, target, reader, result
        # Thread -> number of messages that were on the target before this plan.
        self._standing = {a.id: a.standing for a in ctx.plan.actions if a.kind == "thread"}
        # Threads that a restore only changes: messages that others add are ignored.
        self._only_changed = {
            a.id for a in ctx.plan.actions if ctx.plan.restore and a.kind == "thread" and not a.messages
        }

    def run(self, workers: int, progress: Progress) -> None:
        """Compare all threads."""
        progress.expect(THREADS_COMPARED, sum(1 for kind, _, _ in self._ctx.expected if kind == "thread"))
        progress.total_known(THREADS_COMPARED)
        findings: dict[int, list[VerifyFinding]] = {}
        lock = threading.Lock()

        def compare(job: tuple[int, str, str]) -> None:
            number, thread, target_id = job
            count, found = self._compare_messages(thread, target_id)
            with lock:
                self._result.checked["message"] = self._result.checked.get("message", 0) + count
                findings[number] = found
            progress.count(THREADS_COMPARED)

        run_parallel(workers, self._check_threads(), compare, self._reader.limiter.stop)
        self._result.findings += [row for number in sorted(findings) for row in findings[number]]

    def _check_threads(self) -> Iterator[tuple[int, str, str]]:
        """Check each thread without its messages. Yields number, source id and target id of those present."""
        ctx, threads = self._ctx, self._target.threads_by_id
        for number, thread in enumerate(ctx.expected_objects("thread", ctx.source.iter_threads())):
            target_id = ctx.target_id("thread", thread.id) or ""
            present = threads.get(target_id)
            if present is not None:
                messages = ctx.adapted_messages(thread.id)
                present = without_folded_attachments(present, ctx.adapted(thread), messages)
            verify_object(ctx, thread, present, self._result)
            if present is not None:
                yield number, thread.id, target_id

    def _compare_messages(self, thread: str, target_id: str) -> tuple[int, list[VerifyFinding]]:
        """The number of compared messages of one thread, and the findings about them."""
        ctx, arrived = self._ctx, self._ctx.arrived_messages(thread, target_id)
        try:
            if ctx.same_place and thread == target_id:
                count = self._count_unchanged(thread)
                if count is not None:
                    return count, []
            pairs = pair_messages(
                ctx.expected_messages(thread),
                self._target_messages(target_id),
                {new: old for new, (old, _) in arrived.items()},
                lambda: {message.id for message in ctx.expected_messages(thread)},
            )
            return self._compare_pairs(thread, target_id, pairs, arrived)
        except RequestFailed as failed:
            reason = f"could not be read back: {failed}"
            return 0, [VerifyFinding("thread", thread, target_id, "", "messages", reason)]

    def _target_messages(self, target_id: str) -> Iterator[LazyMessage]:
        pages = self._reader.pages("message", target_id)
        return (self._target.lazy_message(target_id, body) for page in pages for body in page.bodies)

    def _count_unchanged(self, thread: str) -> int | None:
        """The number of messages of a thread of the source's own place, if all are as they were archived, in
        order. Newer messages behind them are allowed. None where one differs."""
        number, present_messages = 0, self._target_messages(thread)
        for message in self._ctx.source.iter_lazy_messages(thread):
            present = next(present_messages, None)
            if present is None or present.id != message.id:
                return None
            text = message.text_message
            if (text is None or text != present.text_message) and not is_unchanged(
                message.entity, present.entity
            ):
                return None
            number += 1
        return number

    def _compare_pairs(
        self, thread: str, target_id: str, pairs: _MessagePairs, arrived: Mapping[str, tuple[str, str]]
    ) -> tuple[int, list[VerifyFinding]]:
        findings: list[VerifyFinding] = []
        count = place = 0
        origins = self._ctx.message_origins(thread, target_id)
        for message, present in pairs:
            is_older = place < self._standing.get(thread, 0)  # it arrived before this plan
            noted = arrived.get(present.id) if present is not None and is_older else None
            if message is not None:
                count += 1
                unchanged = present is not None and (
                    (message.text_message and message.text_message == present.text_message)
                    or origins.get(message.id) == present.id  # the source's was created from it
                    or (is_older and self._ctx.plan.restore == "missing")  # it may be newer than the snapshot
                )
                if not unchanged:
                    found = compare_object(self._ctx, message.entity, present.entity if present else None)
                    as_written = present and noted == (message.id, self._fingerprint(present))
                    # An unchanged message is right, even where today's source would give another form.
                    # Only its metadata can be written again, so only that is compared.
                    findings += (f for f in found if not as_written or f.path.startswith("metadata"))
            elif present is not None and noted is None and thread not in self._only_changed:
                # else the plan reported that its source is gone
                reason = f"in {target_id}, but not in {thread}"
                findings.append(
                    VerifyFinding(
                        "message", "", present.id, object_label(present.entity), f"[{place}]", reason
                    )
                )
            place += present is not None
        return count, findings

    def _fingerprint(self, message: LazyMessage) -> str:
        return message_fingerprint(self._ctx.codec, message.body, message.thread)
