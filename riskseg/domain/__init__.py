"""The ground floor: words every other room uses. Imports nothing of ours."""
