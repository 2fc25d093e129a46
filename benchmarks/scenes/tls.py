"""snapshot over TLS with 100 ms latency, beside the floor: the same requests over the same connection."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import program, run, service
from benchmarks.results import Results, median, on_disk
from benchmarks.sizes import Size

LATENCY_S = 0.1
MAX_THREADS = 300


def measure(size: Size, results: Results, folder: Path) -> None:
    """Floor and snapshot in turn, as often as the size says, and the median of the ratios."""
    threads, archive, certificate = min(size.threads, MAX_THREADS), folder / "tls.db", str(folder / "tls.pem")
    latency = LATENCY_S if size.latency else 0.0
    shape = {"threads": threads, "messages": size.messages, "latency": latency, "assistants": 10}
    ratios = []
    with service("generated", **shape, certificate=certificate) as source:
        for _ in range(size.rounds):
            archive.unlink(missing_ok=True)
            floor = run(
                "-m", "benchmarks.floor", "read", source.url, "--runs",
                f"--threads={threads}", f"--messages={size.messages}", f"--workers={size.workers}",
                certificate=certificate,
            )  # fmt: skip
            results.cost("floor: the same pages over TLS", floor, source.counts())
            snapshot = program(
                *(
                    "snapshot",
                    f"azure-openai+{source.url}",
                    "-o",
                    str(archive),
                    "--workers",
                    str(size.workers),
                ),
                certificate=certificate,
            )
            results.cost("snapshot over TLS", snapshot, source.counts(), on_disk(archive))
            ratios.append(floor.seconds / snapshot.seconds)
    results.put("tls_floor", median(ratios))
    results.facts["tls_ratios"] = [round(ratio, 3) for ratio in ratios]
