"""The report on segments: every question and its answer on one page, and as a workbook."""

from riskseg.report.segments.page import page

__all__ = ["page"]
