"""The matching of people to channels: a linear programme solved by its dual, one pass over people an iteration."""
