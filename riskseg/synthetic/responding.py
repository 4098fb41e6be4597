"""A portfolio that responds to what the creditor does, a day at a time.

Who forgets, who cannot pay and who will not, who pays late by habit and who only after a letter,
is known: see `world.py`, where the effects of actions stand too. Until the first day the creditor
acts by its old policy; from then on, by what it is given. Luck follows from the account, the day
and the purpose, so that two strategies meet the same people with the same luck: where both do the
same for an account, the same comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from riskseg.synthetic import world as w
from riskseg.synthetic.billing import draw_bills
from riskseg.synthetic.days import History, Life
from riskseg.synthetic.luck import InOrder, Keyed
from riskseg.synthetic.people import draw_households
from riskseg.synthetic.portfolio import CHUNK
from riskseg.synthetic.tables import Frame, accounts_table, bills_table, later_tables
from riskseg.synthetic.world import Action, Ints

# Months in which the creditor acts by its old policy, before the first day.
MONTHS_BEFORE = 13
_CHANNELS = dict(zip(w.ACTION_CHANNELS[::-1], reversed(Action), strict=True))


def known_action(name: str, channel: str) -> Action | None:
    """What an action of a strategy is in this world: by its name, or else by its channel, and then
    the mildest; None where neither is known."""
    return Action[name.upper()] if name in w.ACTIONS else _CHANNELS.get(channel)


@dataclass
class _Chunk:
    """Some of the accounts, and how far their payments and events were handed on."""

    frame: Frame
    life: Life
    payments: int = 0
    events: int = 0
    instalments: int = 0

    def handed_on(self, history: History) -> None:
        """Note that all that has happened so far was handed on."""
        self.payments, self.events = len(history.payments), len(history.events)
        self.instalments = len(history.instalments)


class Responding:
    """`accounts` accounts whose history begins on `since`; what the creditor does is asked from
    `first` to `until`."""

    def __init__(self, accounts: int, seed: int, since: date, first: date, until: date) -> None:
        self._since, self._today = since, (first - since).days
        days = (until - since).days + 1
        self._chunks = []
        for index, first_account in enumerate(range(0, accounts, CHUNK)):
            chunk_accounts = min(CHUNK, accounts - first_account)
            seeds = np.random.SeedSequence(seed, spawn_key=(index,)).spawn(4)
            who, bill, live, self._record = (
                np.random.Generator(np.random.PCG64(chunk_seed)) for chunk_seed in seeds
            )
            people = draw_households(chunk_accounts, days, who)
            bills = draw_bills(people, since, days, bill)
            life = Life(people, bills, since, days, InOrder(live))
            for day in range(self._today):
                life.pass_day(day)
            life.luck = Keyed(seed, first_account)
            self._chunks.append(_Chunk(Frame(first_account + 1, since, days), life))

    def tables(self) -> dict[str, pa.Table]:
        """Accounts, bills, payments, events and instalments as they stand before the first day.
        Bills are those of all days to come as well: nothing that the creditor does changes what is
        billed, short of giving an account up."""
        chunk_tables: list[dict[str, pa.Table]] = []
        for chunk in self._chunks:
            history = chunk.life.history()
            chunk_tables.append(
                {
                    "accounts": accounts_table(chunk.frame, chunk.life.people, history),
                    "bills": bills_table(chunk.frame, chunk.life.bills, history),
                    **later_tables(chunk.frame, history, 0, 0, 0, InOrder(self._record), 0),
                }
            )
            chunk.handed_on(history)
        return {
            table_name: pa.concat_tables(chunk_table[table_name] for chunk_table in chunk_tables)
            for table_name in chunk_tables[0]
        }

    def copy(self) -> Responding:
        """The same portfolio, whose days can go on in another way."""
        return deepcopy(self)

    def begin_day(self) -> None:
        """What happens before the creditor acts: bills fall due, people pay or do not."""
        for chunk in self._chunks:
            chunk.life.begin_day(self._today)

    def later(self) -> Iterator[dict[str, pa.Table]]:
        """The payments, events and instalments that were not handed on yet, and accounts as they
        are now."""
        for chunk in self._chunks:
            history = chunk.life.history()
            yield {
                "accounts": accounts_table(chunk.frame, chunk.life.people, history),
                **later_tables(
                    chunk.frame,
                    history,
                    chunk.payments,
                    chunk.events,
                    chunk.instalments,
                    chunk.life.luck,
                    self._today,
                ),
            }
            chunk.handed_on(history)

    def end_day(self, account: Ints, action: Ints) -> None:
        """The creditor takes actions, for accounts by their number, from 1; and the day ends."""
        for chunk in self._chunks:
            begins, life = chunk.frame.first, chunk.life
            own_accounts = (account >= begins) & (account < begins + len(life.people))
            life.act(account[own_accounts] - begins, action[own_accounts], self._today)
            life.end_day(self._today)
        self._today += 1
