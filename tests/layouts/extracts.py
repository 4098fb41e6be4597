"""Extracts in the field names of each system, made up here, and the ledgers that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]
BILL = ("account_id", "bill_id", "due_on", "amount", "issued_on")
PAYMENT = ("account_id", "bill_id", "paid_on", "amount")


@dataclass(frozen=True)
class Extract:
    """`files`: texts of CSV files by their names. `ledger`: by table the names of columns, then the
    rows; an amount is a float, a date an ISO text."""

    files: Mapping[str, str]
    ledger: Mapping[str, list[Row]]


EXTRACTS = {
    "sap-fica": Extract(
        {
            # Paid in full; half paid, so that the item is split; open; reversed; a credit;
            # a statistical item, which is not owed.
            "DFKKOP": """\
OPBEL,OPUPW,OPUPK,OPUPZ,GPART,VKONT,AUGST,AUGRD,AUGBL,AUGDT,AUGVD,AUGBD,BLDAT,FAEDN,BETRW,STAKZ
000001,000,0001,000,P1,V1,9,01,900001,20260210,20260209,20260210,20260101,20260131,100.00,
000002,000,0001,000,P1,V1,9,01,900002,20260310,20260310,20260310,20260201,20260228,40.00,
000002,000,0001,001,P1,V1,,,,00000000,00000000,00000000,20260201,20260228,60.00,
000003,000,0001,000,P2,V2,,,,00000000,00000000,00000000,20260301,20260331,75.50,
000004,000,0001,000,P2,V2,9,05,900003,20260305,00000000,20260305,20260301,20260331,20.00,
000005,000,0001,000,P2,V2,,,,00000000,00000000,00000000,20260301,20260331,5.00-,
000006,000,0001,000,P2,V2,,,,00000000,00000000,00000000,20260301,20260331,8.00,G
""",
            "DFKKKO": "OPBEL,CPUDT\n000001,20260102\n000002,20260201\n000003,20260301\n",
            "BUT000": "PARTNER,TYPE\nP1,1\nP2,2\n",
        },
        {
            "bills": [
                (*BILL, "recorded_on", "cancelled_on"),
                (
                    "V1",
                    "000001-000-0001-000",
                    "2026-01-31",
                    100.00,
                    "2026-01-01",
                    "2026-01-02",
                    None,
                ),
                (
                    "V1",
                    "000002-000-0001-000",
                    "2026-02-28",
                    40.00,
                    "2026-02-01",
                    "2026-02-01",
                    None,
                ),
                (
                    "V1",
                    "000002-000-0001-001",
                    "2026-02-28",
                    60.00,
                    "2026-02-01",
                    "2026-02-01",
                    None,
                ),
                (
                    "V2",
                    "000003-000-0001-000",
                    "2026-03-31",
                    75.50,
                    "2026-03-01",
                    "2026-03-01",
                    None,
                ),
                (
                    "V2",
                    "000004-000-0001-000",
                    "2026-03-31",
                    20.00,
                    "2026-03-01",
                    None,
                    "2026-03-05",
                ),
                ("V2", "000005-000-0001-000", "2026-03-31", -5.00, "2026-03-01", None, None),
            ],
            "payments": [
                PAYMENT,
                ("V1", "000001-000-0001-000", "2026-02-09", 100.00),
                ("V1", "000002-000-0001-000", "2026-03-10", 40.00),
            ],
            "accounts": [
                ("account_id", "party_id", "partner_type"),
                ("V1", "P1", "1"),
                ("V2", "P2", "2"),
            ],
        },
    ),
    "oracle-ccb": Extract(
        {
            # A bill segment, an adjustment on no bill, a payment, and one that was cancelled.
            "CI_FT": """\
