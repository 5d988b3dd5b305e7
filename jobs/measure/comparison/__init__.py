"""Costs made comparable: at one mix of bands, and from one period to the next, effect by effect."""
