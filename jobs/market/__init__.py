"""A simulated lending market with known potential outcomes, and the referee that scores a policy on it."""
