"""The way other tools work: one client, one request at a time, typed objects, the default pages of 20
rows."""

from __future__ import annotations

import json
import sys
import time
import warnings

from benchmarks.child import SECRET
from benchmarks.estate import thread_id
from benchmarks.floor import VERSION


def main(url: str, threads: str) -> None:
    """Read the messages and runs of the first threads of a service."""
    from openai import AzureOpenAI

    warnings.simplefilter("ignore", DeprecationWarning)
    client = AzureOpenAI(azure_endpoint=url, api_key=SECRET, api_version=VERSION)
    began, messages = time.monotonic(), 0
    for number in range(int(threads)):
        for _ in client.beta.threads.messages.list(thread_id(number)):
            messages += 1
        for _ in client.beta.threads.runs.list(thread_id(number)):
            pass
    result = {"messages": messages, "seconds": time.monotonic() - began}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
