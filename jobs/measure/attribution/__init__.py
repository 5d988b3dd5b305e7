"""Who gets the credit for a conversion: rules, Markov chains, Shapley values, and how far chance moves them."""
