"""Where an account stands over time: arrears episodes, and the days of a path counted from them."""
