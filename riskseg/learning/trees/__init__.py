"""Boosted trees: LightGBM tuned and bagged, its text read back, exact SHAP values."""
