"""The suite `paper`: the paper's methods and ours side by side."""
