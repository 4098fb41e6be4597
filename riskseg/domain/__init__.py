"""What every other package uses: facts, problems, documents, contracts. Imports nothing of ours."""
