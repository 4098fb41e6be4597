"""What reversals take back, and of which payment: chains of them, and payments in several parts.

The usual reversal names a payment of one row, and nothing of this is needed. Where one names
another reversal (a chargeback that was won back), it gives back what that one took: `reverses` then
becomes the payment at the other end of the chain, and `won_back` says that it gives and does not
take. The reversal of a refund says that it came back: it is no money, but less was paid out. Where
a payment has a row for each bill that it pays, a reversal is divided among these parts.
"""

from __future__ import annotations

# Longer chains than any bank allows; an end for ids that go round in a circle.
_LONGEST_CHAIN = 12


def _original(reversal: str) -> str:
    """The sound payment or refund that a reversal names, itself no reversal."""
    return f"""
                select 1
                from payments original
                where original.account_no = {reversal}.account_no
                    and original.payment_id = {reversal}.reverses
                    and original.reverses is null
                    and original.fault is null
            """


# Sound reversals of a payment that the account does not have.
ORPHANS = f"""
        select rowid
        from payments
        where fault is null
            and reverses is not null
            and not exists ({_original("payments")})
        """

# Whether any reversal names another one.
ANY_CHAIN = """
        select exists (
            select 1
            from payments r
            join payments before
                on before.account_no = r.account_no and before.payment_id = r.reverses
            where r.reverses is not null and before.reverses is not null
        )
        """


def chains_sql(*, texts: bool) -> list[str]:
    """The statements after which each reversal of a reversal names the payment itself. One takes or
    gives no more than the ones before it did, and nothing where these failed. Where there are
    several before it, it is divided among these, or is that of the bill which it names; its
    further parts are the rows of `further_reversals`, which has the columns of `payments` and `r`,
    the rowid that a part is of. `texts` says that ids are texts and not hashes."""
    return [
        _LEVELS,
        _FIRST_REVERSALS,
        *(_reversals_of_level(level, texts=texts) for level in range(2, _LONGEST_CHAIN + 1)),
        """
        create or replace table reversal_chains as
        select *,
            row_number() over (
                partition by r order by depth, amount_minor = 0, known_on, root, bill_id
            ) as part
        from reversal_steps
        where depth > 1
        """,
        """
        update payments
        set reverses = c.root,
            won_back = c.depth % 2 = 0,
            amount_minor = c.amount_minor,
            settled = c.settled,
            known_on = c.known_on
        from reversal_chains c
        where c.part = 1 and payments.rowid = c.r
        """,
        """
        create or replace table further_reversals as
        select p.* replace (
                c.root as reverses,
                c.bill_id as bill_id,
                c.depth % 2 = 0 as won_back,
                c.amount_minor as amount_minor,
                c.settled as settled,
                c.known_on as known_on
            ),
            c.r
        from reversal_chains c
        join payments p on p.rowid = c.r
        where c.part > 1 and c.amount_minor > 0
        """,
    ]


# How long the longest chain is from each reversal back to a payment: those before it are all of
# a lower level. Reversals that go round in a circle have none, and stay without a payment: as their
# levels are counted on, each of them comes to one beyond the longest chain.
_LEVELS = f"""
        create or replace table reversal_levels as
        with recursive reversals as (
            select rowid as r, account_no, payment_id, reverses, bill_id, amount_minor, settled,
                known_on,
                exists ({_original("payments")}) as of_payment
            from payments
            where fault is null and reverses is not null
        ),
        reached as (
            select r, account_no, payment_id, 1 as level
            from reversals
            where of_payment
            union
            select n.r, n.account_no, n.payment_id, c.level + 1
            from reached c
            join reversals n on n.account_no = c.account_no and n.reverses = c.payment_id
            where not n.of_payment and c.level < {2 * _LONGEST_CHAIN}
        )
        select v.*, l.level
        from reversals v
        join (select r, max(level) as level from reached group by r) l on l.r = v.r
        where l.level <= {_LONGEST_CHAIN}
        """

