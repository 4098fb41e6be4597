"""The answers to questions about segments: one file for each question, named as in `insight/`."""
