"""The pages of docs/reference: a module for each kind of page, written from the code."""
