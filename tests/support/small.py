"""The smallest workspace that decides: two accounts, four CSV files, no model."""

from __future__ import annotations

from pathlib import Path

STRATEGY = {
    "strategy.yaml": "name: s\npurpose: to be tried\nowner: tests\n"
    "actions: [{name: sms, channel: sms}, {name: letter, channel: post}]\n",
    "tiers.yaml": "t:\n  - {tier: late, when: balance_overdue > 50}\n"
    "  - {tier: fine, otherwise: true}\n",
    "segments.yaml": "columns: [t]\nrows:\n  - {id: l, match: [late], segment: late}\n"
    "  - {id: r, match: [any], segment: rest}\n",
    "paths.yaml": "p: {for: [late], starts: as_of, steps: [{day: 0, action: letter}]}\n"
    "q: {for: [rest], starts: as_of, steps: [{day: 0, action: sms}]}\n",
}
FILES = {
    "accounts": "account_id,region\na,north\nb,south\n",
    "bills": "account_id,bill_id,due_on,amount\na,1,2025-11-01,100\nb,2,2025-11-01,100\n",
    "payments": "account_id,paid_on,amount\nb,2025-11-01,100\n",
    "events": "account_id,happened_on,kind\nb,2025-11-02,contact\n",
}


def make(root: Path, **files: str) -> Path:
    (root / "rules" / "s").mkdir(parents=True)
    (root / "data").mkdir()
    for name, text in STRATEGY.items():
        (root / "rules" / "s" / name).write_text(text)
    toml = '[workspace]\nstrategy = "rules/s"\n'
    for name, text in {**FILES, **files}.items():
        (root / "data" / f"{name}.csv").write_text(text)
        toml += f'[source.{name}]\nfrom = "data/{name}.csv"\n'
    (root / "riskseg.toml").write_text(toml)
    return root
