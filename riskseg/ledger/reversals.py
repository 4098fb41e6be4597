"""What reversals take back, and of which payment: chains of them, and payments in several parts.

The usual reversal names a payment of one row, and nothing of this is needed. Where one names
another reversal (a chargeback that was won back), it gives back what that one took: `reverses` then
becomes the payment at the other end of the chain, and `won_back` says that it gives and does not
take. Where a payment has a row for each bill that it pays, a reversal is divided among these parts.
"""

from __future__ import annotations

# Longer chains than any bank allows; an end for ids that go round in a circle.
_LONGEST_CHAIN = 12

# Sound reversals of a payment that the account does not have.
ORPHANS = """
        select rowid
        from payments
        where fault is null
            and reverses is not null
            and not exists (
                select 1
                from payments original
                where original.account_no = payments.account_no
                    and original.payment_id = payments.reverses
                    and original.reverses is null
                    and original.fault is null
            )
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

# Each reversal of a reversal comes to name the payment itself. One takes or gives no more than the
# one before it did, and nothing where that one failed.
FOLLOW_CHAINS = f"""
        update payments
        set reverses = c.root,
            bill_id = c.bill_id,
            won_back = c.depth % 2 = 0,
            amount_minor = c.amount_minor,
            settled = c.settled,
            known_on = c.known_on
        from (
            with recursive reversals as (
                select rowid as r, account_no, payment_id, reverses, bill_id, amount_minor,
                    settled, known_on
                from payments
                where fault is null and reverses is not null
            ),
            chain as (
                select r, account_no, payment_id, reverses as root, bill_id, amount_minor,
                    settled, known_on, 1 as depth
                from reversals
                where exists (
                    select 1
                    from payments p
                    where p.account_no = reversals.account_no
                        and p.payment_id = reversals.reverses
                        and p.reverses is null
                        and p.fault is null
                )
                union all
                select r.r, r.account_no, r.payment_id, c.root, coalesce(r.bill_id, c.bill_id),
                    least(r.amount_minor, c.amount_minor),
                    r.settled and c.settled,
                    greatest(r.known_on, c.known_on),
                    c.depth + 1
                from chain c
                join reversals r on r.account_no = c.account_no and r.reverses = c.payment_id
                where c.depth < {_LONGEST_CHAIN}
            )
            select distinct on (r) *
            from chain
            order by r, depth
        ) c
        where c.depth > 1 and payments.rowid = c.r
        """


def split_parts_sql(*, texts: bool) -> str:
    """The statement that makes `split_parts` (account_no, payment_id, bill_id, part_id,
    amount_minor, before): the parts of payments that have several and are reversed; `before` is
    what the parts before it come to. `texts` says that ids are texts and not hashes."""
    part_id, order = "hash(payment_id, bill_id)", "bill_id"
    if texts:
        part_id, order = "concat(payment_id, chr(31), bill_id)", "hash(bill_id)"
    return f"""
        create or replace table split_parts as
        select account_no, payment_id, bill_id, {part_id} as part_id, amount_minor,
            cast(
                sum(amount_minor) over (
                    partition by account_no, payment_id
                    order by paid_on, amount_minor, bill_id is null, {order}
                    rows unbounded preceding
                ) as bigint
            ) - amount_minor as before
        from payments
        where fault is null and reverses is null and settled
            and (account_no, payment_id) in (
                select (account_no, payment_id)
                from payments p
                where fault is null and reverses is null and settled
                    and exists (
                        select 1
                        from payments r
                        where r.account_no = p.account_no and r.reverses = p.payment_id
                            and r.fault is null
                    )
                group by account_no, payment_id
                having count(*) > 1
            )
        """


# The sound payments, in which a reversal of a payment in several parts has a row for each of them.
# One that names the bill of a part takes back that part; others take from the parts in turn, in the
# order in which they are known: what is known by a day never depends on what comes later.
PAYMENTS_IN_PARTS = """
        create or replace view ledger_payments as
        with divided as (
            select p.rowid as r, p.account_no, p.reverses, p.won_back, p.amount_minor, p.settled,
                p.known_on, named.part_id as named_part,
                case when named.part_id is null and p.settled then cast(
                    sum(p.amount_minor) filter (where named.part_id is null and p.settled) over (
                        partition by p.account_no, p.reverses, p.won_back
                        order by p.known_on, p.paid_on, p.amount_minor, p.payment_id
                        rows unbounded preceding
                    ) as bigint
                ) end as reached
            from payments p
            left join split_parts named
                on named.account_no = p.account_no and named.payment_id = p.reverses
                and named.bill_id = p.bill_id
            where p.fault is null
                and (p.account_no, p.reverses) in (select (account_no, payment_id) from split_parts)
        )
        select p.*, coalesce(s.part_id, p.payment_id) as part_id, p.reverses as undoes
        from payments p
        left join split_parts s
            on s.account_no = p.account_no and s.payment_id = p.payment_id
            and s.bill_id is not distinct from p.bill_id and p.reverses is null
        where p.fault is null and p.rowid not in (select r from divided)
        union all
        select p.* replace (
                case
                    when d.named_part is not null then d.amount_minor
                    when d.reached is null then 0
                    else greatest(
                        least(d.reached, s.before + s.amount_minor)
                            - greatest(d.reached - d.amount_minor, s.before),
                        0
                    )
                end as amount_minor
            ),
            p.payment_id as part_id,
            s.part_id as undoes
        from divided d
        join payments p on p.rowid = d.r
        join split_parts s
            on s.account_no = d.account_no and s.payment_id = d.reverses
            and (d.named_part is null or d.named_part = s.part_id)
        """
