"""What happens, day by day: bills fall due, households pay or do not, the creditor acts.

The days are a loop; within a day everything is done for all accounts of the chunk at once.
Each cause is one method. Nothing looks ahead: a day knows only the days before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np

from riskseg.synthetic import world as w
from riskseg.synthetic.billing import Bills, day_of_year
from riskseg.synthetic.luck import InOrder, Luck
from riskseg.synthetic.people import Households, boosts, daily_rates, miss_chances
from riskseg.synthetic.rows import Agenda, Rows
from riskseg.synthetic.world import Action, Days, Flags, Ints, Reason


class Status(IntEnum):
    """What became of a payment."""

    SETTLED = 0
    FAILED = 1
    REVERSED = 2


class Happening(IntEnum):
    """Kinds of event."""

    CONTACT = 0
    PROMISE = 1
    PLAN = 2
    DISPUTE = 3
    BREATHING_SPACE = 4
    VISIT = 5
    COMPLAINT = 6
    ACTION = 7


CHANNELS = ("sms", "post", "phone", "desk", "field", "file", "adviser")
SMS, POST, PHONE, DESK, FIELD, FILE, ADVISER = range(len(CHANNELS))
OUTCOMES = (
    "sent", "answered", "no_answer", "asked_for_help", "question", "made", "kept", "broken",
    "agreed", "raised", "upheld", "rejected", "started", "met", "received",
)  # fmt: skip
OUTCOME = {name: code for code, name in enumerate(OUTCOMES)}
NONE = -1


@dataclass(frozen=True, slots=True)
class History:
    """What happened to a chunk of accounts. `payments.reverses` is the place of another row;
    `events.ref` is an Action, an agreement's number or a bill's place, by the kind;
    `instalments.ref` is the number of the plan."""

    payments: Rows
    events: Rows
    instalments: Rows
    written_off: Days
    last_method: Ints
    sheltered_from: Days
    sheltered_until: Days


def live_through(
    people: Households, bills: Bills, since: date, days: int, rng: np.random.Generator
) -> History:
    """`days` days of the chunk's life."""
    life = Life(people, bills, since, days, InOrder(rng))
    for day in range(days):
        life.pass_day(day)
    return life.history()


