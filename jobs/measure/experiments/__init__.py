"""What money adds over nobody spending it: held-out people, intervals valid at every look, balance, power."""
