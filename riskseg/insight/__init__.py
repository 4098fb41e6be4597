"""Insight, one file for each question: how decisions differ, who moves between segments."""
