"""The kinds of rules that guards.yaml may hold, one file each.

A kind declares its keys and how it is checked, what it is as SQL and as a term of a proof, what is
claimed of it and how it is shown: see `rules/rule.py`. To add one, write its file and list it here.
"""

from riskseg.rules.rule import register
from riskseg.strategy.kinds.contact_rule import ContactRule
from riskseg.strategy.kinds.duty import Duty
from riskseg.strategy.kinds.guard import Guard
from riskseg.strategy.kinds.hold import Hold
from riskseg.strategy.kinds.include import Included
from riskseg.strategy.kinds.prove import Property
from riskseg.strategy.kinds.requirement import Requirement

__all__ = ["ContactRule", "Duty", "Guard", "Hold", "Included", "Property", "Requirement"]

for kind in (Guard, Hold, Requirement, ContactRule, Duty, Property, Included):
    register(kind)
