"""A model card: one HTML page from the plain data of an artefact."""

from riskseg.learning.card.page import card

__all__ = ["card"]
