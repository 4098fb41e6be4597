"""What identifies a version of a strategy: its content, not its comments or layout."""

from __future__ import annotations

import hashlib
import json

from riskseg.strategy.authored import AuthoredStrategy


def fingerprint(authored: AuthoredStrategy) -> str:
    """Twelve hex digits of a hash over the parsed content of every file but the examples, which
    decide nothing. The order of keys does not matter; the order of rows does."""
    content = {
        name: document.data
        for name, document in authored.documents.items()
        if name != "examples.yaml"
    }
    canonical = json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
