"""Sources: what riskseg.toml names, found, described and fingerprinted."""