# What reversals do to a payment, `root`: at an odd `depth` of the chain they take, at an even one
# they give back.
_FIRST_REVERSALS = """
        create or replace table reversal_steps as
        select r, account_no, payment_id, reverses as root, bill_id, amount_minor, settled,
            known_on, 1 as depth
        from reversal_levels
        where level = 1
        """


def _reversals_of_level(level: int, *, texts: bool) -> str:
    """The statement that adds the reversals of a level to `reversal_steps`: they go through all
    that is before them in the order in which it became known."""
    in_order = ["known_before", "amount_before", "bill_before is null"]
    in_order += [f"hash({name})" if texts else name for name in ("bill_before", "root")]
    in_order.insert(-1, "depth")
    return f"""
        insert into reversal_steps
        select r, account_no, payment_id, root, coalesce(bill_before, bill_id),
            least(
                amount_before,
                greatest(
                    amount_minor - cast(
                        sum(amount_before) over (
                            partition by r
                            order by {", ".join(in_order)}
                            rows unbounded preceding
                        ) as bigint
                    ) + amount_before,
                    0
                )
            ),
            settled, known_on, depth
        from (
            select *,
                case when settled_before
                    and (bill_before = bill_id or not coalesce(
                        bool_or(settled_before and bill_before = bill_id) over (partition by r),
                        false
                    ))
                then taken_before else 0 end as amount_before
            from (
                select l.r, l.account_no, l.payment_id, b.root, l.bill_id, l.amount_minor,
                    b.bill_id as bill_before,
                    b.amount_minor as taken_before,
                    b.settled as settled_before,
                    b.known_on as known_before,
                    l.settled and b.settled as settled,
                    greatest(l.known_on, b.known_on) as known_on,
                    b.depth + 1 as depth
                from reversal_levels l
                join reversal_steps b on b.account_no = l.account_no and b.payment_id = l.reverses
                where l.level = {level}
            )
        )
        """


# The bills that reversals of reversals give back to, or take from. They are set once bad rows are
# found: a bill is part of the key by which a row that occurred already is known.
BILLS_OF_CHAINS = """
        update payments
        set bill_id = c.bill_id
        from reversal_chains c
        where c.part = 1 and payments.rowid = c.r
        """

# Reversals of refunds are marked as what they undo is. They are known once chains are followed.
REVERSED_REFUNDS = """
        update payments
        set refund = true
        where reverses is not null
            and (account_no, reverses) in (
                select (account_no, payment_id)
                from payments
                where reverses is null and payment_id is not null
                group by account_no, payment_id
                having bool_and(refund)
            )
        """

# What there is of them where no reversal names another one.
NO_CHAINS = (
    """
        create or replace table reversal_chains as
        select rowid as r, bill_id, 1 as part
        from payments
        where false
        """,
    """
        create or replace table further_reversals as
        select *, rowid as r
        from payments
        where false
        """,
)

# The sound rows of payments and the further parts of reversals; `step` is an id of its own of each.
SOUND_PAYMENTS = """
        create or replace view sound_payments as
        select *, rowid as step
        from payments
        where fault is null
        union all
        select * exclude (r), -rowid - 1 as step
        from further_reversals
        where r in (select rowid from payments where fault is null)
        """
# The ledger's payments where reversals have further parts, and no payment has.
WITH_FURTHER_PAYMENTS = """
        create or replace view ledger_payments as
        select * exclude (step), payment_id as part_id, reverses as undoes
        from sound_payments
        """