FT_ID,SA_ID,SIBLING_ID,BILL_ID,FT_TYPE_FLG,CUR_AMT,ARS_DT,ACCOUNTING_DT,FREEZE_DTTM,FREEZE_SW
F1,S1,BS1,B1,BS,120.00,2026-01-10,2026-01-10,2026-01-10 08:00:00,Y
F2,S1,AD1,,AD,15.00,2026-01-20,2026-01-20,2026-01-20 09:00:00,Y
F3,S1,PS1,,PS,-120.00,2026-02-03,2026-02-03,2026-02-03 10:00:00,Y
F4,S1,PS2,,PS,-15.00,2026-02-05,2026-02-05,2026-02-05 10:00:00,Y
F5,S1,PS2,,PX,15.00,2026-02-09,2026-02-09,2026-02-09 10:00:00,Y
F6,S1,BS2,B1,BS,999.00,2026-01-10,2026-01-10,,N
""",
            "CI_SA": "SA_ID,ACCT_ID\nS1,A1\n",
            "CI_BILL": "BILL_ID,DUE_DT,BILL_DT\nB1,2026-01-31,2026-01-10\n",
            "CI_ACCT": "ACCT_ID,SETUP_DT\nA1,2020-05-01\n",
            "CI_ACCT_PER": "ACCT_ID,PER_ID,MAIN_CUST_SW\nA1,P1,Y\nA1,P9,N\n",
        },
        {
            "bills": [
                BILL,
                ("A1", "F1", "2026-01-31", 120.00, "2026-01-10"),
                ("A1", "F2", "2026-01-20", 15.00, "2026-01-20"),
            ],
            "payments": [
                ("account_id", "payment_id", "paid_on", "amount", "status", "reverses"),
                ("A1", "F3", "2026-02-03", 120.00, "settled", None),
                ("A1", "F4", "2026-02-05", 15.00, "settled", None),
                ("A1", "F5", "2026-02-09", 15.00, "reversed", "F4"),
            ],
            "accounts": [("account_id", "party_id", "opened_on"), ("A1", "P1", "2020-05-01")],
        },
    ),
    "erpnext": Extract(
        {
            # An invoice, a payment of part of it, an entry that was taken back, a supplier's bill.
            "Payment Ledger Entry": """\
name,account_type,party,due_date,posting_date,creation,voucher_type,voucher_no,against_voucher_no,amount,delinked
L1,Receivable,C1,2026-01-31,2026-01-01,2026-01-01 09:00:00,Sales Invoice,SI-1,SI-1,200.00,0
L2,Receivable,C1,,2026-02-04,2026-02-05 09:00:00,Payment Entry,PE-1,SI-1,-50.00,0
L3,Receivable,C1,,2026-02-06,2026-02-06 09:00:00,Payment Entry,PE-2,SI-1,-150.00,1
L4,Payable,S1,2026-01-31,2026-01-01,2026-01-01 09:00:00,Purchase Invoice,PI-1,PI-1,-70.00,0
""",
            "Customer": "name,customer_name,customer_group\nC1,Mill & Sons,Commercial\n",
        },
        {
            "bills": [BILL, ("C1", "SI-1", "2026-01-31", 200.00, "2026-01-01")],
            "payments": [
                (*PAYMENT, "payment_id", "recorded_on"),
                ("C1", "SI-1", "2026-02-04", 50.00, "PE-1/SI-1/L2", "2026-02-05"),
            ],
            "accounts": [("account_id", "customer_group"), ("C1", "Commercial")],
        },
    ),
    "odoo": Extract(
        {
            # Invoice 1 is paid by move 3; invoice 2 is set off against the credit note 4, which is
            # no payment; 5 is a draft. Of payment 6, 25 are set off against invoice 2 by part 9,
            # 15 against nothing; its other line is of the bank.
            "account_move": """\
id,move_type,state,partner_id,commercial_partner_id,invoice_date,invoice_date_due,create_date,amount_total_signed
1,out_invoice,posted,11,10,2026-01-01,2026-01-31,2026-01-01 08:00:00,80.00
2,out_invoice,posted,10,10,2026-02-01,2026-02-28,2026-02-01 08:00:00,30.00
3,entry,posted,10,10,,,2026-02-03 08:00:00,80.00
4,out_refund,posted,10,10,2026-02-10,2026-02-10,2026-02-10 08:00:00,-30.00
6,entry,posted,10,10,,,2026-02-20 08:00:00,40.00
5,out_invoice,draft,10,10,2026-02-10,2026-02-20,2026-02-10 08:00:00,5.00
""",
            "account_move_line": """\
