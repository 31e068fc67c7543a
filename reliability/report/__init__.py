"""
Reports: a `RunResult` as text for people and for programs.

All but the progress display are pure functions; `write_reports` alone writes.
"""

from __future__ import annotations

from reliability.report.files import REPORT_NAMES, report_paths, write_reports

__all__ = ["REPORT_NAMES", "report_paths", "write_reports"]
