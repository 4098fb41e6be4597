"""A model in the forms that other systems run."""
