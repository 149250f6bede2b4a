"""What holds for all tests."""

from __future__ import annotations

import signal

# Shells let what they start in the background ignore Ctrl-C, and processes pass that on: runs that
# tests interrupt would not notice.
signal.signal(signal.SIGINT, signal.default_int_handler)
