"""An account's history: one HTML page with a picture of its time."""

from riskseg.report.account_history.page import page

__all__ = ["page"]