id,move_id,account_id,partner_id,date,date_maturity,create_date,amount_residual
101,1,121,10,2026-01-01,2026-01-31,2026-01-01 08:00:00,0.00
102,2,121,10,2026-02-01,2026-02-28,2026-02-01 08:00:00,0.00
103,3,121,10,2026-02-03,2026-02-03,2026-02-03 08:00:00,0.00
104,4,121,10,2026-02-10,2026-02-10,2026-02-10 08:00:00,0.00
106,6,121,10,2026-02-20,2026-02-20,2026-02-20 08:00:00,-15.00
107,6,101,10,2026-02-20,,2026-02-20 08:00:00,-40.00
""",
            "account_partial_reconcile": """\
id,debit_move_id,credit_move_id,amount,max_date,create_date
7,101,103,80.00,2026-02-03,2026-02-04 08:00:00
8,102,104,5.00,2026-02-10,2026-02-10 08:00:00
9,102,106,25.00,2026-02-20,2026-02-20 08:00:00
""",
        },
        {
            "bills": [
                BILL,
                ("10", "1", "2026-01-31", 80.00, "2026-01-01"),
                ("10", "2", "2026-02-28", 30.00, "2026-02-01"),
                ("10", "4", "2026-02-10", -30.00, "2026-02-10"),
            ],
            "payments": [
                (*PAYMENT, "payment_id"),
                ("10", "1", "2026-02-03", 80.00, "part 7"),
                ("10", "2", "2026-02-20", 25.00, "part 9"),
                ("10", None, "2026-02-20", 15.00, "line 106"),
            ],
        },
    ),
    "business-central": Extract(
        {
            "Cust. Ledger Entry": """\
Entry No.,Customer No.,Posting Date,Document Date,Due Date,Document Type,Document No.,Amount (LCY)
1,C100,2026-01-05,2026-01-04,2026-02-04,Invoice,INV1,500.00
2,C100,2026-02-10,2026-02-10,2026-02-10,Payment,PAY1,-300.00
3,C100,2026-02-12,2026-02-12,0001-01-01,Credit Memo,CM1,-50.00
4,C100,2026-02-20,2026-02-20,2026-02-20,Payment,PAY2,-70.00
""",
            "Detailed Cust. Ledg. Entry": """\
Entry No.,Cust. Ledger Entry No.,Entry Type,Posting Date,Document Type,Document No.,Customer No.,Amount (LCY)
1,1,Initial Entry,2026-01-05,Invoice,INV1,C100,500.00
2,2,Initial Entry,2026-02-10,Payment,PAY1,C100,-300.00
3,1,Application,2026-02-10,Payment,PAY1,C100,-300.00
4,2,Application,2026-02-10,Payment,PAY1,C100,300.00
5,4,Initial Entry,2026-02-20,Payment,PAY2,C100,-70.00
6,1,Application,2026-02-21,Payment,PAY2,C100,-20.00
7,4,Application,2026-02-21,Payment,PAY2,C100,20.00
""",
        },
        {
            "bills": [
                BILL,
                ("C100", "1", "2026-02-04", 500.00, "2026-01-04"),
                ("C100", "3", "2026-02-12", -50.00, "2026-02-12"),
            ],
            "payments": [
                (*PAYMENT, "payment_id"),
                ("C100", "1", "2026-02-10", 300.00, "3"),
                ("C100", "1", "2026-02-21", 20.00, "6"),
                ("C100", None, "2026-02-20", 50.00, "5"),
            ],
        },
    ),
    "quickbooks": Extract(
        {
            "A_R Aging Detail": """\
Date,Transaction Type,Num,Customer,Due Date,Amount,Open Balance
01/05/2026,Invoice,1001,Oak Ltd,02/04/2026,"1,200.00","1,150.00"
1/9/2026,Payment,,Oak Ltd,,-20.00,(20.00)
""",
        },
        {
            "bills": [
                BILL,
                ("Oak Ltd", "Invoice 1001 01/05/2026", "2026-02-04", 1150.00, "2026-01-05"),
                ("Oak Ltd", "Payment 1/9/2026", "2026-01-09", -20.00, "2026-01-09"),
            ]
        },
    ),
    "xero": Extract(
        {
            "Aged Receivables Detail": """\
