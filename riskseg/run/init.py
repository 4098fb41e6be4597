"""`init`: a new workspace from a starter strategy and the specs of the models it uses."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

import riskseg
from riskseg.domain.problems import did_you_mean, problem
from riskseg.results.workspace import NewWorkspace

_BILLS = """\
# What this workspace is: where its data lies, what its money is, which strategy it follows.
[workspace]
currency     = "GBP"
scale        = 2          # decimals of an amount
arrears_from = 5.00       # the least overdue balance that counts as arrears
max_bad_rows = 0.001      # the share of a table's rows that may break the contract
strategy     = "rules/{strategy}"
# Where there is too little history to train a model, the strategy can decide without it:
# without_models = ["default"]
# The place whose days are meant, where times have a zone of their own:
# timezone = "Europe/London"

# Where the data is in a database, `from` names a table, a view or a select of it.
# [source]
# url = "postgresql+psycopg://riskseg:${{RISKSEG_DB}}@db.internal/billing"

# Every right-hand side but `from` is a SQL expression over the loaded columns; a column that
# already has the contract's name needs no line. `from` is a file, a glob, or a select over files.
[source.bills]
from       = "data/bills.parquet"
# account_id = "customer_id"
# bill_id    = "customer_id || '-' || period_end"
# issued_on  = "period_end"
# due_on     = "due_date"
# amount     = "bill_amount"
# product    = "product_code"     # an attribute: what was known when the bill was issued

[source.payments]
from       = "data/payments.parquet"
# account_id = "customer_id"
# paid_on    = "payment_date"
# amount     = "amount"

# What each delivery should hold, here and of any other source; a run stops where it does not.
# [source.payments.expect]
# newest = "3 days"        # the newest row is no older than this
# rows   = "0.9x..1.5x"    # against earlier runs

# Not needed, but every further column is an attribute that rules may use.
# [source.accounts]
# from          = "data/accounts.parquet"
# account_id    = "customer_id"
# is_vulnerable = "is_vulnerable = 1"

# Contacts, promises, plans, disputes, holds, visits, complaints, actions.
# [source.events]
# from        = "data/events.parquet"
# happened_on = "event_date"
# kind        = "case event when 'PTP' then 'promise' else 'contact' end"
"""

_ACCOUNT_FILE = """\
# A workspace for an account file alone: its columns are the features, one of them the outcome.
[workspace]
currency = "GBP"
strategy = "rules/{strategy}"

# A query finds the types of a CSV file's columns; a file named plainly is read as text, unless it
# is Parquet. Every other right-hand side is a SQL expression over the loaded columns; columns
# without a line are attributes under their own names.
[source.accounts]
from       = "select * from read_csv('data/accounts.csv', types = {{'id': 'VARCHAR'}})"
account_id = "id"
outcome    = "defaulted"  # 1 for the bad outcome, 0 for the other, null where not yet known
"""

TEMPLATES = {"account-file": _ACCOUNT_FILE}
# The starter strategy of a workspace that names none.
STARTER = "household-utility"


def starters() -> Path:
    """The folder that holds rules/ and models/: inside the installed package, or the checkout."""
    package = Path(riskseg.__file__).parent
    shipped = package / "starters"
    return shipped if shipped.is_dir() else package.parent


def strategies() -> list[str]:
    """The names of the starter strategies."""
    return sorted(p.parent.name for p in (starters() / "rules").glob("*/strategy.yaml"))


def check_new(folder: Path) -> None:
    """Raise RS010 where `folder` is a workspace already, or a file."""
    if (folder / "riskseg.toml").exists():
        raise problem(
            "RS010",
            "There already is a workspace here.",
            file=str(folder / "riskseg.toml"),
            hint="Choose another folder.",
        )
    if folder.exists() and not folder.is_dir():
        raise problem("RS010", "This is a file, not a folder.", file=str(folder))


def init(folder: Path, strategy: str = STARTER, *, toml: str | None = None) -> NewWorkspace:
    """Make a workspace. An existing riskseg.toml is left alone.

    Raises RS201 for an unknown starter and RS010 where `folder` already is a workspace.
    """
    if strategy not in strategies():
        raise problem(
            "RS201",
            f'There is no starter strategy "{strategy}".',
            hint=did_you_mean(strategy, strategies()),
        )
    check_new(folder)
    rules = starters() / "rules" / strategy
    uses = yaml.safe_load((rules / "strategy.yaml").read_text(encoding="utf-8")).get("uses", {})
    written_files = []
    for source, place in [
        *(
            (rule_file, f"rules/{strategy}/{rule_file.name}")
            for rule_file in sorted(rules.glob("*.yaml"))
        ),
        *(
            (starters() / "models" / f"{model_name}.yaml", f"models/{model_name}.yaml")
            for model_name in sorted(uses.values())
        ),
    ]:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / place)
        written_files.append(place)
    # Last: a folder is a workspace from the moment it has this file.
    toml_text = toml or TEMPLATES.get(strategy, _BILLS).format(strategy=strategy)
    (folder / "riskseg.toml").write_text(toml_text, encoding="utf-8")
    return NewWorkspace(folder=str(folder), written=("riskseg.toml", *written_files))
