"""A model card: one HTML page from the plain data of an artefact."""

from riskseg.report.model_card.page import card

__all__ = ["card"]