def split_parts_sql(*, texts: bool) -> str:
    """The statement that makes `split_parts` (account_no, payment_id, bill_id, part_id,
    amount_minor, place): the parts of payments that have several and are reversed; `place` is
    its place in the order in which they are taken. `texts`: ids are texts and not hashes."""
    part_id, order = "hash(payment_id, bill_id)", "bill_id"
    if texts:
        part_id, order = "concat(payment_id, chr(31), bill_id)", "hash(bill_id)"
    return f"""
        create or replace table split_parts as
        select account_no, payment_id, bill_id, {part_id} as part_id, amount_minor,
            row_number() over (
                partition by account_no, payment_id
                order by paid_on, amount_minor, bill_id is null, {order}
            ) as place
        from payments
        where fault is null and reverses is null and (settled or refund)
            and (account_no, payment_id) in (
                select (account_no, payment_id)
                from payments p
                where fault is null and reverses is null and (settled or refund)
                    and exists (
                        select 1
                        from sound_payments r
                        where r.account_no = p.account_no and r.reverses = p.payment_id
                    )
                group by account_no, payment_id
                having count(*) > 1
            )
        """


# The sound payments, in which a reversal of a payment in several parts has a row for each of them.
# Reversals are gone through in the order in which they are known: what is known by a day never
# depends on what comes later. After each of them `named` is what those that name the bill of a part
# have taken back of it, less what was won back; what all others have taken, less what was won
# back, is laid on what this leaves of the parts in turn. What was won back for a bill, and not
# taken from its part by name, is given to this part first, and what it needs not to those that
# were taken from last. A row is what one of them changes of that.
PAYMENTS_IN_PARTS = """
        create or replace view ledger_payments as
        with changes as (
            select p.step, p.known_on, p.paid_on, p.payment_id, p.amount_minor as stated,
                s.account_no, s.payment_id as whole_id, s.part_id, s.place, s.amount_minor,
                named.part_id as named_part,
                case when not p.settled then 0 when p.won_back then -p.amount_minor
                    else p.amount_minor end as change
            from sound_payments p
            join split_parts s on s.account_no = p.account_no and s.payment_id = p.reverses
            left join split_parts named
                on named.account_no = p.account_no and named.payment_id = p.reverses
                and named.bill_id = p.bill_id
        ),
        reached as (
            select *,
                coalesce(sum(change) filter (where named_part = part_id) over so_far, 0) as named,
                coalesce(sum(change) filter (where named_part is null) over so_far, 0) as unnamed
            from changes
            window so_far as (
                partition by account_no, whole_id, part_id
                order by known_on, paid_on, stated, payment_id, step
                rows unbounded preceding
            )
        ),
        laid as (
            select *,
                amount_minor - least(greatest(named, 0), amount_minor) as room,
                sum(room) over (
                    partition by step order by place rows unbounded preceding
                ) - room as room_before,
                greatest(-named, 0) as given
            from reached
        ),
        left_of_laid as (
            select *,
                greatest(least(greatest(unnamed - room_before, 0), room) - given, 0) as still,
                sum(still) over (
                    partition by step order by place rows unbounded preceding
                ) - still as still_before,
                unnamed - sum(given) over (partition by step) as unnamed_left
            from laid
        ),
        taken as (
            select *,
                amount_minor - room
                    + least(greatest(unnamed_left - still_before, 0), still) as taken
            from left_of_laid
        ),
        divided as (
            select step, place, part_id,
                cast(
                    abs(
                        taken - lag(taken, 1, 0) over (
                            partition by account_no, whole_id, part_id
                            order by known_on, paid_on, stated, payment_id, step
                        )
                    ) as bigint
                ) as amount_minor
            from taken
        )
        select p.* exclude (step), coalesce(s.part_id, p.payment_id) as part_id,
            p.reverses as undoes
        from sound_payments p
        left join split_parts s
            on s.account_no = p.account_no and s.payment_id = p.payment_id
            and s.bill_id is not distinct from p.bill_id and p.reverses is null
        where p.step not in (select step from divided)
        union all
        select p.* exclude (step) replace (d.amount_minor as amount_minor),
            p.payment_id as part_id,
            d.part_id as undoes
        from divided d
        join sound_payments p on p.step = d.step
        where d.amount_minor > 0 or d.place = 1
        qualify d.amount_minor > 0 or row_number() over (
            partition by p.account_no, p.payment_id, p.bill_id, d.part_id
            order by d.amount_minor desc, p.step
        ) = 1
        """