class Life:
    """The state of a chunk's accounts at one day, and the causes that change it."""

    def __init__(
        self, people: Households, bills: Bills, since: date, days: int, luck: Luck
    ) -> None:
        count = len(people)
        self.people, self.bills, self.luck = people, bills, luck
        self.payments = Rows("account", "day", "amount", "method", "status", "reverses")
        self.events = Rows("account", "day", "kind", "channel", "outcome", "amount", "until", "ref")
        self.instalments = Rows("account", "day", "due", "amount", "ref")
        self.winter = w.winter(day_of_year(np.arange(days), since))
        self.falls_due = Agenda(bills.due + 1, days)  # overdue from the day after
        self.decisions = Agenda(bills.decided, days)
        self.disputes = Agenda(bills.disputed, days)
        self.answers = Agenda(bills.answered, days)
        self.cancellations = Agenda(bills.cancelled, days)

        self.owed = np.cumsum(bills.amount, axis=1)  # up to and with each bill, cancelled ones out
        self.fallen = np.zeros(count, np.int64)  # owed on bills past their due day
        self.paid = np.zeros(count, np.int64)
        self.oldest = np.zeros(count, np.int64)  # the first bill with arrears on it
        self.reason = np.zeros(count, np.int64)
        self.method = people.method.copy()
        self.by_hand = np.where(  # what a household pays with once its direct debit has ended
            people.method == w.DIRECT_DEBIT, w.CARD, people.method
        )
        self.bounces = np.zeros(count, np.int64)
        self.written_off = _never(count)

        self.bounce_on, self.bounce_of = _never(count), np.zeros(count, np.int64)
        self.bounce_amount = np.zeros(count, np.int64)
        self.promise_on, self.promised = _never(count), np.zeros(count, np.int64)
        self.instalment_on, self.instalment = _never(count), np.zeros(count, np.int64)
        self.instalments_left = np.zeros(count, np.int64)
        self.agreement = np.zeros(count, np.int64)  # the number of the promise or plan in force
        self.agreements = np.zeros(count, np.int64)
        self.disputing_until = np.full(count, -1, np.int32)
        self.sheltered_from, self.sheltered_until = _never(count), np.full(count, -1, np.int32)
        self.steps_done = np.zeros(count, np.int64)
        self.overdue = np.zeros(0, np.int64)  # those in arrears before arrears were paid that day
        self.acted = np.zeros(count, np.int64)
        self.acted_on = np.full(count, -w.NEVER, np.int32)

    def pass_day(self, day: int) -> None:
        """A day on which the creditor acts by its old policy."""
        self.begin_day(day)
        self.act(*self._by_old_policy(self.overdue, day), day)
        self.end_day(day)

    def history(self) -> History:
        """What has happened so far."""
        return History(
            self.payments,
            self.events,
            self.instalments,
            self.written_off,
            self.method,
            self.sheltered_from,
            self.sheltered_until,
        )

    def begin_day(self, day: int) -> None:
        """What happens before the creditor acts."""
        account, place = self.falls_due.on(day)
        np.add.at(self.fallen, account, self._standing(account, place, day))
        self._open_disputes(day)
        self._answer_disputes(day)
        self._return_debits(day)
        self._pay_bills(day)
        self._meet_promises(day)
        self._meet_plans(day)
        self.overdue = self._overdue()
        self._pay_arrears(self.overdue, day)
        self._ask_for_help(self.overdue, day)

    def end_day(self, day: int) -> None:
        """What happens after the creditor has acted."""
        self._make_noise(day)
        self._write_off(self.overdue, day)

    def _overdue(self) -> Ints:
        """The accounts in arrears whose debt was not given up."""
        overdue = np.flatnonzero(self.fallen - self.paid >= w.ARREARS_FROM)
        return np.asarray(overdue[self.written_off[overdue] == w.NEVER])

    # Bills

    def _standing(self, account: Ints, place: Ints, day: int) -> Ints:
        """The amounts of bills, 0 for those cancelled before `day`."""
        stands = self.bills.cancelled[account, place] >= day
        return np.where(stands, self.bills.amount[account, place], 0)

    def _open_disputes(self, day: int) -> None:
        account, place = self._living(*self.disputes.on(day))
        self._event(
            account, day, Happening.DISPUTE, PHONE, "raised",
            amount=self.bills.amount[account, place], ref=place,
        )  # fmt: skip
        self.disputing_until[account] = self.bills.answered[account, place]

    def _answer_disputes(self, day: int) -> None:
        account, place = self._living(*self.answers.on(day))
        founded = self.bills.founded[account, place]
        for right, outcome in ((True, "upheld"), (False, "rejected")):
            these = founded == right
            self._event(
                account[these], day, Happening.DISPUTE, POST, outcome,
                amount=self.bills.amount[account[these], place[these]], ref=place[these],
            )  # fmt: skip
        # A wrong bill that nobody disputed is cancelled in silence, on its own day.
        account, place = self.cancellations.on(day)
        wrong = self.bills.amount[account, place]
        is_later_bill = np.arange(self.owed.shape[1])[None, :] >= place[:, None]
        self.owed[account] -= np.where(is_later_bill, wrong[:, None], 0)
        self.fallen[account] -= np.where(self.bills.due[account, place] < day, wrong, 0)
        self._settle(account)

    def _pay_bills(self, day: int) -> None:
        """Households whose day it is pay, forget, cannot or will not."""
        account, place = self._living(*self.decisions.on(day))
        bills, people = self.bills, self.people
        disputed = (bills.disputed[account, place] <= day) & (day < bills.answered[account, place])
        need = self.owed[account, place] - self.paid[account]
        is_payable = (need > 0) & ~disputed & (bills.cancelled[account, place] > day)
        is_payable[:-1] &= account[:-1] != account[1:]  # two bills on one day: the later takes both
        account, place, need = account[is_payable], place[is_payable], need[is_payable]
        final = bills.final[account, place]
        debit = (self.method[account] == w.DIRECT_DEBIT) & ~final

        strain = w.CANNOT_IN_SHOCK * self._shocked(account, day)
        strain = strain + w.CANNOT_IN_WINTER * self.winter[day]
        chances = miss_chances(people, account, ~debit, strain)
        chances[:, Reason.FORGOT] += np.where(final, w.FINAL_BILL_FORGOTTEN, 0)
        chances[:, Reason.WILL_NOT] += np.where(
            final, w.FINAL_BILL_LEFT * (1 + 3 * (1 - people.willingness[account])), 0
        )
        luck = self.luck.shares(account, day, "reason")
        reason = (luck[:, None] >= np.cumsum(chances, axis=1)).sum(axis=1)
        misses = reason < len(Reason)
        self.reason[account[misses]] = reason[misses]

        bill = np.minimum(need, bills.amount[account, place])
        pays = ~misses & debit
        self._pay(account[pays], day, bill[pays], w.DIRECT_DEBIT)
        everything = self.luck.shares(account, day, "everything") < 0.4 * people.ability[account]
        pays = ~misses & ~debit
        self._pay_by_hand(account[pays], day, np.where(everything, need, bill)[pays])

        pays_in_part = (reason == Reason.CANNOT) & ~debit
        pays_in_part &= self.luck.shares(account, day, "part") < 0.35
        shares = 0.3 + (0.7 - 0.3) * self.luck.shares(account, day, "share of a bill")
        some = np.rint(bill * shares).astype(np.int64)
        self._pay_by_hand(account[pays_in_part], day, some[pays_in_part])
        bounces = debit & (reason == Reason.CANNOT)
        self._fail_debits(account[bounces], day, bill[bounces])
        cancels = debit & (reason == Reason.WILL_NOT)
        self.method[account[cancels]] = self.by_hand[account[cancels]]

    def _fail_debits(self, account: Ints, day: int, amount: Ints) -> None:
        """A debit without funds is refused at once, or taken and returned days later. After
        the second, the household pays by hand."""
        refused = self.luck.shares(account, day, "refused") < 0.35
        self.payments.add(
            int(refused.sum()), account=account[refused], day=day, amount=amount[refused],
            method=w.DIRECT_DEBIT, status=Status.FAILED, reverses=NONE,
        )  # fmt: skip
        refused_later = account[~refused]
        self.bounce_of[refused_later] = self._pay(
            refused_later, day, amount[~refused], w.DIRECT_DEBIT
        )
        self.bounce_amount[refused_later] = amount[~refused]
        self.bounce_on[refused_later] = day + self.luck.numbers(refused_later, day, "bounce", 3, 6)
        self.bounces[account] += 1
        debit_ended = account[self.bounces[account] >= 2]
        self.method[debit_ended] = self.by_hand[debit_ended]

    def _return_debits(self, day: int) -> None:
        account = np.flatnonzero(self.bounce_on == day)
        amount = self.bounce_amount[account]
        self.payments.add(
            len(account), account=account, day=day, amount=amount,
            method=w.DIRECT_DEBIT, status=Status.REVERSED, reverses=self.bounce_of[account],
        )  # fmt: skip
        self.paid[account] -= amount
        self._settle(account)

    # Arrears

    def _pay_arrears(self, overdue: Ints, day: int) -> None:
        """Those who neither promised nor planned may pay on any day, likelier after an action."""
        people, luck = self.people, self.luck
        account = overdue[~self._bound(overdue) & (self.disputing_until[overdue] < day)]
        reason = self.reason[account]
        chance = daily_rates(people, account, reason, self._shocked(account, day))
        fresh = day - self.acted_on[account] <= w.RESPONSE_DAYS
        chance = chance * (1 + fresh * boosts(people, account, reason, self.acted[account]))
        chance = np.where(people.closed[account] <= day, chance * w.GONE_SLOWS, chance)
        chance = np.where(self._sheltered(account, day), chance * w.SHELTERED_SLOWS, chance)
        account = account[luck.shares(account, day, "arrears") < chance]
        reason, due = self.reason[account], self.fallen[account] - self.paid[account]
        whole_chance = np.choose(reason, [0.93, 0.3 + 0.6 * people.ability[account], 0.65])
        share_paid = np.where(
            luck.shares(account, day, "whole") < whole_chance,
            1.0,
            0.25 + 0.5 * luck.shares(account, day, "share of arrears"),
        )
        self._pay_by_hand(account, day, np.rint(due * share_paid).astype(np.int64))

    def _ask_for_help(self, overdue: Ints, day: int) -> None:
        """Some of those who cannot pay ring up; a plan, or a debt adviser's hold, may follow."""
        account = overdue[
            (self.reason[overdue] == Reason.CANNOT)
            & ~self._bound(overdue)
            & ~self._sheltered(overdue, day)
        ]
        account = account[self.luck.shares(account, day, "asks") < 0.008]
        self._event(account, day, Happening.CONTACT, PHONE, "asked_for_help")
        luck = self.luck.shares(account, day, "help")
        self._agree_plan(account[luck < 0.55], day)
        self._shelter(account[luck > 0.88], day)

    def _shelter(self, account: Ints, day: int) -> None:
        ends = day + w.BREATHING_SPACE - 1
        self.sheltered_from[account], self.sheltered_until[account] = day, ends
        self._event(account, day, Happening.BREATHING_SPACE, ADVISER, "started", until=ends)

    # Promises and plans

    def _agree_promise(self, account: Ints, day: int) -> None:
        due = self.fallen[account] - self.paid[account]
        able = np.where(self.reason[account] == Reason.CANNOT, (due + 1) // 2, due)
        self.promise_on[account] = day + self.luck.numbers(account, day, "promise", 5, 15)
        self.promised[account] = able
        self._number(account)
        self._event(
            account, day, Happening.PROMISE, PHONE, "made",
            amount=able, until=self.promise_on[account], ref=self.agreement[account],
        )  # fmt: skip

    def _meet_promises(self, day: int) -> None:
        account = np.flatnonzero(self.promise_on == day)
        self.promise_on[account] = w.NEVER
        reason, ability = self.reason[account], self.people.ability[account]
        chance = np.choose(reason, [0.85, 0.3 + 0.45 * ability, 0.4])
        chance = np.where(self._shocked(account, day), chance * 0.6, chance)
        is_kept = self.luck.shares(account, day, "keeps promise") < chance
        due = np.maximum(self.fallen[account] - self.paid[account], 0)
        amount = np.minimum(self.promised[account], due)
        is_kept |= amount == 0  # paid before the day came
        self._pay(account[is_kept], day, amount[is_kept], self._hand(account[is_kept]))
        self._conclude(account, is_kept, day, Happening.PROMISE, PHONE)

    def _agree_plan(self, account: Ints, day: int) -> None:
        due = self.fallen[account] - self.paid[account]
        instalment_count = np.array([3, 4, 6])[self.luck.numbers(account, day, "parts", 0, 3)]
        self.instalments_left[account] = instalment_count
        self.instalment[account] = -(-due // instalment_count)
        self.instalment_on[account] = day + 7
        self._number(account)
        self._event(
            account, day, Happening.PLAN, PHONE, "agreed",
            amount=self.instalment[account], until=day + 7 + 14 * (instalment_count - 1),
            ref=self.agreement[account],
        )  # fmt: skip
        for place in range(6):
            left = due - place * self.instalment[account]
            some = (place < instalment_count) & (left > 0)
            self.instalments.add(
                int(some.sum()), account=account[some], day=day, due=day + 7 + 14 * place,
                amount=np.minimum(left, self.instalment[account])[some],
                ref=self.agreement[account[some]],
            )  # fmt: skip

    def _meet_plans(self, day: int) -> None:
        """An instalment every fourteen days; the first one missed ends the plan."""
        account = np.flatnonzero(self.instalment_on == day)
        reason, ability = self.reason[account], self.people.ability[account]
        chance = np.choose(reason, [0.95, 0.78 + 0.2 * ability, 0.65])
        chance = np.where(self._shocked(account, day), chance - 0.1, chance)
        is_kept = self.luck.shares(account, day, "keeps plan") < chance
        due = np.maximum(self.fallen[account] - self.paid[account], 0)
        amount = np.minimum(self.instalment[account], due)
        is_kept |= amount == 0
        self._pay(account[is_kept], day, amount[is_kept], self._hand(account[is_kept]))
        instalments_after = np.where(
            is_kept & (amount < due), self.instalments_left[account] - 1, 0
        )
        self.instalments_left[account] = instalments_after
        self.instalment_on[account] = np.where(instalments_after > 0, day + 14, w.NEVER)
        over = instalments_after == 0
        self._conclude(account[over], is_kept[over], day, Happening.PLAN, PHONE)

    def _conclude(
        self, account: Ints, kept: Flags, day: int, kind: Happening, channel: int
    ) -> None:
        for outcome, accounts in (("kept", account[kept]), ("broken", account[~kept])):
            self._event(accounts, day, kind, channel, outcome, ref=self.agreement[accounts])

    def _number(self, account: Ints) -> None:
        self.agreements[account] += 1
        self.agreement[account] = self.agreements[account]

    # The creditor

    def _by_old_policy(self, overdue: Ints, day: int) -> tuple[Ints, Ints]:
        """Accounts and actions by the old policy: the step that the days past due have reached
        and that is not done."""
        account = overdue[self.fallen[overdue] - self.paid[overdue] >= w.ARREARS_FROM]
        past_due = day - self.bills.due[account, self.oldest[account]]
        from_day = np.array([step[0] for step in w.STEPS])
        reached = np.searchsorted(from_day, past_due, side="right")
        steps_before = np.minimum(self.steps_done[account], reached)  # paid down: steps come again
        self.steps_done[account] = steps_before
        free = (
            (reached > steps_before) & ~self._bound(account) & (self.disputing_until[account] < day)
        )
        free &= ~self._sheltered(account, day)
        account, reached, past_due = account[free], reached[free], past_due[free]
        self.steps_done[account] = reached
        action = np.array([step[1] for step in w.STEPS])[reached - 1]

        people = self.people
        frail = people.known_vulnerable[account] & ~people.vulnerable_unknown[account]
        milder = frail & (action >= Action.FINAL_NOTICE)
        milder |= (people.arm[account] == w.EARLY_SUPPORT) & (action == Action.LETTER)
        action = np.where(milder, Action.SUPPORT_REVIEW, action)
        gone = people.closed[account] <= day
        acts = ~(gone & (action == Action.VISIT))
        acts &= (people.arm[account] != w.CONTROL) | (past_due >= w.CONTROL_UNTIL)
        return account[acts], action[acts]

    def act(self, account: Ints, action: Ints, day: int) -> None:
        """The creditor acts. What it leads to at once happens at once; what it makes likelier
        does so on the days after."""
        self.acted[account], self.acted_on[account] = action, day
        channel = np.array([CHANNELS.index(action_name) for action_name in w.ACTION_CHANNELS])[
            action
        ]
        self._event(account, day, Happening.ACTION, channel, "sent", ref=action)
        self._talk(account[action == Action.CALL], day, answered=0.5, plans=0.25)
        self._talk(account[action == Action.SUPPORT_REVIEW], day, answered=0.7, plans=0.75)
        self._visit(account[action == Action.VISIT], day)

    def _talk(self, account: Ints, day: int, *, answered: float, plans: float) -> None:
        """A call, or a review by the support desk: reached or not, and what is agreed."""
        luck = self.luck.shares(account, day, "answers") < answered
        self._event(account[~luck], day, Happening.CONTACT, PHONE, "no_answer")
        account = account[luck]
        self._event(account, day, Happening.CONTACT, PHONE, "answered")
        free = ~self._bound(account)
        strapped = self.reason[account] == Reason.CANNOT
        plan = strapped & (self.luck.shares(account, day, "plans") < plans)
        self._agree_plan(account[plan & free], day)
        promise = ~plan & (self.luck.shares(account, day, "promises") < 0.5)
        self._agree_promise(account[promise & free], day)

    def _visit(self, account: Ints, day: int) -> None:
        met = self.luck.shares(account, day, "met") < 0.4
        for outcome, accounts in (("met", account[met]), ("no_answer", account[~met])):
            self._event(accounts, day, Happening.VISIT, FIELD, outcome)
        promises = account[met & ~self._bound(account)]
        self._agree_promise(promises[self.luck.shares(promises, day, "promises") < 0.5], day)

    def _make_noise(self, day: int) -> None:
        """People ring about other things, and some who were pressed complain."""
        luck = self.luck.shares(np.arange(len(self.paid)), day, "noise")
        alive = (self.written_off == w.NEVER) & (self.people.opened <= day)
        alive &= self.people.closed > day
        self._event(
            np.flatnonzero(alive & (luck < 0.0007)), day, Happening.CONTACT, PHONE, "question"
        )
        pressed = alive & (day - self.acted_on <= 10) & (luck > 0.998)
        self._event(
            np.flatnonzero(pressed), day, Happening.COMPLAINT, PHONE, "received",
            until=day + w.COMPLAINT_DAYS - 1,
        )  # fmt: skip

    def _write_off(self, overdue: Ints, day: int) -> None:
        past_due = day - self.bills.due[overdue, self.oldest[overdue]]
        gone = self.people.closed[overdue] <= day
        is_old_debt = past_due >= np.where(gone, w.WRITE_OFF_CLOSED, w.WRITE_OFF_LIVE)
        is_old_debt &= self.fallen[overdue] - self.paid[overdue] >= w.ARREARS_FROM
        self.written_off[overdue[is_old_debt & ~self._bound(overdue)]] = day

    # Money

    def _pay_by_hand(self, account: Ints, day: int, amount: Ints) -> None:
        """Cash is rounded, sometimes to an over-payment; a few payments are made twice."""
        luck = self.luck.shares(account, day, "by hand")
        cash = self._hand(account) == w.CASH
        amount = np.where(cash & (luck < 0.05), -(-amount // 500) * 500, amount)
        amount = np.where(cash & (luck > 0.96) & (amount >= 100), amount // 100 * 100, amount)
        self._pay(account, day, amount, self._hand(account))
        twice = (luck > 0.5) & (luck < 0.504)
        self._pay(account[twice], day, amount[twice], self._hand(account[twice]))

    def _pay(self, account: Ints, day: int, amount: Ints, method: Ints | int) -> Ints:
        """Settled payments; returns their places. Nothing is paid where nothing is owed."""
        method = np.broadcast_to(np.asarray(method), account.shape)
        real = amount > 0
        account, amount = account[real], amount[real]
        self.paid[account] += amount
        self._settle(account)
        return self.payments.add(
            len(account), account=account, day=day, amount=amount,
            method=method[real], status=Status.SETTLED, reverses=NONE,
        )  # fmt: skip

    def _settle(self, account: Ints) -> None:
        """Find the oldest bill with arrears again, for accounts whose money has changed."""
        covered = self.owed[account] < self.paid[account, None] + w.ARREARS_FROM
        self.oldest[account] = np.minimum(covered.sum(axis=1), self.owed.shape[1] - 1)

    def _hand(self, account: Ints) -> Ints:
        return self.by_hand[account]

    # Small questions

    def _living(self, account: Ints, place: Ints) -> tuple[Ints, Ints]:
        """Those whose bill was issued while the account stood."""
        stands = self.written_off[account] == w.NEVER
        return account[stands], place[stands]

    def _bound(self, account: Ints) -> Flags:
        """Those with an open promise or plan. They are left alone until it is kept or broken."""
        promised = self.promise_on[account] < w.NEVER
        return np.asarray(promised | (self.instalments_left[account] > 0))

    def _shocked(self, account: Ints, day: int) -> Flags:
        people = self.people
        return (people.shock_from[account] <= day) & (day <= people.shock_until[account])

    def _sheltered(self, account: Ints, day: int) -> Flags:
        return (self.sheltered_from[account] <= day) & (day <= self.sheltered_until[account])

    def _event(
        self,
        account: Ints,
        day: int,
        kind: Happening,
        channel: Ints | int,
        outcome: str,
        *,
        amount: Ints | int = NONE,
        until: Ints | Days | int = NONE,
        ref: Ints | int = NONE,
    ) -> None:
        self.events.add(
            len(account), account=account, day=day, kind=kind, channel=channel,
            outcome=OUTCOME[outcome], amount=amount, until=until, ref=ref,
        )  # fmt: skip


def _never(count: int) -> Days:
    return np.full(count, w.NEVER, np.int32)