Contact,Invoice Date,Due Date,Invoice Number,Total,Due
Elm plc,05 Jan 2026,04 Feb 2026,INV-1,300.00,"1,250.00"
Elm plc,9/1/2026,8/2/2026,INV-2,10.00,10.00
""",
        },
        {
            "bills": [
                BILL,
                ("Elm plc", "INV-1", "2026-02-04", 1250.00, "2026-01-05"),
                ("Elm plc", "INV-2", "2026-02-08", 10.00, "2026-01-09"),
            ]
        },
    ),
    "salesforce": Extract(
        {
            "Invoice": """\
Id,BillingAccountId,InvoiceDate,DueDate,CreatedDate,TotalAmountWithTax,Status
3tt1,001A,2026-01-01,2026-01-31,2026-01-01T08:00:00Z,90.00,Posted
3tt2,001A,2026-01-01,2026-01-31,2026-01-01T08:00:00Z,70.00,Draft
""",
            # Of the first payment a line was taken back, and 25 are left; the others are a draft
            # and one that is applied whole.
            "Payment": """\
Id,AccountId,Balance,Status,EffectiveDate
0aQ1,001A,25.00,Processed,2026-02-01
0aQ2,001A,99.00,Draft,2026-02-01
0aQ3,001A,0,Processed,2026-02-05
""",
            "PaymentLineInvoice": """\
Id,PaymentId,InvoiceId,Type,HasBeenUnapplied,EffectiveDate,Date,Amount
1PL1,0aQ1,3tt1,Applied,No,2026-02-02,2026-02-03,40.00
1PL2,0aQ1,3tt1,Applied,Yes,2026-02-03,2026-02-03,10.00
1PL3,0aQ1,3tt1,Unapplied,,2026-02-04,2026-02-04,10.00
1PL4,0aQ3,3tt1,Applied,No,2026-02-05,2026-02-05,5.00
""",
            "Account": "Id,ParentId,Type,Industry\n001A,001Z,Customer,Retail\n",
        },
        {
            "bills": [BILL, ("001A", "3tt1", "2026-01-31", 90.00, "2026-01-01")],
            "payments": [
                (*PAYMENT, "payment_id"),
                ("001A", "3tt1", "2026-02-02", 40.00, "1PL1"),
                ("001A", "3tt1", "2026-02-05", 5.00, "1PL4"),
                ("001A", None, "2026-02-01", 25.00, "0aQ1"),
            ],
            "accounts": [("account_id", "party_id", "industry"), ("001A", "001Z", "Retail")],
        },
    ),
    "invoice-sheet": Extract(
        {
            "invoices": """\
Customer No,Invoice No,Invoice Date,Due Date,Amount,Paid Date
7,A-1,2026-01-01,2026-01-31,20.00,2026-02-02
7,A-2,2026-02-01,2026-02-28,30.00,
""",
        },
        {
            "bills": [
                BILL,
                ("7", "A-1", "2026-01-31", 20.00, "2026-01-01"),
                ("7", "A-2", "2026-02-28", 30.00, "2026-02-01"),
            ],
            "payments": [PAYMENT, ("7", "A-1", "2026-02-02", 20.00)],
        },
    ),
    "metro2-history": Extract(
        {
            # X2 was opened two months before; D is a month without a report.
            "metro2": """\
consumer account number,account status,date of account information,payment history profile
X1,11,03312026,01D
X2,80,03312026,21BBBB
"""
        },
        {
            "accounts": [
                ("account_id", "observed_on", "days_past_due", "months_past_due"),
                ("X1", "2026-03-31", 0, 0),
                ("X1", "2026-02-28", 0, 0),
                ("X1", "2026-01-31", 30, 2),
                ("X1", "2025-12-31", None, None),
                ("X2", "2026-03-31", 90, 4),
                ("X2", "2026-02-28", 60, 3),
                ("X2", "2026-01-31", 30, 2),
            ]
        },
    ),
    "metro2": Extract(
        {
            "metro2": """\
consumer account number,account status,date of account information,date opened,date closed,current balance,amount past due
X1,11,03312026,05012020,00000000,1500,0
X2,80,03312026,06152019,00000000,900,300
""",
        },
        {
            "accounts": [
                (
                    "account_id",
                    "observed_on",
                    "opened_on",
                    "closed_on",
                    "days_past_due",
                    "amount_past_due",
                ),
                ("X1", "2026-03-31", "2020-05-01", None, 0, 0),
                ("X2", "2026-03-31", "2019-06-15", None, 90, 300),
            ]
        },
    ),
}
