"""The ways in which a source writes a currency: its code, its number, its sign.

Codes and numbers are those of ISO 4217 (https://www.iso.org/iso-4217-currency-codes.html), of the
currencies that are met most. Of any other currency only the code is known.
"""

from __future__ import annotations

# Code, number, and what else it is written as.
_KNOWN = """
AED 784
AUD 036 $ A$ AU$
BGN 975
BRL 986 R$
CAD 124 $ C$ CA$
CHF 756 FR. SFR.
CLP 152 $
CNY 156 ¥ RMB
COP 170 $
CZK 203 KČ
DKK 208 KR KR.
EGP 818
EUR 978 € EURO EUROS
GBP 826 £
HKD 344 $ HK$
HUF 348 FT
IDR 360 RP
ILS 376 ₪
INR 356 ₹ RS RS.
ISK 352 KR KR.
JPY 392 ¥
KES 404 KSH
KRW 410 ₩
MAD 504
MXN 484 $
MYR 458 RM
NGN 566 ₦
NOK 578 KR KR.
NZD 554 $ NZ$
PEN 604
PHP 608 ₱
PKR 586
PLN 985 ZŁ
QAR 634
RON 946 LEI
RSD 941
RUB 643 ₽
SAR 682
SEK 752 KR KR.
SGD 702 $ S$
THB 764 ฿
TRY 949 ₺ TL
TWD 901 $ NT$
UAH 980 ₴
USD 840 $ US$
VND 704 ₫
ZAR 710 R
"""
_SPELLINGS = {code: (code, *others) for code, *others in map(str.split, _KNOWN.strip().split("\n"))}


def written(currency: str) -> tuple[str, ...]:
    """How a source may write the currency of a workspace, in capital letters: a sign that several
    currencies share is taken for it, and a number may have lost its zeros or become a float."""
    code = code_of(currency) or currency.strip().upper()
    spellings = _SPELLINGS.get(code, (code,))
    numbers = [text.lstrip("0") for text in spellings if text.isdigit()]
    return tuple(dict.fromkeys([*spellings, *numbers, *(f"{number}.0" for number in numbers)]))


def code_of(text: str) -> str | None:
    """The code of a currency that is written so; None where several are, or it is not known."""
    spelling = text.strip().upper()
    codes = [code for code, spellings in _SPELLINGS.items() if spelling in spellings]
    return codes[0] if len(codes) == 1 else None


def is_known(code: str) -> bool:
    """Whether a word is the code of one of the currencies that are met most."""
    return code.upper() in _SPELLINGS
