"""The port of insights: what every question about accounts answers, and the questions there are.

An insight is one object in one module. :func:`register` makes it known; nothing else names it.
`riskseg.insight` registers those that come with riskseg.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Generic, TypeVar

from riskseg.results.part import Part

Subject = TypeVar("Subject")
Answer = TypeVar("Answer", bound=Part)


class Insight(ABC, Generic[Subject, Answer]):
    """One question about accounts: `question` in words, `name` its key in results.

    `about` is the class of what it is asked of: an engine, and the tables there that it reads,
    whose columns the class describes. A use case that has such a subject asks every insight about
    it, so that a new insight needs no line there.
    """

    name: ClassVar[str]
    question: ClassVar[str]
    about: type[Subject]
    # Whether it looks at an earlier day beside the as-of date.
    needs_earlier_day: ClassVar[bool] = False
    # The tables of its subject that it reads, of those that are made only where one needs them.
    needs: ClassVar[tuple[str, ...]] = ()
    # Further ones that it reads where they can be made.
    may_read: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def answer(self, subject: Subject) -> Answer:
        """The answer, typed: its fields are the JSON of it."""


INSIGHTS: dict[str, Insight[Any, Any]] = {}


def register(insight: Insight[Any, Any]) -> None:
    """Make an insight known. They are asked in the order of their registration. Raises ValueError
    for a name that another has."""
    if insight.name in INSIGHTS:
        raise ValueError(f'There is an insight "{insight.name}" already.')
    INSIGHTS[insight.name] = insight


def insights_about(subject: object) -> Iterator[Insight[Any, Any]]:
    """The insights that can be asked of a subject."""
    return (insight for insight in INSIGHTS.values() if isinstance(subject, insight.about))


def insights_into(about: type[object]) -> dict[str, Insight[Any, Any]]:
    """The insights that are asked of a class of subjects, by name."""
    return {name: insight for name, insight in INSIGHTS.items() if insight.about is about}
