"""riskseg: a credit and collections segmentation engine."""

__version__ = "0.1.0"
