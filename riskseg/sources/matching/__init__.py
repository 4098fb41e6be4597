"""What a stranger's files mean: which is which table of the contract, and which column is which.

Names, values and how tables meet are the evidence; what they do not settle is left to a person.
"""

from riskseg.sources.matching.found import Found, survey
from riskseg.sources.matching.proposal import ColumnProposal, Proposal, TableProposal
from riskseg.sources.matching.tables import propose
from riskseg.sources.matching.written import written_toml

__all__ = [
    "ColumnProposal",
    "Found",
    "Proposal",
    "TableProposal",
    "propose",
    "survey",
    "written_toml",
]
