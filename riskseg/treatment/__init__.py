"""Treatment over time: arrears episodes, paths and their steps, and the guards that forbid them."""
