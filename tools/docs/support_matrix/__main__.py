"""Print docs/support-matrix.md."""

import sys

from tools.docs.support_matrix.page import page

sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
sys.stdout.write(page())
